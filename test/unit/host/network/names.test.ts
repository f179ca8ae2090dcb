import { afterAll, describe, expect, it } from 'vitest';
import { formatAddress } from '../../../../src/host/network/address.ts';
import * as dns from '../../../../src/host/network/dns.ts';
import type { ContainerNetwork } from '../../../../src/host/network/port.ts';
import { place, runGuest, TestNetworks } from '../../../support/network.ts';

const networks = new TestNetworks();
afterAll(() => networks.close());

const SIX = (last: number) => ({
  ipv6: { subnet: 'fd00:31::/64', gateway: 'fd00:31::1', address: `fd00:31::${last}` },
});

async function names(network: ContainerNetwork, name: string, family = 0): Promise<readonly string[] | number> {
  const found = (await (await runGuest(network, 'resolve', { name, family })).result) as readonly Uint8Array[] | number;
  return typeof found === 'number' ? found : found.map(formatAddress);
}

function query(name: string, type: number, id = 7): Uint8Array {
  return Uint8Array.from([id >> 8, id & 255, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, ...dns.encodeName(name), 0, type, 0, 1]);
}

describe('names', () => {
  it('are those of peers, of its own, of links and of --add-host, in both families', async () => {
    const web = await networks.container({
      hostname: 'webhost',
      domainname: 'example.test',
      networks: [place(31, 2, ['web', 'abc123', 'www'], SIX(2)), place(32, 2, ['web'])],
      extraHosts: ['printer:192.0.2.7', 'printer:2001:db8::7', 'gw=host-gateway'],
    });
    await networks.container({ networks: [place(31, 3, ['db', 'def456'], { ...SIX(3) })] });
    await networks.container({ networks: [place(33, 3, ['secret'])] });
    const links = { data: 'db' };
    const linked = await networks.container({
      networks: [place(31, 4, ['c'], { links, ...SIX(4) })],
      extraHosts: ['box:host-gateway'],
    });
    expect(await names(web, 'db')).toEqual(['172.31.0.3', 'fd00:31::3']);
    expect(await names(web, 'DB.net31', 4)).toEqual(['172.31.0.3']);
    expect(await names(web, 'db.', 6)).toEqual(['fd00:31::3']);
    expect(await names(web, 'www')).toEqual(['172.31.0.2', 'fd00:31::2']);
    expect(await names(web, 'webhost')).toEqual(['172.31.0.2', 'fd00:31::2']);
    expect(await names(web, 'webhost.example.test', 4)).toEqual(['172.31.0.2']);
    expect(await names(web, 'printer')).toEqual(['192.0.2.7', '2001:db8::7']);
    expect(await names(web, 'gw')).toEqual(['172.31.0.1']);
    expect(await names(web, 'localhost', 6)).toEqual(['::1']);
    expect(await names(web, '192.0.2.1', 6)).toBe(-2);
    expect(await names(linked, 'data', 4)).toEqual(['172.31.0.3']);
    // The one by a network it is not on, the other by a link that is not its own.
    expect(await names(linked, 'web.net32')).toBeLessThan(0);
    expect(await names(web, 'secret')).toBeLessThan(0);
    expect(await names(web, 'data')).toBeLessThan(0);
  });

  it('are known to programs with a resolver of their own', async () => {
    const asking = await networks.container({ networks: [place(34, 2, ['asking', 'aa'])] });
    await networks.container({ networks: [place(34, 3, ['told', 'bb'], SIX(9))] });
    const ask = async (bytes: Uint8Array) => {
      const { answer, from } = (await (
        await runGuest(asking, 'dns', { query: bytes })
      ).result) as {
        answer: Uint8Array;
        from: { address: Uint8Array; port: number };
      };
      expect([formatAddress(from.address), from.port]).toEqual(['127.0.0.11', 53]);
      return { rcode: answer[3]! & 15, id: answer[1], count: answer[7], data: [...answer.slice(-4)] };
    };
    expect(await ask(query('told', dns.TYPE_A))).toEqual({ rcode: 0, id: 7, count: 1, data: [172, 34, 0, 3] });
    expect(await ask(query('told', dns.TYPE_AAAA))).toMatchObject({ rcode: 0, count: 1, data: [0, 0, 0, 9] });
    expect(await ask(query('asking', dns.TYPE_AAAA))).toMatchObject({ rcode: 0, count: 0 });
    expect(await ask(query('3.0.34.172.in-addr.arpa', dns.TYPE_PTR))).toMatchObject({ rcode: 0, count: 1 });
    expect(await ask(query('9.0.34.172.in-addr.arpa', dns.TYPE_PTR))).toMatchObject({ rcode: 3, count: 0 });
    expect(await ask(query('told', 15))).toMatchObject({ rcode: 4, count: 0 });
  });
});

describe('messages of DNS', () => {
  it.each([
    ['nothing', new Uint8Array(0)],
    ['a header alone', query('a', 1).slice(0, 12)],
    ['an answer', query('a', 1).map((byte, i) => (i === 2 ? 0x81 : byte))],
    ['two questions', query('a', 1).map((byte, i) => (i === 5 ? 2 : byte))],
    ['a label that ends behind the message', Uint8Array.from([...query('a', 1).slice(0, 12), 63, 1, 2, 3, 4, 5])],
    ['a pointer in the question', Uint8Array.from([...query('a', 1).slice(0, 12), 0xc0, 12, 0, 1, 0, 1])],
    ['no type', Uint8Array.from([...query('a', 1).slice(0, 12), 1, 97, 0, 0, 1])],
  ])('are not answered that are %s', (_, message) => {
    expect(dns.readQuestion(message)).toBeUndefined();
  });

  it('fit a datagram', () => {
    const question = dns.readQuestion(query('many', dns.TYPE_A))!;
    expect(question).toMatchObject({ name: 'many', type: dns.TYPE_A, isInternet: true });
    const answer = dns.writeAnswer(question, dns.RCODE_OK, new Array(64).fill(Uint8Array.of(1, 2, 3, 4)));
    expect(answer.length).toBeLessThanOrEqual(512);
    expect(answer[2]! & 2).toBe(2);
    expect(answer[7]).toBe(Math.floor((512 - 22) / 16));
  });
});
