/** Replay's view of inodes: by number. Made ones are in a table that lives until the guests start. */
import { I_MOUNT, I_NUMBER, I_NUMBER_NEXT, inodeFromLower } from './inode';
import { lowerNode } from './lower';
import { isError } from './overlay';
import { kfree, kmalloc, S_NUMBERS, S_NUMBERS_COUNT, S_NUMBERS_MASK, S_ROOT, superblock } from './superblock';

/** Numbers of the image's inodes are below this: node + 2. */
export const FIRST_MADE: u64 = 1 << 32;
const FIRST_BUCKETS: u32 = 256;

/** The inode with this number, one of the image's read from the index if need be; 0: there is none. */
export function inodeByNumber(number: u64): usize {
  const s = superblock();
  const root: usize = load<u32>(s, S_ROOT);
  if (load<u64>(root, I_NUMBER) == number) return root;
  if (number < FIRST_MADE) {
    if (number < 2 || lowerNode(<u32>number - 2) == 0) return 0;
    const inode = inodeFromLower(load<u32>(root, I_MOUNT), <u32>number - 2, 0);
    return isError(inode) ? 0 : inode;
  }
  const table: usize = load<u32>(s, S_NUMBERS);
  if (table == 0) return 0;
  let inode: usize = load<u32>(table + ((<u32>number & load<u32>(s, S_NUMBERS_MASK)) << 2));
  while (inode != 0 && load<u64>(inode, I_NUMBER) != number) inode = load<u32>(inode, I_NUMBER_NEXT);
  return inode;
}

/** Enters a made inode that has its number. False: out of memory. */
export function numberEnter(inode: usize): bool {
  const s = superblock();
  const count = load<u32>(s, S_NUMBERS_COUNT) + 1;
  if ((load<u32>(s, S_NUMBERS) == 0 || count > load<u32>(s, S_NUMBERS_MASK)) && !grow()) return false;
  store<u32>(s, count, S_NUMBERS_COUNT);
  link(load<u32>(s, S_NUMBERS), load<u32>(s, S_NUMBERS_MASK), inode);
  return true;
}

/** Takes an inode out that is about to be freed. */
export function numberRemove(inode: usize): void {
  const s = superblock();
  const number = load<u64>(inode, I_NUMBER);
  if (number < FIRST_MADE || load<u32>(s, S_NUMBERS) == 0) return;
  let at: usize = load<u32>(s, S_NUMBERS) + ((<u32>number & load<u32>(s, S_NUMBERS_MASK)) << 2);
  while (load<u32>(at) != 0 && load<u32>(at) != inode) at = load<u32>(at) + I_NUMBER_NEXT;
  if (load<u32>(at) == 0) return;
  store<u32>(at, load<u32>(inode, I_NUMBER_NEXT));
  store<u32>(s, load<u32>(s, S_NUMBERS_COUNT) - 1, S_NUMBERS_COUNT);
}

export function numbersFree(): void {
  const s = superblock();
  if (load<u32>(s, S_NUMBERS) != 0) kfree(load<u32>(s, S_NUMBERS), (load<u32>(s, S_NUMBERS_MASK) + 1) << 2);
  store<u32>(s, 0, S_NUMBERS);
  store<u32>(s, 0, S_NUMBERS_COUNT);
}

function link(table: usize, mask: u32, inode: usize): void {
  const bucket = table + ((<u32>load<u64>(inode, I_NUMBER) & mask) << 2);
  store<u32>(inode, load<u32>(bucket), I_NUMBER_NEXT);
  store<u32>(bucket, inode);
}

function grow(): bool {
  const s = superblock();
  const old: usize = load<u32>(s, S_NUMBERS);
  const count: u32 = old == 0 ? 0 : load<u32>(s, S_NUMBERS_MASK) + 1;
  const wider: u32 = count == 0 ? FIRST_BUCKETS : count << 1;
  const table = kmalloc(wider << 2);
  if (table == 0) return false;
  memory.fill(table, 0, wider << 2);
  for (let i: u32 = 0; i < count; i++) {
    let inode: usize = load<u32>(old + (i << 2));
    while (inode != 0) {
      const next: usize = load<u32>(inode, I_NUMBER_NEXT);
      link(table, wider - 1, inode);
      inode = next;
    }
  }
  if (count != 0) kfree(old, count << 2);
  store<u32>(s, table, S_NUMBERS);
  store<u32>(s, wider - 1, S_NUMBERS_MASK);
  return true;
}
