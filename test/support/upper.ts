/** Guests whose writable layer is kept: a journal in memory, boots over it, a tree with all that must come back. */
import * as abi from '../../src/core/abi/kernel.ts';
import { Kernel, type KernelConfig } from '../../src/core/kernel.ts';
import { type JournalFile, type JournalStore, type Replayed, UpperJournal } from '../../src/core/upper.ts';
import { Guest, kernelModule, testHost } from './guest.ts';

export class MemoryJournal implements JournalStore {
  bytes: Uint8Array;
  exists: boolean;
  next: MemoryFile | undefined;
  /** Throws instead of writing. */
  failing = false;

  constructor(bytes?: Uint8Array) {
    this.exists = bytes !== undefined;
    this.bytes = bytes ?? new Uint8Array();
  }

  open(create: boolean): JournalFile | undefined {
    if (!this.exists && !create) return undefined;
    this.exists = true;
    return new MemoryFile(this);
  }

  createNext(): JournalFile {
    this.next = new MemoryFile({ bytes: new Uint8Array(), failing: this.failing });
    return this.next;
  }

  commitNext(): void {
    this.bytes = this.next!.holder.bytes;
    this.next!.holder = this;
    this.next = undefined;
  }
}

class MemoryFile implements JournalFile {
  holder: { bytes: Uint8Array; failing: boolean };

  constructor(holder: { bytes: Uint8Array; failing: boolean }) {
    this.holder = holder;
  }

  get size(): number {
    return this.holder.bytes.length;
  }

  read(position: number, target: Uint8Array): number {
    const part = this.holder.bytes.subarray(position, position + target.length);
    target.set(part);
    return part.length;
  }

  write(position: number, source: Uint8Array): void {
    if (this.holder.failing) throw Object.assign(new Error('full'), { code: 'ENOSPC' });
    const size = Math.max(this.size, position + source.length);
    const grown = new Uint8Array(size);
    grown.set(this.holder.bytes);
    grown.set(source, position);
    this.holder.bytes = grown;
  }

  sync(): void {}

  truncate(size: number): void {
    this.holder.bytes = this.holder.bytes.slice(0, size);
  }

  close(): void {}
}

export interface KeptGuest {
  readonly guest: Guest;
  readonly journal: UpperJournal;
  readonly replayed: Replayed;
}

/** Boots over a journal; `setup` runs before the baseline. */
export async function bootKept(
  store: JournalStore,
  config: KernelConfig,
  layers: readonly Uint8Array[],
  setup?: (guest: Guest) => void,
): Promise<KeptGuest> {
  const flags = (config.flags ?? 0) | abi.CONFIG_JOURNAL;
  const module = await kernelModule((flags & abi.CONFIG_SHARED) !== 0);
  let kernel: Kernel | undefined;
  const journal = new UpperJournal(store, () => kernel!);
  kernel = Kernel.boot(module, { ...testHost(layers), journalWrite: journal.write }, { ...config, flags });
  const replayed = journal.replay();
  if (setup !== undefined) {
    const first = Guest.create(kernel, layers);
    setup(first);
    first.call('process_exit', 0);
  }
  kernel.calls.upper_baseline!();
  return { guest: Guest.create(kernel, layers), journal, replayed };
}

/** Everything the guest can see, numbers and times included; directories' own times, too. */
export function treeOf(guest: Guest, path = ''): Record<string, unknown> {
  const names = guest.list(path === '' ? '/' : path) as string[];
  return Object.fromEntries(
    names.map((name) => {
      const at = `${path}/${name}`;
      const stat = guest.lstat(at);
      if (typeof stat === 'number') return [name, stat];
      const { dev: _, blocks: __, ...plain } = stat;
      const kind = stat.mode & abi.S_IFMT;
      if (kind === abi.S_IFDIR) return [name, { ...plain, entries: treeOf(guest, at) }];
      if (kind === abi.S_IFLNK) return [name, { ...plain, target: guest.readlink(at) }];
      return [name, kind === abi.S_IFREG ? { ...plain, data: contentsOf(guest, at) } : plain];
    }),
  );
}

export function contentsOf(guest: Guest, path: string): string | number {
  const fd = guest.open(path);
  if (fd < 0) return fd;
  const parts: Uint8Array[] = [];
  for (;;) {
    const part = guest.read(fd, 60_000);
    if (typeof part === 'number' || part.length === 0) {
      guest.close(fd);
      return typeof part === 'number' ? part : Buffer.concat(parts).toString('latin1');
    }
    parts.push(part);
  }
}
