import { randomName } from '../containers/names.ts';
import type { ContainerRecords } from '../containers/records.ts';
import type { WctrError } from '../errors.ts';

/** Throws 'conflict' for a wanted name that is taken. */
export async function claimName(
  containers: Pick<ContainerRecords, 'claimName'>,
  wanted: string | undefined,
  id: string,
): Promise<string> {
  if (wanted !== undefined) {
    await containers.claimName(wanted, id);
    return wanted;
  }
  for (let attempt = 0; ; attempt++) {
    const name = attempt < 5 ? randomName(Math.random) : `${randomName(Math.random)}_${id.slice(0, 6)}`;
    try {
      await containers.claimName(name, id);
      return name;
    } catch (error) {
      if (attempt > 5 || (error as WctrError).code !== 'conflict') throw error;
    }
  }
}

/** 64 hex digits that do not read as a number in their first 12, as docker takes care of too. */
export function newId(randomBytes: (length: number) => Uint8Array): string {
  for (;;) {
    const id = [...randomBytes(32)].map((byte) => byte.toString(16).padStart(2, '0')).join('');
    if (/[a-f]/.test(id.slice(0, 12))) return id;
  }
}
