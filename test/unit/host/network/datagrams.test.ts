import { createSocket } from 'node:dgram';
import { afterAll, describe, expect, it } from 'vitest';
import { parseAddress } from '../../../../src/host/network/address.ts';
import { place, runGuest, TestNetworks } from '../../../support/network.ts';

const networks = new TestNetworks();
afterAll(() => networks.close());

const EMSGSIZE = 90;
const ANY = [0, 0, 0, 0];
const bytesOf = (text: string) => [...parseAddress(text)!];

describe('datagrams', () => {
  it('come whole, small and as large as they may be, many of them', async () => {
    const server = await networks.container({ networks: [place(41, 2, ['server'])] });
    const client = await networks.container({ networks: [place(41, 3, ['client'])] });
    const echo = await runGuest(server, 'udpEcho', { address: ANY, port: 53 });
    await echo.listening;
    const send = async (size: number, count: number) =>
      (await runGuest(client, 'udpMany', { address: [172, 41, 0, 2], port: 53, size, count })).result;
    expect(await send(1, 500)).toEqual({ back: 500 });
    expect(await send(0, 3)).toEqual({ back: 3 });
    expect(await send(65507, 40)).toEqual({ back: 40 });
    expect(await send(65508, 1)).toEqual({ sent: -EMSGSIZE });
    await echo.stop();
  });

  it('stay on their network', async () => {
    const secret = await networks.container({ networks: [place(42, 2, ['secret'])] });
    const outer = await networks.container({ networks: [place(43, 2, ['outer'])] });
    const both = await networks.container({ networks: [place(42, 3, ['both']), place(43, 3, ['both'])] });
    const echo = await runGuest(secret, 'udpEcho', { address: ANY, port: 53 });
    await echo.listening;
    const send = (from: typeof outer) =>
      runGuest(from, 'udpMany', { address: [172, 42, 0, 2], port: 53, size: 5, count: 1 });
    const lost = await send(outer);
    expect(await (await send(both)).result).toEqual({ back: 1 });
    const outcome = await Promise.race([
      lost.result,
      new Promise((resolve) => setTimeout(resolve, 300, 'nothing came back')),
    ]);
    expect(outcome).toBe('nothing came back');
    // What is bound on one of two networks is not on the other.
    const one = await runGuest(both, 'udpEcho', { address: [172, 42, 0, 3], port: 99 });
    await one.listening;
    const other = await runGuest(outer, 'udpMany', { address: [172, 43, 0, 3], port: 99, size: 5, count: 1 });
    const silent = new Promise((resolve) => setTimeout(resolve, 300, 'nothing came back'));
    expect(await Promise.race([other.result, silent])).toBe('nothing came back');
    expect(secret.stats().net42).toMatchObject({ rxPackets: 1, txPackets: 1 });
    for (const guest of [echo, lost, one, other]) await guest.stop();
  });

  it('of IPv6 reach sockets of IPv6, on loopback and the network', async () => {
    const ipv6 = (last: number) => ({
      ipv6: { subnet: 'fd00:44::/64', gateway: 'fd00:44::1', address: `fd00:44::${last}` },
    });
    const server = await networks.container({ networks: [place(44, 2, ['server'], ipv6(2))] });
    const client = await networks.container({ networks: [place(44, 3, ['client'], ipv6(3))] });
    const echo = await runGuest(server, 'udpEcho', { address: bytesOf('::'), port: 53, family: 6 });
    await echo.listening;
    const send = async (from: typeof client, address: string, family: number) =>
      (await runGuest(from, 'udpMany', { address: bytesOf(address), port: 53, size: 9, count: 2, family })).result;
    expect(await send(client, 'fd00:44::2', 6)).toEqual({ back: 2 });
    expect(await send(client, '172.44.0.2', 4)).toEqual({ back: 2 });
    expect(await send(client, '172.44.0.2', 6)).toEqual({ back: 2 });
    expect(await send(server, '::1', 6)).toEqual({ back: 2 });
    await echo.stop();
  });

  it('to a published port are answered to whom they came from', async () => {
    const server = await networks.container({
      networks: [place(45, 2, ['server'])],
      publish: { '53/udp': [{ HostIp: '127.0.0.1', HostPort: '' }] },
    });
    const echo = await runGuest(server, 'udpEcho', { address: ANY, port: 53 });
    await echo.listening;
    const port = Number(server.ports['53/udp']![0]!.HostPort);
    const peers = await Promise.all(
      Array.from({ length: 20 }, async (_, i) => {
        const socket = createSocket('udp4');
        const answers: string[] = [];
        socket.on('message', (bytes) => answers.push(`${bytes}`));
        for (let j = 0; j < 5; j++) socket.send(`${i}.${j}`, port, '127.0.0.1');
        for (let tries = 0; answers.length < 5 && tries < 100; tries++)
          await new Promise((resolve) => setTimeout(resolve, 10));
        socket.close();
        return answers.sort();
      }),
    );
    expect(peers).toEqual(peers.map((_, i) => [0, 1, 2, 3, 4].map((j) => `${i}.${j}`)));
    await echo.stop();
  });

  it('that nobody reads take no memory', async () => {
    const silent = await networks.container({ networks: [place(46, 2, ['silent'])] });
    const client = await networks.container({ networks: [place(46, 3, ['client'])] });
    const listening = await runGuest(silent, 'udpSilent', { address: ANY, port: 53 });
    await listening.listening;
    const before = process.memoryUsage().rss;
    const flood = await runGuest(client, 'udpFlood', { address: [172, 46, 0, 2], port: 53, size: 60000, count: 3000 });
    expect(await flood.result).toBe(3000);
    expect(process.memoryUsage().rss - before).toBeLessThan(120 * 1024 * 1024);
    await listening.stop();
  });
});
