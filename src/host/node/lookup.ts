import { lookup } from 'node:dns/promises';

/** Every address of a host name. In a file of its own, since only pulls ask. */
export async function addressesOf(name: string): Promise<string[]> {
  return (await lookup(name, { all: true })).map(({ address }) => address);
}
