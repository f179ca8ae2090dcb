/**
 * Locks over processes that share a store directory: Lamport's bakery, with files for the shared variables.
 *
 * A contender for a lock writes `<lock>@c.<owner>` (it is choosing), looks at the tickets there are for that lock, writes
 * `<lock>@t.<ticket>.<x|s>.<owner>` one higher than all of them, and removes the first file. It then waits until nobody
 * is choosing, and until every lower ticket that conflicts with its own is gone. Every file belongs to one owner for ever,
 * so taking the place of a dead owner is removing its file: no two processes can race over that, which a single lock
 * file with a takeover cannot promise. Tickets are served in order; a process with several waiters takes one at a time.
 *
 * `<owner>` is `<pid>-<process start>-<pid namespace>-<number>`. A process of the same namespace is dead when /proc has
 * no such pid or it started at another time. One of a foreign namespace or host cannot be asked; its files count as
 * dead when they have not been touched for 30 s, so every holder touches its own every 8 s.
 *
 * All locks share one directory, because making and removing one per lock took four fifths of the time here. The calls are
 * synchronous, a handful on tiny files; only waiting is not.
 */
import { closeSync, openSync, readdirSync, readFileSync, readlinkSync, rmSync, statSync, utimesSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
// Deno's global setInterval gives a number, which has no unref
import { clearInterval, clearTimeout, setInterval, setTimeout } from 'node:timers';
import { WctrError } from '../../errors.ts';
import { cancelled, MemoryLocks } from '../memory-locks.ts';
import type { Lock, Locks } from '../ports.ts';
import { builtin } from './builtin.ts';
import { processStart } from './engine-host.ts';
import { makeDirectories } from './make-directories.ts';

const TOUCH_MS = 8_000;
const FOREIGN_STALE_MS = 30_000;
const POLL_MIN_MS = 2;
const POLL_MAX_MS = 40;
const TICKET = /^t\.(\d{12})\.([xs])\.(.+)$/;

interface Ticket {
  readonly file: string;
  readonly number: string;
  readonly shared: boolean;
  readonly owner: string;
}

export class FileLocks implements Locks {
  readonly #root: string;
  /** Waiters of this process queue here first, so that only one of them polls the disk. */
  readonly #local = new MemoryLocks();
  readonly #held = new Set<string>();
  #touching: NodeJS.Timeout | undefined;

  /** @param root directory for lock files, made when first needed. */
  constructor(root: string) {
    this.#root = root;
  }

  /** Throws `cancelled`, `store-read-only` or `no-space`. */
  async acquire(name: string, options: { shared?: boolean; signal?: AbortSignal } = {}): Promise<Lock> {
    const local = await this.#local.acquire(name, options);
    try {
      // encodeURIComponent leaves no @, so no lock's name is the start of another's
      const path = join(this.#root, `${encodeURIComponent(name)}@`);
      const ticket = this.#takeTicket(path, options.shared ?? false);
      try {
        await waitForTurn(path, name, ticket, options.signal);
      } catch (error) {
        this.#drop(path, ticket);
        throw error;
      }
      return {
        release: async () => {
          this.#drop(path, ticket);
          await local.release();
        },
      };
    } catch (error) {
      await local.release();
      throw asLockError(error, this.#root);
    }
  }

  async sweep(): Promise<void> {
    const files = ignoring(() => readdirSync(this.#root)) ?? [];
    for (const file of files) {
      const [, lock, rest = ''] = /^([^@]+@)(.+)$/.exec(file) ?? [];
      const owner = rest.startsWith('c.') ? rest.slice(2) : TICKET.exec(rest)?.[3];
      if (lock !== undefined && owner !== undefined) isAlive(join(this.#root, lock), rest, owner);
    }
  }

  #takeTicket(path: string, shared: boolean): Ticket {
    const owner = `${ownProcess().owner}-${nextNumber()}`;
    const choosing = `${path}c.${owner}`;
    createFile(this.#root, choosing);
    try {
      const tickets = filesOf(path).flatMap(parseTicket);
      const highest = tickets.reduce((max, ticket) => Math.max(max, Number(ticket.number)), 0);
      const number = String(highest + 1).padStart(12, '0');
      const file = `t.${number}.${shared ? 's' : 'x'}.${owner}`;
      createFile(this.#root, path + file);
      this.#hold(path + file);
      return { file, number, shared, owner };
    } finally {
      rmSync(choosing, { force: true });
    }
  }

  #hold(file: string): void {
    this.#held.add(file);
    this.#touching ??= setInterval(() => {
      const now = new Date();
      for (const held of this.#held) ignoring(() => utimesSync(held, now, now));
    }, TOUCH_MS).unref();
  }

  #drop(path: string, ticket: Ticket): void {
    const file = path + ticket.file;
    this.#held.delete(file);
    if (this.#held.size === 0) {
      clearInterval(this.#touching);
      this.#touching = undefined;
    }
    ignoring(() => rmSync(file, { force: true }));
  }
}

async function waitForTurn(path: string, name: string, own: Ticket, signal: AbortSignal | undefined): Promise<void> {
  for (let pause = POLL_MIN_MS; ; pause = Math.min(pause * 2, POLL_MAX_MS)) {
    if (signal?.aborted) throw cancelled(name, signal);
    if (!isAnyoneChoosing(path) && !isAnyoneBefore(path, own)) return;
    await pauseFor(pause, signal);
  }
}

function isAnyoneChoosing(path: string): boolean {
  for (const file of filesOf(path)) {
    if (file.startsWith('c.') && isAlive(path, file, file.slice(2))) return true;
  }
  return false;
}

/** A listing of its own: a ticket written before the previous listing ended is certain to be in this one. */
function isAnyoneBefore(path: string, own: Ticket): boolean {
  for (const ticket of filesOf(path).flatMap(parseTicket)) {
    const isBefore = ticket.number < own.number || (ticket.number === own.number && ticket.owner < own.owner);
    if (!isBefore || (ticket.shared && own.shared)) continue;
    if (isAlive(path, ticket.file, ticket.owner)) return true;
  }
  return false;
}

/** What comes after the lock's name in the names of its files. */
function filesOf(path: string): string[] {
  const prefix = basename(path);
  return readdirSync(dirname(path)).flatMap((file) => (file.startsWith(prefix) ? [file.slice(prefix.length)] : []));
}

function parseTicket(file: string): Ticket[] {
  const [, number, mode, owner] = TICKET.exec(file) ?? [];
  return number === undefined || owner === undefined ? [] : [{ file, number, shared: mode === 's', owner }];
}

/** Removes the file of a dead owner. */
function isAlive(path: string, file: string, owner: string): boolean {
  const [pid = '', start = '', namespace = ''] = owner.split('-');
  if (namespace === ownProcess().namespace) {
    if (Number(pid) === process.pid ? start === ownProcess().start : isRunning(Number(pid), start)) return true;
  } else {
    const touched = statSync(path + file, { throwIfNoEntry: false });
    if (touched === undefined) return false;
    if (Date.now() - touched.mtimeMs < FOREIGN_STALE_MS) return true;
  }
  ignoring(() => rmSync(path + file, { force: true }));
  return false;
}

function isRunning(pid: number, start: string): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') return false;
  }
  const actual = processStart(pid);
  return actual === undefined || start === UNKNOWN_START || actual === start;
}

const UNKNOWN_START = '0';

/** Ends early when the signal is given. */
function pauseFor(ms: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal?.addEventListener('abort', done);
  });
}

/** Which processes a pid of ours can be compared with: those of this boot, this host, this pid namespace. */
function namespaceName(): string {
  try {
    const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').slice(0, 8);
    return `${boot}${readlinkSync('/proc/self/ns/pid').replace(/\D/g, '')}`;
  } catch {
    return encodeURIComponent(builtin.os.hostname()).replace(/[-.%]/g, '_');
  }
}

/** Read from /proc when the first lock is taken: many commands take none. */
let self: { readonly namespace: string; readonly start: string; readonly owner: string } | undefined;

function ownProcess(): NonNullable<typeof self> {
  if (self === undefined) {
    const namespace = namespaceName();
    const start = processStart(process.pid) ?? UNKNOWN_START;
    self = { namespace, start, owner: `${process.pid}-${start}-${namespace}` };
  }
  return self;
}

/** Worker threads share the pid; a random part keeps their owners apart. */
const REALM = Math.floor(Math.random() * 2 ** 32).toString(36);
let lastNumber = 0;

function nextNumber(): string {
  lastNumber += 1;
  return `${REALM}.${lastNumber}`;
}

function createFile(dir: string, path: string): void {
  for (let attempt = 0; ; attempt += 1) {
    try {
      closeSync(openSync(path, 'wx', 0o600));
      return;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT' || attempt > 10) throw error;
    }
    makeDirectories(dir, 0o700);
  }
}

/** Cleaning up must not fail what was done: a file that stays is one of a dead owner soon. */
function ignoring<T>(action: () => T): T | undefined {
  try {
    return action();
  } catch {
    return undefined;
  }
}

function asLockError(error: unknown, root: string): unknown {
  const { code } = error as NodeJS.ErrnoException;
  if (code === 'EROFS' || code === 'EACCES' || code === 'EPERM') {
    const why = code === 'EROFS' ? 'a read-only file system' : 'not writable by this user';
    return new WctrError('store-read-only', `cannot lock the store: ${root} is ${why}`, {
      hint: 'use another store with WCTR_DATA_ROOT, or make this one writable',
      cause: error,
    });
  }
  if (code === 'ENOSPC' || code === 'EDQUOT') {
    return new WctrError('no-space', `cannot lock the store: no space left in ${root}`, {
      hint: 'free some space, for example with wctr image prune, and try again',
      cause: error,
    });
  }
  if (code === 'ENOTDIR' || code === 'ENOENT') {
    const why = code === 'ENOTDIR' ? 'a file is in the way' : 'it cannot be made there';
    return new WctrError('invalid-argument', `cannot have a store at ${dirname(root)}: ${why}`, {
      hint: 'use another directory with WCTR_DATA_ROOT',
      cause: error,
    });
  }
  return error;
}
