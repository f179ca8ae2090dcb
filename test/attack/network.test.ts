/**
 * A guest that wants out of its networks: to the machine it runs on, to the cloud's metadata, to containers of other
 * networks, into another container's place. The host's sockets are counted here: what must not be reached is not tried.
 */
import { afterAll, describe, expect, it } from 'vitest';
import { formatAddress, parseAddress } from '../../src/host/network/address.ts';
import * as e from '../../src/host/network/errno.ts';
import type { ByteSocket, HostSockets } from '../../src/host/network/host-sockets.ts';
import { hostsOf } from '../../src/host/network/hosts.ts';
import { NetworkTransport } from '../../src/host/network/network-transport.ts';
import { mayReach } from '../../src/host/network/outside.ts';
import type { NetworkPlan } from '../../src/host/network/port.ts';
import { nodeSockets } from '../../src/host/node/network-sockets.ts';
import { place, TestNetworks } from '../support/network.ts';

const networks = new TestNetworks();
afterAll(() => networks.close());

const at = (text: string, port = 80) => ({ address: parseAddress(text)!, port });
const SIX = { ipv6: { subnet: 'fd00:1::/64', gateway: 'fd00:1::1', address: 'fd00:1::2' } };

/** A container whose host answers names as the attacker likes, and every connection. */
async function container(plan: Partial<NetworkPlan>, names: Record<string, string> = {}) {
  const reached: string[] = [];
  const nothing: ByteSocket = {
    local: at('0.0.0.0', 1),
    peer: at('0.0.0.0', 1),
    write: () => true,
    end: () => {},
    destroy: () => {},
    pause: () => {},
    resume: () => {},
    listen: () => {},
  };
  const sockets: HostSockets = {
    ...nodeSockets(),
    connectTcp: async ({ address, port }) => {
      reached.push(`${formatAddress(address)}:${port}`);
      return nothing;
    },
    bindUdp: async (address) => ({
      address,
      send: (_, to) => reached.push(`udp ${formatAddress(to.address)}:${to.port}`),
      close: () => {},
    }),
    lookup: async (name) => {
      const found = names[name];
      if (found === undefined) throw Object.assign(new Error(name), { code: 'ENOTFOUND' });
      return [parseAddress(found)!];
    },
  };
  const full = networks.plan(plan);
  const transport = new NetworkTransport(full, sockets, hostsOf(full));
  await transport.update(full, hostsOf(full));
  const connect = (text: string, port?: number) =>
    transport.connectTcp(at(text, port)).then(
      () => 0,
      (error: { errno: number }) => error.errno,
    );
  return { transport, reached, connect };
}

const MACHINE = [
  '127.0.0.1',
  '127.8.8.8',
  '0.0.0.0',
  '0.1.2.3',
  '::1',
  '::',
  '::ffff:127.0.0.1',
  '::127.0.0.1',
  '64:ff9b::127.0.0.1',
];
const METADATA = [
  '169.254.169.254',
  '169.254.170.2',
  '::ffff:169.254.169.254',
  '64:ff9b::169.254.169.254',
  'fd00:ec2::254',
  'fe80::1',
  '168.63.129.16',
  '100.100.100.200',
];
const EVERYBODY = ['224.0.0.251', '255.255.255.255', 'ff02::1'];

describe('a guest on a network of its own', () => {
  it.each([...MACHINE, ...METADATA, ...EVERYBODY])('does not reach %s', async (address) => {
    const { transport, reached, connect } = await container({ networks: [place(21, 2, ['a'], SIX)] });
    expect(await connect(address)).not.toBe(0);
    const udp = await transport.bindUdp(at('::', 0), () => {});
    udp.send(new Uint8Array(1), at(address));
    await new Promise((resolve) => setTimeout(resolve, 5));
    expect(reached).toEqual([]);
    udp.close();
    await transport.close();
  });

  it('reaches the world, and what was named', async () => {
    const { transport, reached, connect } = await container({
      networks: [place(21, 2, ['a'], SIX)],
      extraHosts: ['meta:169.254.169.254', 'box:host-gateway'],
    });
    for (const address of ['192.0.2.1', '2001:db8::1', '169.254.169.254', '172.21.0.1']) {
      expect(await connect(address), address).toBe(0);
    }
    expect(await connect('169.254.170.2')).toBe(e.ENETUNREACH);
    expect(reached).toEqual([
      '192.0.2.1:80',
      '[2001:db8::1]:80'.replace(/[[\]]/g, ''),
      '169.254.169.254:80',
      '127.0.0.1:80',
    ]);
    await transport.close();
  });

  it('gains nothing by a name that changes what it stands for', async () => {
    const { transport, reached, connect } = await container(
      { networks: [place(21, 2, ['a'], SIX)] },
      {
        'one.example': '127.0.0.1',
        'two.example': '169.254.169.254',
        'three.example': '::ffff:127.0.0.1',
        a: '192.0.2.9',
      },
    );
    for (const name of ['one.example', 'two.example', 'three.example']) {
      const [address] = await transport.resolve(name, 0);
      expect(await connect(formatAddress(address!))).not.toBe(0);
    }
    expect(reached).toEqual([]);
    // A name server cannot speak for a container.
    expect((await transport.resolve('a', 4)).map(formatAddress)).toEqual(['172.21.0.2']);
    await transport.close();
  });

  it('without a way out reaches nobody and asks nobody', async () => {
    for (const plan of [
      { mode: 'none' as const },
      { networks: [place(22, 2, ['b'], { internal: true, ...SIX })], extraHosts: ['box:host-gateway'] },
    ]) {
      const { transport, reached, connect } = await container(plan, { 'one.example': '192.0.2.1' });
      for (const address of ['192.0.2.1', '2001:db8::1', '172.22.0.1', 'fd00:1::1', '8.8.8.8']) {
        expect(await connect(address, 53)).not.toBe(0);
      }
      await expect(transport.resolve('one.example', 0)).rejects.toMatchObject({ errno: e.ENOENT });
      expect(reached).toEqual([]);
      await transport.close();
    }
  });

  it('does not take the address of a network of others for one of the world', async () => {
    const other = await container({ networks: [place(23, 2, ['other'])] });
    const { transport, reached, connect } = await container({ networks: [place(21, 3, ['a'])] });
    await other.transport.listenTcp(other.transport.bindTcp(at('0.0.0.0', 80)), 1, () => {});
    expect(await connect('172.23.0.2')).toBe(e.EHOSTUNREACH);
    await expect(transport.resolve('other', 0)).rejects.toMatchObject({ code: 'ENOTFOUND' });
    expect(reached).toEqual([]);
    await other.transport.close();
    await transport.close();
  });
});

describe("another container's place", () => {
  it('is not taken: neither its address nor, in a shared network, its ports', async () => {
    const owner = networks.plan({ networks: [place(24, 2, ['owner'], SIX)] });
    const first = await container(owner);
    const stranger = await container({ networks: [place(24, 3, ['stranger'])] });
    const joined = await container({ ...owner, joined: true });
    for (const address of ['172.24.0.2', 'fd00:1::2', '172.24.0.1', '192.0.2.1']) {
      expect(() => stranger.transport.bindTcp(at(address))).toThrow(`${e.EADDRNOTAVAIL}`);
      await expect(stranger.transport.bindUdp(at(address), () => {})).rejects.toMatchObject({ errno: e.EADDRNOTAVAIL });
    }
    const listen = async ({ transport }: typeof first, address: string, port = 80) =>
      transport.listenTcp(transport.bindTcp(at(address, port)), 1, () => {});
    await listen(first, '0.0.0.0');
    for (const address of ['0.0.0.0', '::', '127.0.0.1', '172.24.0.2']) {
      await expect(listen(joined, address), address).rejects.toMatchObject({ errno: e.EADDRINUSE });
    }
    await listen(joined, '127.0.0.1', 81);
    await expect(listen(first, '::', 81)).rejects.toMatchObject({ errno: e.EADDRINUSE });
    // Nothing is left of what was refused.
    await listen(first, '172.24.0.2', 81);
    for (const { transport } of [joined, stranger, first]) await transport.close();
  });
});

describe('addresses that are out of bounds', () => {
  it('are all spellings of them', () => {
    for (const text of [...MACHINE, ...METADATA, ...EVERYBODY])
      expect(mayReach(parseAddress(text)!, []), text).toBe(false);
    expect(mayReach(parseAddress('127.0.0.1')!, ['127.0.0.1'])).toBe(false);
    expect(mayReach(parseAddress('::ffff:169.254.169.254')!, ['169.254.169.254'])).toBe(true);
  });
});
