/** docker's PathStat of a file of a container. */
import * as abi from '../../core/abi/kernel.ts';
import type { PathStat } from '../../spec/engine-api.ts';
import { baseName, fromText, toText } from './names.ts';
import type { FileStat, FileTask } from './task.ts';

/** Go's fs.FileMode bits, by S_IFMT type. */
const GO_TYPES: Readonly<Record<number, number>> = {
  [abi.S_IFDIR]: 2 ** 31,
  [abi.S_IFLNK]: 2 ** 27,
  [abi.S_IFBLK]: 2 ** 26,
  [abi.S_IFCHR]: 2 ** 26 + 2 ** 21,
  [abi.S_IFIFO]: 2 ** 25,
  [abi.S_IFSOCK]: 2 ** 24,
};
const GO_SETUID = 2 ** 23;
const GO_SETGID = 2 ** 22;
const GO_STICKY = 2 ** 20;
const MAX_LINKS = 40;

/** `path` absolute and clean. */
export function pathStat(task: FileTask, path: string, stat: FileStat): PathStat {
  const isLink = (stat.mode & abi.S_IFMT) === abi.S_IFLNK;
  return {
    name: baseName(path),
    size: stat.size,
    mode: goMode(stat.mode),
    mtime: goTime(stat.mtimeNs),
    linkTarget: isLink ? resolved(task, path) : '',
  };
}

export function goMode(mode: number): number {
  return (
    (mode & 0o777) +
    (GO_TYPES[mode & abi.S_IFMT] ?? 0) +
    ((mode & 0o4000) !== 0 ? GO_SETUID : 0) +
    ((mode & 0o2000) !== 0 ? GO_SETGID : 0) +
    ((mode & 0o1000) !== 0 ? GO_STICKY : 0)
  );
}

/** RFC 3339 with as many digits of the second as there are. */
function goTime(ns: bigint): string {
  const seconds = ns / 1_000_000_000n - (ns % 1_000_000_000n < 0n ? 1n : 0n);
  const fraction = `${ns - seconds * 1_000_000_000n}`.padStart(9, '0').replace(/0+$/, '');
  const whole = new Date(Number(seconds) * 1000).toISOString().slice(0, 19);
  return `${whole}${fraction === '' ? '' : `.${fraction}`}Z`;
}

/** Where a path leads in the end, as far as it is there. For people: nothing is opened by it. */
function resolved(task: FileTask, path: string): string {
  const todo = path.split('/').filter((part) => part !== '' && part !== '.');
  const done: string[] = [];
  for (let links = 0; todo.length > 0; ) {
    const part = todo.shift()!;
    if (part === '.' || part === '') continue;
    if (part === '..') {
      done.pop();
      continue;
    }
    const at = `/${[...done, part].join('/')}`;
    const stat = task.find(abi.AT_FDCWD, fromText(at));
    const isLink = stat !== undefined && (stat.mode & abi.S_IFMT) === abi.S_IFLNK;
    if (!isLink || ++links > MAX_LINKS) {
      done.push(part);
      continue;
    }
    const target = toText(task.readlink(abi.AT_FDCWD, fromText(at)));
    if (target.startsWith('/')) done.length = 0;
    todo.unshift(...target.split('/'));
  }
  return `/${done.join('/')}`;
}
