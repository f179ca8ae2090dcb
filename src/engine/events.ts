/** `events`: reads and follows what EventLog writes. */
import type { FileHandle } from '../host/ports.ts';
import { isMissing } from '../images/store/disk-error.ts';
import type { EventMessage, Filters } from '../spec/engine-api.ts';
import type { EventOptions } from './engine.ts';
import { matchesLabels, readFilters } from './filters.ts';
import type { EngineParts } from './parts.ts';
import { parseTime, pause } from './timing.ts';

const POLL_MS = 50;
const CHUNK_BYTES = 64 * 1024;
const KEYS = [
  'container',
  'image',
  'volume',
  'network',
  'type',
  'event',
  'label',
  'daemon',
  'scope',
  'plugin',
] as const;

type LogParts = Pick<EngineParts, 'fs' | 'events'>;

/** Past ones from `since` on, then new ones until `until` or for ever, or until `signal` is given. */
export async function* events(parts: LogParts, options: EventOptions = {}): AsyncGenerator<EventMessage> {
  const matches = eventFilter(options.filters ?? {});
  const since = options.since === undefined || options.since === '' ? undefined : parseTime(options.since);
  const until = options.until === undefined || options.until === '' ? undefined : parseTime(options.until);
  const isWanted = (event: EventMessage) => {
    const ms = event.timeNano / 1e6;
    return (since === undefined || ms >= since) && (until === undefined || ms <= until) && matches(event);
  };
  const tail = new Tail(parts);
  try {
    if (since === undefined) await tail.skip();
    else for (const event of await readEvents(parts, parts.events.olderPath)) if (isWanted(event)) yield event;
    for (;;) {
      for (const event of await tail.read()) if (isWanted(event)) yield event;
      if (until !== undefined && Date.now() >= until) return;
      if (options.signal?.aborted === true) return;
      await pause(until === undefined ? POLL_MS : Math.min(POLL_MS, Math.max(1, until - Date.now())), options.signal);
    }
  } finally {
    await tail.close();
  }
}

/** All that are still on disk, oldest first. */
export async function pastEvents(parts: LogParts): Promise<EventMessage[]> {
  return [...(await readEvents(parts, parts.events.olderPath)), ...(await readEvents(parts, parts.events.path))];
}

async function readEvents({ fs }: LogParts, path: string): Promise<EventMessage[]> {
  try {
    return parseLines(new TextDecoder().decode(await fs.readFile(path)).split('\n'));
  } catch (error) {
    if (isMissing(error)) return [];
    throw error;
  }
}

/** A line that was cut off by a crash is no event. */
function parseLines(lines: readonly string[]): EventMessage[] {
  return lines.flatMap((line) => {
    if (line === '') return [];
    try {
      return [JSON.parse(line) as EventMessage];
    } catch {
      return [];
    }
  });
}

/**
 * Reads what was appended since the last time, across rotations. The file that is read stays open, so what it was given
 * last is read after it has become the older one, too; `ino` tells whether the name means another file now.
 */
class Tail {
  readonly #parts: LogParts;
  #file: FileHandle | undefined;
  #position = 0;
  #rest = new Uint8Array(0);

  constructor(parts: LogParts) {
    this.#parts = parts;
  }

  async skip(): Promise<void> {
    this.#file = await this.#open();
    if (this.#file !== undefined) this.#position = (await this.#file.stat()).size;
  }

  async read(): Promise<EventMessage[]> {
    this.#file ??= await this.#open();
    if (this.#file === undefined) return [];
    const replaced = await this.#isReplaced(this.#file);
    const found = await this.#toEnd(this.#file);
    if (!replaced) return found;
    await this.close();
    this.#position = 0;
    this.#rest = new Uint8Array(0);
    return [...found, ...(await this.read())];
  }

  async close(): Promise<void> {
    await this.#file?.close();
    this.#file = undefined;
  }

  #open(): Promise<FileHandle | undefined> {
    return this.#orMissing(this.#parts.fs.open(this.#parts.events.path, 'r'));
  }

  /** Asked before the file is read to its end: nobody appends to a file that has lost its name. */
  async #isReplaced(file: FileHandle): Promise<boolean> {
    const named = await this.#orMissing(this.#parts.fs.stat(this.#parts.events.path));
    if (named === undefined) return false;
    return named.ino !== (await file.stat()).ino || named.size < this.#position;
  }

  async #toEnd(file: FileHandle): Promise<EventMessage[]> {
    const found: EventMessage[] = [];
    for (;;) {
      const chunk = new Uint8Array(CHUNK_BYTES);
      const { bytesRead } = await file.read(chunk, 0, chunk.length, this.#position);
      if (bytesRead === 0) return found;
      this.#position += bytesRead;
      found.push(...this.#lines(chunk.subarray(0, bytesRead)));
    }
  }

  #lines(chunk: Uint8Array): EventMessage[] {
    const bytes = new Uint8Array(this.#rest.length + chunk.length);
    bytes.set(this.#rest);
    bytes.set(chunk, this.#rest.length);
    const end = bytes.lastIndexOf(0x0a) + 1;
    this.#rest = bytes.slice(end);
    return parseLines(new TextDecoder().decode(bytes.subarray(0, end)).split('\n'));
  }

  async #orMissing<T>(asked: Promise<T>): Promise<T | undefined> {
    try {
      return await asked;
    } catch (error) {
      if (isMissing(error)) return undefined;
      throw error;
    }
  }
}

/** Throws 'invalid-argument' for a key nobody knows. */
function eventFilter(given: Filters): (event: EventMessage) => boolean {
  const filters = readFilters(given, KEYS);
  return ({ Type, Action, Actor, scope }) => {
    const { ID, Attributes } = Actor;
    const names = (values: readonly string[] | undefined, type: EventMessage['Type']) =>
      values === undefined ||
      values.some((value) => {
        const isActor =
          Type === type && (ID === value || Attributes.name === value || (value !== '' && ID.startsWith(value)));
        const isOfIt = Type !== type && Attributes[type] === value;
        return isActor || isOfIt;
      });
    const image = filters.image;
    return (
      (filters.type === undefined || filters.type.includes(Type)) &&
      (filters.scope === undefined || filters.scope.includes(scope)) &&
      (filters.daemon === undefined || Type === 'daemon') &&
      filters.plugin === undefined &&
      // `exec_create: /app.wasm` is asked for as `exec_create`, `health_status: healthy` as either.
      (filters.event === undefined || filters.event.some((name) => Action === name || Action.startsWith(`${name}:`))) &&
      names(filters.container, 'container') &&
      names(filters.volume, 'volume') &&
      names(filters.network, 'network') &&
      (image === undefined || image.some((name) => isImage(name, Type === 'image' ? ID : undefined, Attributes))) &&
      matchesLabels(Attributes, filters)
    );
  };
}

function isImage(
  name: string,
  id: string | undefined,
  { image, name: own }: Readonly<Record<string, string>>,
): boolean {
  const called = id === undefined ? image : own;
  return id === name || called === name || called?.replace(/:[^:/]*$/, '') === name;
}
