/**
 * What a RUN has outside of its process: a socket, a place on the default network, and a note of both
 * (`<root>/build/runs/<id>`), so that they are given back also where their builder was killed.
 */
import type { ContainerRecord } from '../containers/record.ts';
import { RecordFiles } from '../images/store/records.ts';
import type { ContainerContext, PlannedNetworks } from './container-context.ts';
import { now } from './container-state.ts';
import { removeSockets } from './container-sweep.ts';
import type { EngineParts } from './parts.ts';

interface RunNote {
  readonly key: string;
  /** The builder, and when it started as the system tells it. */
  readonly pid: number;
  readonly pidStartedAt?: string;
  readonly networks: ContainerRecord['networks'];
}

export interface RunPlace extends Pick<PlannedNetworks, 'plan' | 'names'> {
  readonly id: string;
  readonly socket: string;
  readonly networks: ContainerRecord['networks'];
}

export interface RunPlaceRequest {
  readonly id: string;
  readonly hostname: string;
  readonly network: 'default' | 'none';
  readonly extraHosts: readonly string[];
}

export class RunPlaces {
  readonly #context: ContainerContext;
  readonly #notes: RecordFiles<RunNote>;

  constructor(context: ContainerContext) {
    this.#context = context;
    this.#notes = openNotes(context.parts);
  }

  async take(request: RunPlaceRequest): Promise<RunPlace> {
    const { id } = request;
    const { host } = this.#context.parts;
    const pid = host.pid ?? 0;
    const startedAt = host.processStart?.(pid);
    const note: RunNote = {
      key: id,
      pid,
      ...(startedAt === undefined ? {} : { pidStartedAt: startedAt }),
      networks: {},
    };
    // Before it has an address: one that no container has is given to the next.
    await this.#notes.put(note, { durable: false });
    try {
      const { plan, networks, names } = await this.#context.networks.plan(standIn(request));
      await this.#notes.put({ ...note, networks }, { durable: false });
      return { id, socket: this.#socket(id), plan, networks, names };
    } catch (error) {
      await this.#notes.delete(id, { durable: false });
      throw error;
    }
  }

  /** Its process is gone. Never rejects: what stays is swept later. */
  async give({ id, networks }: Pick<RunPlace, 'id' | 'networks'>): Promise<void> {
    const { fs } = this.#context.parts;
    const record = { ...standIn({ id, hostname: '', network: 'none', extraHosts: [] }), networks };
    await fs.rm(this.#socket(id), { force: true }).catch(() => {});
    await removeSockets(this.#context, record);
    await this.#context.networks.release(record).catch(() => {});
    await this.#notes.delete(id, { durable: false }).catch(() => {});
  }

  /** What killed builders left. Their RUNs have ended by themselves. Never rejects. */
  async sweep(): Promise<void> {
    const { host } = this.#context.parts;
    const notes = await this.#notes.list(() => {}, { verify: false }).catch(() => []);
    for (const { key: id, pid, pidStartedAt, networks } of notes) {
      if (!host.isAlive(pid, pidStartedAt)) await this.give({ id, networks });
    }
  }

  /** Another name than a container's, which would be swept: it has no record. */
  #socket(id: string): string {
    return `${this.#context.host.runDirectory()}/b${id.slice(0, 24)}.sock`;
  }
}

function openNotes({ fs, layout, createHasher }: EngineParts): RecordFiles<RunNote> {
  return new RecordFiles({
    fs,
    dir: `${layout.root}/build/runs`,
    tempDir: layout.tmp,
    createHasher,
    what: 'note of a RUN',
  });
}

/** Whether a RUN has this id, so that its address is not given to another. */
export async function isBuildRun(parts: EngineParts, id: string): Promise<boolean> {
  return (
    (await openNotes(parts)
      .get(id)
      .catch(() => undefined)) !== undefined
  );
}

/** As much of a container as its networks are planned by. */
function standIn({ id, hostname, network, extraHosts }: RunPlaceRequest): ContainerRecord {
  return {
    key: id,
    name: id.slice(0, 12),
    createdAt: now(),
    image: '',
    imageId: '',
    platform: '',
    diffIds: [],
    config: {
      Hostname: hostname,
      Domainname: '',
      User: '',
      AttachStdin: false,
      AttachStdout: false,
      AttachStderr: false,
      Tty: false,
      OpenStdin: false,
      StdinOnce: false,
      Env: [],
      Cmd: null,
      Image: '',
      Volumes: null,
      WorkingDir: '',
      Entrypoint: null,
      OnBuild: null,
      Labels: {},
    },
    hostConfig: { NetworkMode: network === 'none' ? 'none' : 'bridge', ExtraHosts: extraHosts },
    args: [],
    unknownImports: 'deny',
    deterministic: false,
    mounts: [],
    networks: {},
    ports: {},
    isolation: 'process',
    managed: true,
    restartCount: 0,
    stoppedByUser: false,
    state: { status: 'created' },
  };
}
