/** The files a client says it has: checked as they are named, by a client that may be hostile. */
import { parentOf, type TreeEntry } from '../../../build/tree/file-tree.ts';
import { WctrError } from '../../../errors.ts';
import { quote } from '../../../images/quote.ts';
import type { Of } from '../proto/codec.ts';
import {
  GO_MODE_DIR,
  GO_MODE_SETGID,
  GO_MODE_SETUID,
  GO_MODE_STICKY,
  GO_MODE_SYMLINK,
  GO_MODE_TYPE,
  type STAT,
} from '../proto/session.ts';

const MAX_ENTRIES = 1_000_000;
const MAX_PATH_CHARS = 4_096;
const MAX_NAMES_CHARS = 128 << 20;
/** A part that is empty, `.` or `..`, or a NUL. */
const UNCLEAN = /(?:^|\/)(?:\.{0,2})(?:\/|$)|\0/;
/** More than any disk holds, and sums of many still are whole numbers. */
const MAX_FILE_BYTES = 2 ** 43;

export interface ReceivedFile {
  readonly kind: TreeEntry['kind'];
  readonly path: string;
  /** What the client calls it: its place in the order it was named in. */
  readonly id: number;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly size: number;
  /** Nanoseconds since 1970; as near as a number comes. */
  readonly modTime: number;
  readonly target: string;
  /** Of a directory. */
  readonly children: string[] | undefined;
}

export class ReceivedFiles {
  readonly #what: string;
  readonly #maxEntries: number;
  readonly #files = new Map<string, ReceivedFile>();
  readonly #byId: (ReceivedFile | undefined)[] = [];
  #chars = 0;

  constructor(what: string, maxEntries = MAX_ENTRIES) {
    this.#what = what;
    this.#maxEntries = maxEntries;
    this.#files.set('', {
      kind: 'directory',
      path: '',
      id: -1,
      mode: 0o755,
      uid: 0,
      gid: 0,
      size: 0,
      modTime: 0,
      target: '',
      children: [],
    });
  }

  get(path: string): ReceivedFile | undefined {
    return this.#files.get(path);
  }

  /** Those that follow in the order they were named in. */
  *after(id: number): Generator<ReceivedFile> {
    for (let at = id + 1; at < this.#byId.length; at += 1) {
      const file = this.#byId[at];
      if (file !== undefined) yield file;
    }
  }

  /** Throws `invalid-argument` for a path that is none of a file inside, `limit-exceeded` for too many of them. */
  add(stat: Partial<Of<typeof STAT>>): void {
    const { path = '', mode = 0, uid = 0, gid = 0, size = 0, modTime = 0, linkname = '' } = stat;
    const id = this.#byId.length;
    this.#chars += path.length + linkname.length;
    if (id >= this.#maxEntries || this.#chars > MAX_NAMES_CHARS) {
      throw new WctrError('limit-exceeded', `${this.#what} has more than ${this.#maxEntries} entries`, {
        hint: 'leave what is not needed out by .dockerignore',
      });
    }
    const siblings = this.#checkedParent(path);
    const permissions = permissionsOf(mode);
    const file = (kind: TreeEntry['kind'], bytes: number, target: string, children?: string[]): ReceivedFile => {
      return { kind, path, id, mode: permissions, uid, gid, size: bytes, modTime, target, children };
    };
    if ((mode & GO_MODE_DIR) !== 0) this.#put(file('directory', 0, '', []), siblings);
    else if ((mode & GO_MODE_SYMLINK) !== 0) {
      if (linkname === '' || linkname.length > MAX_PATH_CHARS || linkname.includes('\0')) throw this.#bad(path);
      this.#put({ ...file('symlink', 0, linkname), mode: 0o777 }, siblings);
    } else if ((mode & GO_MODE_TYPE) !== 0) {
      // Devices, sockets and pipes have no place in an image.
      this.#byId.push(undefined);
    } else if (linkname !== '') {
      // Another name of a file that was named before.
      const first = this.#files.get(linkname);
      if (first?.kind !== 'file') throw this.#bad(path);
      this.#byId.push(undefined);
      this.#files.set(path, first);
      siblings.push(path);
    } else {
      if (!Number.isSafeInteger(size) || size < 0 || size > MAX_FILE_BYTES) throw this.#bad(path);
      this.#put(file('file', size, ''), siblings);
    }
  }

  #put(file: ReceivedFile, siblings: string[]): void {
    this.#byId.push(file);
    this.#files.set(file.path, file);
    siblings.push(file.path);
  }

  #checkedParent(path: string): string[] {
    const isClean = path !== '' && path.length <= MAX_PATH_CHARS && !UNCLEAN.test(path);
    const parent = isClean && !this.#files.has(path) ? this.#files.get(parentOf(path)) : undefined;
    if (parent?.children === undefined) throw this.#bad(path);
    return parent.children;
  }

  #bad(path: string): WctrError {
    const name = quote(path.slice(0, 200));
    return new WctrError('invalid-argument', `the client named a file that cannot be in ${this.#what}: ${name}`);
  }
}

function permissionsOf(mode: number): number {
  return (
    (mode & 0o777) |
    ((mode & GO_MODE_SETUID) === 0 ? 0 : 0o4000) |
    ((mode & GO_MODE_SETGID) === 0 ? 0 : 0o2000) |
    ((mode & GO_MODE_STICKY) === 0 ? 0 : 0o1000)
  );
}
