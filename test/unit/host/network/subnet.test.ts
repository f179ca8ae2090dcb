import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatAddress, mapped, parseAddress, unmapped } from '../../../../src/host/network/address.ts';
import { PortTable } from '../../../../src/host/network/port-table.ts';
import {
  addressAt,
  formatSubnet,
  parseSubnet,
  subnetHolds,
  subnetsOverlap,
} from '../../../../src/host/network/subnet.ts';

const address = fc.oneof(
  fc.uint8Array({ minLength: 4, maxLength: 4 }),
  fc.uint8Array({ minLength: 16, maxLength: 16 }),
);

describe('addresses', () => {
  it('are the same after their text', () => {
    fc.assert(
      fc.property(address, (bytes) => {
        expect(parseAddress(formatAddress(bytes))).toEqual(bytes);
        expect(unmapped(mapped(bytes))).toEqual(unmapped(bytes));
      }),
    );
  });

  it.each(['', '1.2.3', '1.2.3.256', '01.2.3.4', '1:2', ':::', '1::2::3', '1:2:3:4:5:6:7:8:9', 'g::', '::1.2.3'])(
    'are not %j',
    (text) => {
      expect(parseAddress(text)).toBeUndefined();
    },
  );
});

describe('subnets', () => {
  it('hold their addresses and no others', () => {
    fc.assert(
      fc.property(address, fc.nat(), (bytes, seed) => {
        const bits = bytes.length * 8;
        const subnet = parseSubnet(`${formatAddress(bytes)}/${seed % (bits + 1)}`)!;
        expect(subnetHolds(subnet, bytes)).toBe(true);
        expect(parseSubnet(formatSubnet(subnet))).toEqual(subnet);
        expect(subnetHolds(subnet, parseAddress(addressAt(subnet, subnet.size - 1n))!)).toBe(true);
        if (subnet.base + subnet.size < 1n << BigInt(bits)) {
          expect(subnetHolds(subnet, parseAddress(addressAt(subnet, subnet.size))!)).toBe(false);
        }
        expect(subnetsOverlap(subnet, subnet)).toBe(true);
      }),
    );
    for (const text of ['1.2.3.4', '1.2.3.4/33', '::/129', '1.2.3.4/8/8', 'x/8', '1.2.3.4/']) {
      expect(parseSubnet(text)).toBeUndefined();
    }
  });
});

describe('ports', () => {
  const at = (text: string, port: number) => ({ address: parseAddress(text)!, port });

  it.each([
    ['0.0.0.0', '::', true],
    ['::', '0.0.0.0', true],
    ['0.0.0.0', '127.0.0.1', true],
    ['::', '127.0.0.1', true],
    ['0.0.0.0', '::1', false],
    ['::1', '0.0.0.0', false],
    ['127.0.0.1', '172.17.0.2', false],
    ['::1', 'fd00::2', false],
  ])('on %s and %s are in each other´s way: %s', (first, second, isTaken) => {
    const table = new PortTable<number>();
    table.claim(at(first, 80), 1);
    const claim = () => table.claim(at(second, 80), 2);
    if (isTaken) expect(claim).toThrow();
    else claim();
  });

  it('are found by the nearest', () => {
    const table = new PortTable<string>();
    table.claim(at('0.0.0.0', 80), 'any4');
    table.claim(at('::1', 80), 'own6');
    table.claim(at('::', 81), 'any');
    expect(table.find(at('172.17.0.2', 80))?.value).toBe('any4');
    expect(table.find(at('::1', 80))?.value).toBe('own6');
    expect(table.find(at('fd00::1', 80))).toBeUndefined();
    expect(table.find(at('172.17.0.2', 81))?.value).toBe('any');
    expect(table.find(at('fd00::1', 81))?.value).toBe('any');
  });
});
