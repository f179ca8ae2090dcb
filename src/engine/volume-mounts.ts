/** Mounts of containers: what a request asks for becomes MountPoints at creation, and the sandbox's mounts at each start. */
import type { ContainerRecord } from '../containers/record.ts';
import { type MountRequest, readMounts, readVolumesFrom } from '../containers/volumes/mount-requests.ts';
import { ANONYMOUS_LABEL } from '../containers/volumes/volume-name.ts';
import type { VolumeStore } from '../containers/volumes/volume-store.ts';
import { WctrError } from '../errors.ts';
import type { SandboxMount, SandboxSpec } from '../host/sandbox.ts';
import type { ContainerCreateRequest, HostConfig, MountPoint } from '../spec/engine-api.ts';
import type { EngineParts } from './parts.ts';
import type { ProgramFiles } from './program.ts';

type Parts = Pick<EngineParts, 'host' | 'containers'>;

export class LocalMounts {
  readonly #parts: Parts;
  readonly #volumes: VolumeStore;

  constructor(parts: Parts, volumes: VolumeStore) {
    this.#parts = parts;
    this.#volumes = volumes;
  }

  /**
   * Makes the volumes that are missing, anonymous ones with a name of 64 hex digits. `request` is part of the record by
   * now. Throws 'invalid-argument', 'no-such-container' (VolumesFrom), 'unsupported'.
   */
  async resolve(record: ContainerRecord, _request?: ContainerCreateRequest): Promise<readonly MountPoint[]> {
    const { hostConfig, config } = record;
    const own = readMounts(hostConfig, config.Volumes, isAbsolute);
    // Whatever is wrong is said before anything is made.
    const points = new Map<string, MountPoint>();
    for (const text of hostConfig.VolumesFrom ?? []) {
      const { container, readonly } = readVolumesFrom(text);
      for (const point of (await this.#parts.containers.find(container)).mounts) {
        if (point.Type !== 'tmpfs') points.set(point.Destination, readonly ? { ...point, RW: false } : point);
      }
    }
    for (const request of own) await this.#checkBind(request);
    for (const request of own) {
      const isImplied = request.type === 'volume' && request.source === '' && !isNamed(request, hostConfig);
      if (isImplied && points.has(request.destination)) continue;
      points.set(request.destination, await this.#pointOf(request));
    }
    return [...points.values()];
  }

  /** At each start. Throws 'invalid-argument' for a bind whose source has gone. */
  prepare(record: ContainerRecord, files: ProgramFiles): Promise<readonly SandboxMount[]> {
    return this.#mounts(record, files);
  }

  /** The same without filling volumes: for who looks at the files of a container that does not run. */
  reopen(record: ContainerRecord): Promise<readonly SandboxMount[]> {
    return this.#mounts(record, undefined);
  }

  async #mounts(record: ContainerRecord, files: ProgramFiles | undefined): Promise<readonly SandboxMount[]> {
    const requests = readMounts(record.hostConfig, record.config.Volumes, isAbsolute);
    const mounts: SandboxMount[] = tmpfsMounts(record.hostConfig);
    for (const point of record.mounts) {
      const request = requests.find(({ destination }) => destination === point.Destination);
      mounts.push(await this.#mountOf(record, point, request, files));
    }
    // Outer ones first: an inner one lies in what the outer one brings.
    return mounts.sort((a, b) => depth(a.destination) - depth(b.destination));
  }

  /** Anonymous volumes of a container that is gone, as far as no other has them. */
  async release(record: Pick<ContainerRecord, 'key' | 'mounts'>): Promise<void> {
    for (const { Type, Name = '' } of record.mounts) {
      if (Type !== 'volume') continue;
      const volume = await this.#volumes.find(Name);
      if (volume !== undefined && Object.hasOwn(volume.labels, ANONYMOUS_LABEL)) {
        await this.#volumes.removeUnused(Name, record.key);
      }
    }
  }

  async #checkBind({ type, source, createSource }: MountRequest): Promise<void> {
    if (type !== 'bind') return;
    const { paths } = this.#parts.host;
    if (paths === undefined) throw new WctrError('unsupported', 'this host has no files to bind', { data: { source } });
    if (createSource || (await paths.kind(source)) !== undefined) return;
    throw new WctrError(
      'invalid-argument',
      `invalid mount config for type "bind": bind source path does not exist: ${source}`,
      { hint: 'create it on the host first' },
    );
  }

  async #pointOf(request: MountRequest): Promise<MountPoint> {
    const { type, destination: Destination, mode: Mode, readonly } = request;
    if (type === 'tmpfs') return { Type: type, Source: '', Destination, Mode, RW: !readonly, Propagation: '' };
    if (type === 'bind') {
      const Source = this.#parts.host.paths?.resolve(request.source) ?? request.source;
      return { Type: type, Source, Destination, Mode, RW: !readonly, Propagation: 'rprivate' };
    }
    const known = request.source === '' ? undefined : await this.#volumes.find(request.source);
    const volume =
      known ??
      (await this.#volumes.create({
        Name: request.source,
        ...(request.driver === undefined ? {} : { Driver: request.driver }),
        ...(request.driverOptions === undefined ? {} : { DriverOpts: request.driverOptions }),
        ...(request.labels === undefined ? {} : { Labels: request.labels }),
      }));
    return {
      Type: 'volume',
      Name: volume.key,
      Source: this.#volumes.view(volume).Mountpoint,
      Destination,
      Driver: volume.driver,
      Mode,
      RW: !readonly,
      Propagation: '',
    };
  }

  async #mountOf(
    record: ContainerRecord,
    point: MountPoint,
    request: MountRequest | undefined,
    files: ProgramFiles | undefined,
  ): Promise<SandboxMount> {
    const { Destination: destination, RW, Source: source } = point;
    const readonly = !RW;
    if (point.Type === 'tmpfs') return tmpfsOf(record.hostConfig, destination, readonly);
    if (point.Type === 'bind') {
      const { paths } = this.#parts.host;
      if (request?.createSource === true && (await paths?.kind(source)) === undefined)
        await paths?.makeDirectory(source);
      return { type: 'bind', source, destination, readonly };
    }
    const { Name: name = '', Driver = 'local' } = point;
    // One that was removed between the container's creation and its record, or from under it, is made again.
    const volume = (await this.#volumes.find(name)) ?? (await this.#volumes.create({ Name: name, Driver }));
    const driver = this.#volumes.driver(volume.driver);
    const place = await driver.mount({ name, options: volume.options }, record.key);
    if ('fs' in place) return { type: 'fs', fs: place.fs, source: place.path, destination, readonly };
    if (request?.noCopy !== true && files !== undefined) {
      await this.#volumes.populateOnce(name, () => this.#populate(files, destination, place.path));
    }
    return { type: 'bind', source: place.path, destination, readonly };
  }

  /** The image's directory, into an empty volume that is mounted over it. */
  async #populate(files: ProgramFiles, destination: string, source: string): Promise<boolean> {
    const open = this.#parts.host.openFiles;
    if (open === undefined || files.layers.length === 0) return false;
    const at = '/.wctr-volume';
    const opened = await open(imageSpec(files, [{ type: 'bind', source, destination: at }]), {});
    try {
      const stat = await opened.files.stat(`${destination}/`).catch(() => undefined);
      if (stat === undefined || !isDirectoryMode(stat.mode)) return false;
      await opened.files.extract(at, opened.files.archive(`${destination}/.`), { copyUidGid: true });
      return true;
    } finally {
      await opened.close();
    }
  }
}

const GO_DIRECTORY = 2 ** 31;

function isDirectoryMode(mode: number): boolean {
  return mode >= GO_DIRECTORY;
}

/** An image's files with nothing of a container. */
function imageSpec(files: ProgramFiles, mounts: readonly SandboxMount[]): SandboxSpec {
  return {
    id: '0'.repeat(64),
    hostname: 'localhost',
    process: { args: [''], env: [], cwd: '/', user: { uid: 0, gid: 0, additionalGids: [] }, terminal: false },
    root: { readonly: false, layers: files.layers, ...files.index },
    program: {},
    mounts,
    resources: {},
    stdio: { stdin: 'null', stdout: 'pipe', stderr: 'pipe' },
  };
}

/** Asked for by name of its place, not by a VOLUME of the image alone. */
function isNamed({ destination }: MountRequest, { Binds, Mounts }: HostConfig): boolean {
  return (Binds ?? []).includes(destination) || (Mounts ?? []).some(({ Target }) => Target === destination);
}

function tmpfsOf(hostConfig: HostConfig, destination: string, readonly: boolean): SandboxMount {
  const options = hostConfig.Mounts?.find(
    ({ Type, Target }) => Type === 'tmpfs' && Target === destination,
  )?.TmpfsOptions;
  return {
    type: 'tmpfs',
    destination,
    readonly,
    ...(options?.SizeBytes === undefined ? {} : { sizeBytes: options.SizeBytes }),
    ...(options?.Mode === undefined ? {} : { mode: options.Mode }),
  };
}

/** HostConfig.Tmpfs: `{ "/run": "size=64m,mode=1777" }`. */
function tmpfsMounts({ Tmpfs }: HostConfig): SandboxMount[] {
  return Object.entries(Tmpfs ?? {}).map(([destination, text]) => {
    const mount: { sizeBytes?: number; mode?: number; readonly?: boolean } = {};
    for (const option of text.split(',').filter((word) => word !== '')) {
      const [key, value = ''] = option.split('=');
      if (key === 'size') mount.sizeBytes = sizeOf(value);
      else if (key === 'mode' && /^[0-7]{1,4}$/.test(value)) mount.mode = Number.parseInt(value, 8);
      else if (key === 'ro') mount.readonly = true;
      else if (!/^(rw|noexec|exec|nosuid|suid|nodev|dev|uid|gid|nr_inodes|noatime|atime)$/.test(key!)) {
        throw new WctrError('invalid-argument', `invalid tmpfs option ["${option}"]`);
      }
    }
    return { type: 'tmpfs', destination, ...mount };
  });
}

function sizeOf(text: string): number {
  const [, digits, unit = ''] = /^(\d+)([kmg]?)b?$/i.exec(text) ?? [];
  if (digits === undefined) throw new WctrError('invalid-argument', `invalid tmpfs size: '${text}'`);
  return Number(digits) * 1024 ** ['', 'k', 'm', 'g'].indexOf(unit.toLowerCase());
}

function depth(path: string): number {
  return path.split('/').filter((part) => part !== '').length;
}

/** A path of the host as the API takes it: relative ones are the client's business. */
function isAbsolute(path: string): boolean {
  return path.startsWith('/') || /^[A-Za-z]:[\\/]/.test(path);
}
