/** `-v`, `--mount` and `--tmpfs` as docker writes them, read into the sandbox's mounts. */
import { WctrError } from '../errors.ts';
import type { SandboxMount } from '../host/sandbox.ts';

export interface MountSource {
  /** A bind whose host path must exist (`--mount`) or is created as a directory (`-v`), as docker does. */
  readonly createSource: boolean;
}

export type ParsedMount = SandboxMount & Partial<MountSource>;

/** `SOURCE:DESTINATION[:OPTIONS]`. `resolvePath` makes a relative or `~`-less source absolute. */
export function parseVolumeFlag(text: string, resolvePath: (path: string) => string): ParsedMount {
  const bad = (why: string, hint?: string) =>
    new WctrError('invalid-argument', `invalid volume "${text}": ${why}`, {
      hint: hint ?? 'write SOURCE:DESTINATION[:ro], both as paths',
    });
  const parts = splitVolume(text);
  if (parts.length === 1) {
    throw bad('anonymous volumes are not supported yet', 'use --tmpfs PATH, or name a host directory: DIR:PATH');
  }
  const [source, destination, options = ''] = parts as [string, string, string?];
  if (parts.length > 3) throw bad('too many colons');
  if (source === '' || destination === '') throw bad('empty source or destination');
  if (!isHostPath(source)) {
    throw bad('named volumes are not supported yet', `use a host directory: ./${source}:${destination}`);
  }
  let readonly = false;
  for (const option of options.split(',').filter((word) => word !== '')) {
    if (option === 'ro' || option === 'readonly') readonly = true;
    // SELinux labels, propagation and consistency name things of a kernel that is not there; docker accepts them too.
    else if (!/^(rw|z|Z|cached|delegated|consistent|r?(private|shared|slave)|nocopy)$/.test(option)) {
      throw bad(`unknown option "${option}"`);
    }
  }
  return {
    type: 'bind',
    source: resolvePath(source),
    destination: checkedDestination(destination, bad),
    readonly,
    createSource: true,
  };
}

/** A Windows drive letter's colon separates nothing. */
function splitVolume(text: string): string[] {
  const drive = /^[A-Za-z]:[\\/]/.test(text) ? text.slice(0, 2) : '';
  const [first, ...rest] = text.slice(drive.length).split(':');
  return [drive + first!, ...rest];
}

/** A path of the host, told by its first characters: neither references nor volume names begin so. */
export function isHostPath(text: string): boolean {
  return /^(\.{0,2}\/|\.{1,2}$|[A-Za-z]:[\\/])/.test(text);
}

/** `type=bind,source=/x,target=/y,readonly` and `type=tmpfs,target=/y,tmpfs-size=64m,tmpfs-mode=1777`. */
export function parseMountFlag(
  text: string,
  resolvePath: (path: string) => string,
  parseBytes: (text: string, flag: string) => number,
): ParsedMount {
  const bad = (why: string) =>
    new WctrError('invalid-argument', `invalid mount "${text}": ${why}`, {
      hint: 'write type=bind,source=DIR,target=PATH[,readonly] or type=tmpfs,target=PATH[,tmpfs-size=64m]',
    });
  const fields = new Map<string, string>();
  for (const field of text.split(',')) {
    const [key = '', ...rest] = field.split('=');
    fields.set(
      ALIASES[key.trim().toLowerCase()] ?? key.trim().toLowerCase(),
      rest.length === 0 ? 'true' : rest.join('='),
    );
  }
  const take = (key: string) => {
    const value = fields.get(key);
    fields.delete(key);
    return value;
  };
  const type = take('type') ?? 'volume';
  const target = take('target');
  if (target === undefined || target === '') throw bad('target is required');
  const destination = checkedDestination(target, bad);
  const readonly = readFlag(take('readonly'), bad);
  let mount: ParsedMount;
  if (type === 'bind') {
    const source = take('source');
    if (source === undefined || source === '') throw bad('source is required for a bind');
    take('bind-propagation');
    take('consistency');
    mount = { type: 'bind', source: resolvePath(source), destination, readonly, createSource: false };
  } else if (type === 'tmpfs') {
    const size = take('tmpfs-size');
    const mode = take('tmpfs-mode');
    if (mode !== undefined && !/^[0-7]{1,4}$/.test(mode)) throw bad(`"${mode}" is not an octal mode`);
    mount = {
      type: 'tmpfs',
      destination,
      readonly,
      ...(size === undefined ? {} : { sizeBytes: parseBytes(size, 'tmpfs-size') }),
      ...(mode === undefined ? {} : { mode: Number.parseInt(mode, 8) }),
    };
  } else if (type === 'volume') throw bad('volumes are not supported yet');
  else throw bad(`unknown type "${type}"`);
  const [unknown] = fields.keys();
  if (unknown !== undefined) throw bad(`unexpected key "${unknown}"`);
  return mount;
}

const ALIASES: Readonly<Record<string, string>> = {
  src: 'source',
  dst: 'target',
  destination: 'target',
  ro: 'readonly',
};

function readFlag(value: string | undefined, bad: (why: string) => WctrError): boolean {
  if (value === undefined || value === 'false' || value === '0') return false;
  if (value === 'true' || value === '1') return true;
  throw bad(`"${value}" is not true or false`);
}

/** `/path[:size=64m,mode=1777,ro]`. */
export function parseTmpfsFlag(text: string, parseBytes: (text: string, flag: string) => number): SandboxMount {
  const bad = (why: string) =>
    new WctrError('invalid-argument', `invalid tmpfs "${text}": ${why}`, { hint: 'write PATH[:size=64m,mode=1777]' });
  const [path = '', options = ''] = text.split(/:(.*)/s);
  const mount: { sizeBytes?: number; mode?: number; readonly?: boolean } = {};
  for (const option of options.split(',').filter((word) => word !== '')) {
    const [key, value = ''] = option.split('=');
    if (key === 'size') mount.sizeBytes = parseBytes(value, '--tmpfs size');
    else if (key === 'mode' && /^[0-7]{1,4}$/.test(value)) mount.mode = Number.parseInt(value, 8);
    else if (key === 'ro') mount.readonly = true;
    // What the kernel-less sandbox always is (nosuid, nodev) or cannot tell apart is accepted and has no effect.
    else if (!/^(rw|noexec|exec|nosuid|suid|nodev|dev|uid|gid|nr_inodes|noatime|atime)$/.test(key!)) {
      throw bad(`unknown option "${option}"`);
    }
  }
  return { type: 'tmpfs', destination: checkedDestination(path, bad), ...mount };
}

function checkedDestination(path: string, bad: (why: string) => WctrError): string {
  if (!path.startsWith('/')) throw bad(`the container path "${path}" must be absolute`);
  const parts = path.split('/').filter((part) => part !== '' && part !== '.');
  if (parts.includes('..')) throw bad('the container path must not contain ".."');
  if (parts.length === 0) throw bad('"/" cannot be a mount point');
  return `/${parts.join('/')}`;
}
