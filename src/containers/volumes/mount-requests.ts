/**
 * What a create request says about mounts (HostConfig.Binds, Mounts, Tmpfs, VolumesFrom, Volumes of request and image),
 * read by docker's rules. Nothing is made here.
 */
import { WctrError } from '../../errors.ts';
import type { HostConfig, Mount } from '../../spec/engine-api.ts';
import { checkVolumeName } from './volume-name.ts';

export interface MountRequest {
  readonly type: 'bind' | 'volume' | 'tmpfs';
  /** Absolute, clean. */
  readonly destination: string;
  /** Bind: path of the host. Volume: its name, empty for an anonymous one. */
  readonly source: string;
  readonly readonly: boolean;
  /** As the user wrote it. */
  readonly mode: string;
  readonly noCopy: boolean;
  /** A bind whose source is made when it is not there (`-v`). */
  readonly createSource: boolean;
  readonly driver?: string;
  readonly driverOptions?: Readonly<Record<string, string>>;
  readonly labels?: Readonly<Record<string, string>>;
}

export interface VolumesFrom {
  readonly container: string;
  readonly readonly: boolean;
}

/** Without VolumesFrom. Throws 'invalid-argument', 'unsupported'. */
export function readMounts(
  hostConfig: HostConfig,
  volumes: Readonly<Record<string, object>> | null,
  isHostPath: (path: string) => boolean,
): MountRequest[] {
  const asked = [
    ...(hostConfig.Binds ?? []).map((bind) => readBind(bind, hostConfig.VolumeDriver, isHostPath)),
    ...(hostConfig.Mounts ?? []).map((mount) => readMount(mount, isHostPath)),
  ];
  const taken = new Set<string>();
  for (const { destination } of asked) {
    if (taken.has(destination)) throw invalid(`Duplicate mount point: ${destination}`);
    taken.add(destination);
  }
  for (const path of Object.keys(hostConfig.Tmpfs ?? {})) {
    const destination = checkDestination(path, path);
    if (taken.has(destination)) throw invalid(`Duplicate mount point: ${destination}`);
    taken.add(destination);
  }
  const implied = Object.keys(volumes ?? {}).flatMap((path) => {
    // `docker run -v /a:/b` of old clients came this way.
    const destination = checkDestination(path, path);
    if (taken.has(destination)) return [];
    taken.add(destination);
    return [anonymous(destination, hostConfig.VolumeDriver)];
  });
  return [...asked, ...implied];
}

/** `CONTAINER[:ro|:rw]`. */
export function readVolumesFrom(text: string): VolumesFrom {
  const [container = '', mode = 'rw', ...rest] = text.split(':');
  if (container === '') throw invalid(`invalid volumes-from: "${text}": a container is required`);
  const words = mode.split(',');
  if (rest.length > 0 || words.some((word) => !/^(ro|rw|z|Z)$/.test(word))) {
    throw invalid(`invalid mode: ${[mode, ...rest].join(':')}`);
  }
  return { container, readonly: words.includes('ro') };
}

function anonymous(destination: string, driver: string | undefined): MountRequest {
  return {
    type: 'volume',
    destination,
    source: '',
    readonly: false,
    mode: '',
    noCopy: false,
    createSource: false,
    ...(driver === undefined || driver === '' ? {} : { driver }),
  };
}

/** `DST`, `SRC:DST` or `SRC:DST:MODE`. */
function readBind(text: string, driver: string | undefined, isHostPath: (path: string) => boolean): MountRequest {
  const parts = splitBind(text);
  const [source, target = source, mode = ''] = parts as [string, string?, string?];
  if (parts.length > 3 || parts.includes('')) throw invalid(`invalid volume specification: '${text}'`);
  const destination = checkDestination(target, text);
  if (parts.length === 1) return anonymous(destination, driver);
  const isBind = isHostPath(source);
  if (!isBind) checkVolumeName(source);
  const words = mode.split(',').filter((word) => word !== '');
  const known = isBind
    ? /^(ro|rw|z|Z|cached|delegated|consistent|r?(private|shared|slave))$/
    : /^(ro|rw|z|Z|nocopy|copy)$/;
  const unknown = words.find((word) => !known.test(word));
  if (unknown !== undefined || (words.includes('ro') && words.includes('rw'))) throw invalid(`invalid mode: ${mode}`);
  return {
    type: isBind ? 'bind' : 'volume',
    destination,
    source,
    readonly: words.includes('ro'),
    mode: mode === '' && !isBind ? 'z' : mode,
    noCopy: words.includes('nocopy'),
    createSource: isBind,
    ...(isBind || driver === undefined || driver === '' ? {} : { driver }),
  };
}

/** A Windows drive letter's colon separates nothing. */
function splitBind(text: string): string[] {
  const drive = /^[A-Za-z]:[\\/]/.test(text) ? text.slice(0, 2) : '';
  const [first, ...rest] = text.slice(drive.length).split(':');
  return [drive + first!, ...rest];
}

function readMount(mount: Mount, isHostPath: (path: string) => boolean): MountRequest {
  const { Type: type, Source: source = '', Target: target = '', ReadOnly: readonly = false } = mount;
  const bad = (why: string) => invalid(`invalid mount config for type "${type}": ${why}`);
  if (target === '') throw bad('field Target must not be empty');
  const base = {
    destination: checkDestination(target, target),
    readonly,
    mode: '',
    noCopy: false,
    createSource: false,
  };
  if (type === 'tmpfs') {
    if (source !== '') throw bad('field Source must not be specified');
    return { ...base, type, source: '' };
  }
  if (type === 'bind') {
    if (source === '') throw bad('field Source must not be empty');
    if (!isHostPath(source)) throw bad(`invalid mount path: '${source}' mount path must be absolute`);
    return { ...base, type, source, createSource: mount.BindOptions?.CreateMountpoint ?? false };
  }
  if (type !== 'volume') throw invalid(`mount type unknown: "${String(type)}"`);
  if (source !== '') checkVolumeName(source);
  const options = mount.VolumeOptions;
  if (options?.Subpath !== undefined && options.Subpath !== '') {
    throw new WctrError('unsupported', `volume-subpath is not supported: "${options.Subpath}"`, {
      hint: 'mount the whole volume, or use a volume of its own',
    });
  }
  const driver = options?.DriverConfig?.Name;
  return {
    ...base,
    type,
    source,
    mode: 'z',
    noCopy: options?.NoCopy ?? false,
    ...(driver === undefined || driver === '' ? {} : { driver }),
    ...(options?.DriverConfig?.Options === undefined ? {} : { driverOptions: options.DriverConfig.Options }),
    ...(options?.Labels === undefined ? {} : { labels: options.Labels }),
  };
}

function checkDestination(path: string, text: string): string {
  if (!path.startsWith('/')) throw invalid(`invalid volume specification: '${text}': mount path must be absolute`);
  const parts: string[] = [];
  for (const part of path.split('/')) {
    if (part === '..') parts.pop();
    else if (part !== '' && part !== '.') parts.push(part);
  }
  if (parts.length === 0) throw invalid(`invalid volume specification: '${text}': destination can't be '/'`);
  if (path.includes('\0')) throw invalid('invalid volume specification: a path with a NUL');
  return `/${parts.join('/')}`;
}

function invalid(message: string): WctrError {
  return new WctrError('invalid-argument', message);
}
