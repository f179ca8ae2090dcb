/**
 * What happened, for `events`: one file of JSON lines, `<root>/events.jsonl`, appended to by whoever acts, engine or
 * container process. A line goes out in one write, so lines of several writers never mix.
 */
import type { FileSystem, Locks } from '../host/ports.ts';
import { openCreating } from '../images/store/durable.ts';
import type { EventMessage } from '../spec/engine-api.ts';
import type { ContainerRecord } from './record.ts';

/** When a file has this many bytes it becomes `events.1.jsonl`, and a new one begins. */
export const EVENT_FILE_BYTES = 4 * 1024 * 1024;

export interface EventLogOptions {
  readonly fs: FileSystem;
  readonly root: string;
  readonly locks: Locks;
}

export type NewEvent = Pick<EventMessage, 'Type' | 'Action' | 'Actor'>;

export class EventLog {
  readonly #options: EventLogOptions;
  #lastNano = 0;

  constructor(options: EventLogOptions) {
    this.#options = options;
  }

  get path(): string {
    return `${this.#options.root}/events.jsonl`;
  }

  get olderPath(): string {
    return `${this.#options.root}/events.1.jsonl`;
  }

  /** Never rejects: what has happened has happened, whether or not it could be written down. */
  async append(event: NewEvent): Promise<void> {
    const line = new TextEncoder().encode(`${JSON.stringify(this.#message(event))}\n`);
    try {
      const file = await openCreating(this.#options.fs, this.path, 'a');
      let size: number;
      try {
        await file.write(line, 0, line.length, null);
        size = (await file.stat()).size;
      } finally {
        await file.close();
      }
      if (size > EVENT_FILE_BYTES) await this.#rotate();
    } catch {
      // see above
    }
  }

  /** The event of a container: `Attributes` are its labels, image and name, as docker has them. */
  container(record: ContainerRecord, action: string, attributes: Readonly<Record<string, string>> = {}): Promise<void> {
    return this.append({
      Type: 'container',
      Action: action,
      Actor: {
        ID: record.key,
        Attributes: { ...record.config.Labels, image: record.image, name: record.name, ...attributes },
      },
    });
  }

  #message({ Type, Action, Actor }: NewEvent): EventMessage {
    const ms = Date.now();
    // Two events of one process never have the same time.
    this.#lastNano = Math.max(ms * 1e6, this.#lastNano + 1000);
    const old = Type === 'container' || Type === 'image' ? { status: Action, id: Actor.ID } : {};
    const from = Type === 'container' ? Actor.Attributes.image : undefined;
    return {
      ...old,
      ...(from === undefined ? {} : { from }),
      Type,
      Action,
      Actor,
      scope: 'local',
      time: Math.floor(ms / 1000),
      timeNano: this.#lastNano,
    };
  }

  async #rotate(): Promise<void> {
    const { fs, locks } = this.#options;
    const lock = await locks.acquire('events');
    try {
      // Somebody else may have done it meanwhile.
      if ((await fs.stat(this.path)).size > EVENT_FILE_BYTES) await fs.rename(this.path, this.olderPath);
    } finally {
      await lock.release();
    }
  }
}
