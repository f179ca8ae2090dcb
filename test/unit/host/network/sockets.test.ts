import { createSocket } from 'node:dgram';
import { type AddressInfo, connect, createServer } from 'node:net';
import { afterAll, describe, expect, it } from 'vitest';
import { place, runGuest, TestNetworks } from '../../../support/network.ts';

const ECONNREFUSED = -111;
const EHOSTUNREACH = -113;
const ENETUNREACH = -101;
const ENOENT = -2;
const EADDRINUSE = -98;

const networks = new TestNetworks();
afterAll(() => networks.close());

/** Sends, ends and collects. */
function exchange(port: number, sent: string, host = '127.0.0.1'): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host });
    let got = '';
    socket.on('data', (bytes) => {
      got += bytes.toString();
    });
    socket.on('end', () => resolve(got));
    socket.on('error', reject);
    socket.end(sent);
  });
}

describe('a container alone', () => {
  it('has a loopback of its own', async () => {
    const network = await networks.container({ mode: 'none' });
    const guest = await runGuest(network, 'loopback');
    expect(await guest.result).toEqual({ first: 'ping', again: 'ping', end: 0, taken: EADDRINUSE });
  });

  it('uses its memory again for thousands of connections', async () => {
    const network = await networks.container({ mode: 'none' });
    const guest = await runGuest(network, 'many', { count: 2000 });
    expect(await guest.result).toBe(2000);
  });

  it('does not reach the loopback of the host, nor anything outside', async () => {
    const server = createServer((socket) => socket.end('secret'));
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
    const { port } = server.address() as AddressInfo;
    try {
      for (const plan of [{ mode: 'none' as const }, { networks: [place(30, 2, ['a'])] }]) {
        const network = await networks.container(plan);
        const direct = await runGuest(network, 'client', { address: [127, 0, 0, 1], port, text: '' });
        expect(await direct.result).toEqual({ connect: ECONNREFUSED });
      }
      const alone = await networks.container({ mode: 'none' });
      const outside = await runGuest(alone, 'client', { address: [192, 0, 2, 1], port, text: '' });
      expect(await outside.result).toEqual({ connect: ENETUNREACH });
      const bridged = await networks.container({ networks: [place(31, 2, ['a'])] });
      const gateway = await runGuest(bridged, 'client', { address: [172, 31, 0, 1], port, text: '' });
      expect(await gateway.result).toEqual({ connect: ECONNREFUSED });
      const named = await networks.container({
        networks: [place(31, 3, ['b'])],
        extraHosts: ['host.docker.internal:host-gateway'],
      });
      const allowed = await runGuest(named, 'client', { name: 'host.docker.internal', port, text: '' });
      expect(await allowed.result).toMatchObject({ text: 'secret' });
    } finally {
      server.close();
    }
  });
});

describe('two containers', () => {
  it('talk by name, alias and link, and are counted', async () => {
    const db = await networks.container({ networks: [place(20, 2, ['db', 'storage', 'abc123'])] });
    const app = await networks.container({ networks: [place(20, 3, ['app'], { links: { data: 'db' } })] });
    const server = await runGuest(db, 'echoServer', { address: [0, 0, 0, 0], port: 5432, connections: 5 });
    await server.listening;
    for (const name of ['db', 'Storage', 'abc123', 'db.net20', 'data']) {
      const client = await runGuest(app, 'client', { name, port: 5432, text: `hello ${name}` });
      expect(await client.result).toMatchObject({
        text: `hello ${name}`,
        local: { address: Uint8Array.of(172, 20, 0, 3) },
        peer: { address: Uint8Array.of(172, 20, 0, 2), port: 5432 },
      });
    }
    await server.result;
    expect(app.stats().net20).toMatchObject({ txBytes: 57, rxBytes: 57 });
    expect(db.stats().net20).toMatchObject({ txBytes: 57, rxBytes: 57 });
  });

  it('move more than the rings hold, both ways', async () => {
    const one = await networks.container({ networks: [place(21, 2, ['one'])] });
    const two = await networks.container({ networks: [place(21, 3, ['two'])] });
    const server = await runGuest(one, 'echoServer', { address: [0, 0, 0, 0], port: 80, connections: 1 });
    await server.listening;
    const client = await runGuest(two, 'client', { name: 'one', port: 80, bytes: 20_000_000 });
    expect(await client.result).toMatchObject({ bytes: 20_000_000 });
    expect(await server.result).toBe(20_000_000);
  });

  it('see nothing of networks they are not on', async () => {
    const one = await networks.container({ networks: [place(22, 2, ['one'], { internal: true })] });
    const two = await networks.container({ networks: [place(23, 2, ['two'], { internal: true })] });
    const server = await runGuest(one, 'echoServer', { address: [0, 0, 0, 0], port: 80, connections: 1 });
    await server.listening;
    const byAddress = await runGuest(two, 'client', { address: [172, 22, 0, 2], port: 80, text: 'x' });
    expect(await byAddress.result).toEqual({ connect: ENETUNREACH });
    const byName = await runGuest(two, 'client', { name: 'one', port: 80, text: 'x' });
    expect(await byName.result).toEqual({ resolve: ENOENT });
    // Nor does the way out of a network lead into another.
    const three = await networks.container({ networks: [place(29, 2, ['three'])] });
    const around = await runGuest(three, 'client', { address: [172, 22, 0, 2], port: 80, text: 'x' });
    expect(await around.result).toEqual({ connect: EHOSTUNREACH });
    // The same after it joins, and again after it leaves.
    await two.update(networks.plan({ networks: [place(22, 3, ['two'], { internal: true })] }));
    const wrongPort = await runGuest(two, 'client', { name: 'one', port: 81, text: 'x' });
    expect(await wrongPort.result).toEqual({ connect: ECONNREFUSED });
    const nobody = await runGuest(two, 'client', { address: [172, 22, 0, 99], port: 80, text: 'x' });
    expect(await nobody.result).toEqual({ connect: EHOSTUNREACH });
    await two.update(networks.plan({ networks: [] }));
    const left = await runGuest(two, 'client', { address: [172, 22, 0, 2], port: 80, text: 'x' });
    expect(await left.result).toEqual({ connect: ENETUNREACH });
    await two.update(networks.plan({ networks: [place(22, 3, ['two'], { internal: true })] }));
    const joined = await runGuest(two, 'client', { name: 'one', port: 80, text: 'x' });
    expect(await joined.result).toMatchObject({ text: 'x' });
    await server.stop();
  });

  it('send datagrams', async () => {
    const one = await networks.container({ networks: [place(24, 2, ['one'])] });
    const two = await networks.container({ networks: [place(24, 3, ['two'])] });
    const server = await runGuest(one, 'udpServer', { address: [0, 0, 0, 0], port: 53 });
    await server.listening;
    const client = await runGuest(two, 'udpClient', { name: 'one', port: 53, text: 'question' });
    expect(await client.result).toEqual({ text: 'got question' });
    expect(await server.result).toMatchObject({ from: { address: Uint8Array.of(172, 24, 0, 3) } });
  });
});

describe('published ports', () => {
  it('lead to what the guest listens on, also to a socket it finds at its start', async () => {
    const network = await networks.container({
      networks: [place(25, 2, ['web'])],
      publish: { '80/tcp': [{ HostIp: '127.0.0.1', HostPort: '' }], '81/tcp': [{ HostIp: '127.0.0.1', HostPort: '' }] },
      listen: ['81/tcp'],
    });
    const guest = await runGuest(network, 'preopened');
    const found = Number(network.ports['81/tcp']![0]!.HostPort);
    // Nobody is let in before the program is there.
    let answer = '';
    while (answer === '') answer = await exchange(found, 'to the one found').catch(() => '');
    expect(answer).toBe('to the one found');
    await guest.result;
    const server = await runGuest(network, 'echoServer', { address: [0, 0, 0, 0], port: 80, connections: 2 });
    await server.listening;
    const made = Number(network.ports['80/tcp']![0]!.HostPort);
    expect(await exchange(made, 'to the one made')).toBe('to the one made');
    expect(await exchange(made, 'x'.repeat(300_000))).toHaveLength(300_000);
    expect(await server.result).toBe(300_015);
  });

  it('a guest that listens itself takes the place of the socket it was given', async () => {
    const network = await networks.container({
      networks: [place(26, 2, ['web'])],
      publish: { '80/tcp': [{ HostIp: '127.0.0.1', HostPort: '' }] },
      listen: ['80/tcp'],
    });
    const server = await runGuest(network, 'echoServer', { address: [0, 0, 0, 0], port: 80, connections: 1 });
    await server.listening;
    expect(await exchange(Number(network.ports['80/tcp']![0]!.HostPort), 'mine')).toBe('mine');
  });

  it('say in words of docker that a port is taken, and take the next one of a range', async () => {
    const first = await networks.container({
      networks: [place(27, 2, ['one'])],
      publish: { '80/tcp': [{ HostIp: '127.0.0.1', HostPort: '' }] },
    });
    const port = first.ports['80/tcp']![0]!.HostPort;
    const again = networks.container({
      networks: [place(27, 3, ['two'])],
      publish: { '80/tcp': [{ HostIp: '127.0.0.1', HostPort: port! }] },
    });
    await expect(again).rejects.toMatchObject({
      code: 'conflict',
      message: `Bind for 127.0.0.1:${port} failed: port is already allocated`,
    });
    const ranged = await networks.container({
      networks: [place(27, 4, ['three'])],
      publish: { '80/tcp': [{ HostIp: '127.0.0.1', HostPort: `${port}-${Number(port) + 20}` }] },
    });
    expect(Number(ranged.ports['80/tcp']![0]!.HostPort)).toBeGreaterThan(Number(port));
  });

  it('carry datagrams and their answers', async () => {
    const network = await networks.container({
      networks: [place(28, 2, ['dns'])],
      publish: { '53/udp': [{ HostIp: '127.0.0.1', HostPort: '' }] },
    });
    const server = await runGuest(network, 'udpServer', { address: [0, 0, 0, 0], port: 53 });
    await server.listening;
    const socket = createSocket('udp4');
    const answer = new Promise((resolve) => socket.once('message', (bytes) => resolve(bytes.toString())));
    socket.send('question', Number(network.ports['53/udp']![0]!.HostPort), '127.0.0.1');
    expect(await answer).toBe('got question');
    socket.close();
  });
});
