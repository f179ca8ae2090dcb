/** Extended attributes: those of the image, read-only. They follow their inode through copy-up and rename. */
import { EIO, ENODATA, EOPNOTSUPP, ERANGE, TASK_IO, TASK_IO_BYTES } from '../../src/core/abi/kernel';
import { FROM_LOWER, hasFlag, I_NODE, ON_HOST } from './inode';
import { lowerNode, lowerXattrs, lowerXattrsEnd, N_XATTRS } from './lower';

const ENTRY_HEADER: u32 = 6;

/** Copies the value of `name` to TASK_IO: its length or -errno. `name` 0: the NUL-ended names of all. */
export function xattrRead(t: usize, inode: usize, name: usize, nameLength: u32): i32 {
  if (hasFlag(inode, ON_HOST)) return name == 0 ? 0 : -EOPNOTSUPP;
  const none = name == 0 ? 0 : -ENODATA;
  if (!hasFlag(inode, FROM_LOWER)) return none;
  const node = lowerNode(load<u32>(inode, I_NODE));
  if (node == 0) return -EIO;
  if (load<u32>(node, N_XATTRS) == 0) return none;
  const blob = lowerXattrs(node);
  if (blob == 0) return -EIO;
  const end = <u64>lowerXattrsEnd();
  const count: u32 = load<u16>(blob);
  let at = <u64>blob + 2;
  let out = t + TASK_IO;
  for (let i: u32 = 0; i < count; i++) {
    if (at + ENTRY_HEADER > end) return -EIO;
    const length: u32 = load<u16>(<usize>at);
    const valueLength = load<u32>(<usize>at + 2);
    const value = at + ENTRY_HEADER + length;
    if (value + valueLength > end) return -EIO;
    const own = <usize>at + ENTRY_HEADER;
    if (name == 0) {
      if (out + length + 1 > t + TASK_IO + TASK_IO_BYTES) return -ERANGE;
      memory.copy(out, own, length);
      store<u8>(out + length, 0);
      out += length + 1;
    } else if (length == nameLength && memory.compare(own, name, length) == 0) {
      if (valueLength > <u32>TASK_IO_BYTES) return -ERANGE;
      memory.copy(out, <usize>value, valueLength);
      return valueLength;
    }
    at = value + valueLength;
  }
  return name == 0 ? <i32>(out - t - TASK_IO) : none;
}
