/** Names of users and groups, from /etc/passwd and /etc/group of the container. */
import { openFile, READ } from '../wasi/files';
import { parseDecimal, wasNumber } from './number';
import { FdReader } from './reader';

/** The fields of the first line whose field `key` is `value`; null where there is none. */
function entry(file: string, key: i32, value: string): Array<string> | null {
  const fd = openFile(file, READ);
  if (fd < 0) return null;
  const reader = new FdReader(fd);
  let found: Array<string> | null = null;
  for (let line = reader.line(); line != null; line = reader.line()) {
    const fields = line.split(':');
    if (fields.length > key && fields[key] == value) {
      found = fields;
      break;
    }
  }
  reader.close();
  return found;
}

/** Empty where the number has no name. */
export function userName(uid: u32): string {
  const fields = entry('/etc/passwd', 2, uid.toString());
  return fields == null ? '' : fields[0];
}

export function groupName(gid: u32): string {
  const fields = entry('/etc/group', 2, gid.toString());
  return fields == null ? '' : fields[0];
}

/** A name, or a number; -1 where there is no such user. */
export function userId(name: string): i64 {
  const fields = entry('/etc/passwd', 0, name);
  if (fields != null && fields.length > 3) return parseDecimal(fields[2]);
  return numeric(name);
}

/** The group of a user's line; -1 where there is none. */
export function loginGroup(name: string): i64 {
  const fields = entry('/etc/passwd', 0, name);
  return fields != null && fields.length > 3 ? parseDecimal(fields[3]) : -1;
}

export function groupId(name: string): i64 {
  const fields = entry('/etc/group', 0, name);
  if (fields != null && fields.length > 2) return parseDecimal(fields[2]);
  return numeric(name);
}

function numeric(text: string): i64 {
  const value = parseDecimal(text.startsWith('+') ? text.substring(1) : text);
  return wasNumber() && value >= 0 && value < 0xffffffff ? value : -1;
}

/** The groups a user is in besides its own. */
export function supplementaryGroups(name: string): Array<u32> {
  const gids: u32[] = [];
  const fd = openFile('/etc/group', READ);
  if (fd < 0) return gids;
  const reader = new FdReader(fd);
  for (let line = reader.line(); line != null; line = reader.line()) {
    const fields = line.split(':');
    if (fields.length > 3 && fields[3].split(',').includes(name)) gids.push(<u32>parseDecimal(fields[2]));
  }
  reader.close();
  return gids;
}
