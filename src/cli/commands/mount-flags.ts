/** `-v`, `--mount` and `--tmpfs` as docker sends them in a create request. */
import { isHostPath } from '../../containers/mounts.ts';
import { WctrError } from '../../errors.ts';
import type { Mount } from '../../spec/engine-api.ts';
import type { ParsedFlags } from '../flags.ts';
import { parseBytes } from '../format/units.ts';

type Mutable<T> = { -readonly [K in keyof T]: T[K] };
type Resolve = (path: string) => string;

export interface MountFlags {
  /** Anonymous volumes. */
  readonly volumes: Record<string, object>;
  readonly binds: string[];
  readonly mounts: Mount[];
  readonly tmpfs: Record<string, string>;
}

export function readMountFlags(flags: ParsedFlags, resolve: Resolve): MountFlags {
  const result: MountFlags = { volumes: {}, binds: [], mounts: [], tmpfs: {} };
  for (const text of flags.list('volume')) readVolume(text, resolve, result);
  for (const text of flags.list('mount')) result.mounts.push(readMount(text, resolve));
  for (const text of flags.list('tmpfs')) {
    const [path = '', options = ''] = text.split(/:(.*)/s);
    result.tmpfs[path] = options;
  }
  return result;
}

function readVolume(text: string, resolve: Resolve, { volumes, binds }: MountFlags): void {
  const bad = (why: string) =>
    new WctrError('invalid-argument', `invalid volume "${text}": ${why}`, {
      hint: 'write PATH, NAME:PATH[:ro] or DIRECTORY:PATH[:ro]',
    });
  // A Windows drive letter's colon separates nothing.
  const drive = /^[A-Za-z]:[\\/]/.test(text) ? text.slice(0, 2) : '';
  const [first = '', target, mode, ...more] = text.slice(drive.length).split(':');
  if (more.length > 0) throw bad('too many colons');
  if (target === undefined) {
    if (!first.startsWith('/')) throw bad(`the container path "${first}" must be absolute`);
    volumes[first] = {};
    return;
  }
  const source = drive + first;
  if (source === '' || target === '') throw bad('empty source or destination');
  if (!target.startsWith('/')) throw bad(`the container path "${target}" must be absolute`);
  const path = isHostPath(source) ? resolve(source) : source;
  binds.push([path, target, ...(mode === undefined ? [] : [mode])].join(':'));
}

const ALIASES: Readonly<Record<string, string>> = {
  src: 'source',
  dst: 'target',
  destination: 'target',
  ro: 'readonly',
};

/** `type=volume,source=v,target=/t,volume-nocopy`, comma-separated as CSV, without quotes. */
function readMount(text: string, resolve: Resolve): Mount {
  const bad = (why: string) =>
    new WctrError('invalid-argument', `invalid mount "${text}": ${why}`, {
      hint: 'write type=bind|volume|tmpfs,source=DIR|NAME,target=PATH[,readonly]',
    });
  const fields = text.split(',').map((field) => {
    const equals = field.indexOf('=');
    const key = (equals < 0 ? field : field.slice(0, equals)).trim().toLowerCase();
    return [ALIASES[key] ?? key, equals < 0 ? undefined : field.slice(equals + 1)] as const;
  });
  const type = fields.find(([key]) => key === 'type')?.[1]?.toLowerCase() ?? 'volume';
  if (type !== 'bind' && type !== 'volume' && type !== 'tmpfs') throw bad(`unknown type "${type}"`);
  const mount: Mutable<Mount> = { Type: type, Target: '' };
  const bind: Mutable<NonNullable<Mount['BindOptions']>> = {};
  const volume: Mutable<NonNullable<Mount['VolumeOptions']>> = {};
  const driver: { Name?: string; Options?: Record<string, string> } = {};
  const tmpfs: Mutable<NonNullable<Mount['TmpfsOptions']>> = {};
  const truth = (value: string | undefined) => {
    if (value === undefined || value === 'true' || value === '1') return true;
    if (value === 'false' || value === '0') return false;
    throw bad(`"${value}" is not true or false`);
  };
  for (const [key, value] of fields) {
    if (value === undefined && !/^(readonly|volume-nocopy|bind-nonrecursive)$/.test(key)) {
      throw bad(`invalid field "${key}" must be a key=value pair`);
    }
    const text = value ?? '';
    const belongs = /^(bind|volume|tmpfs)-/.exec(key)?.[1];
    if (belongs !== undefined && belongs !== type) throw bad(`"${key}" has no meaning for type ${type}`);
    if (key === 'source') mount.Source = type === 'bind' ? resolve(text) : text;
    else if (key === 'target') mount.Target = text;
    else if (key === 'readonly') mount.ReadOnly = truth(value);
    else if (key === 'bind-propagation') bind.Propagation = text;
    else if (key === 'volume-nocopy') volume.NoCopy = truth(value);
    else if (key === 'volume-subpath') volume.Subpath = text;
    else if (key === 'volume-driver') driver.Name = text;
    else if (key === 'volume-label') volume.Labels = { ...volume.Labels, ...pair(text) };
    else if (key === 'volume-opt') driver.Options = { ...driver.Options, ...pair(text) };
    else if (key === 'tmpfs-size') tmpfs.SizeBytes = parseBytes(text, 'tmpfs-size');
    else if (key === 'tmpfs-mode') {
      if (!/^[0-7]{1,4}$/.test(text)) throw bad(`"${text}" is not an octal mode`);
      tmpfs.Mode = Number.parseInt(text, 8);
    } else if (!/^(type|consistency|bind-nonrecursive|bind-recursive)$/.test(key)) throw bad(`unexpected key "${key}"`);
  }
  if (mount.Target === '') throw bad('target is required');
  if (type === 'bind' && (mount.Source ?? '') === '') throw bad('source is required for a bind');
  if (type === 'tmpfs' && mount.Source !== undefined) throw bad('a tmpfs has no source');
  if (Object.keys(driver).length > 0) volume.DriverConfig = driver;
  return {
    ...mount,
    ...(Object.keys(bind).length > 0 ? { BindOptions: bind } : {}),
    ...(Object.keys(volume).length > 0 ? { VolumeOptions: volume } : {}),
    ...(Object.keys(tmpfs).length > 0 ? { TmpfsOptions: tmpfs } : {}),
  };
}

function pair(text: string): Record<string, string> {
  const [key = '', ...rest] = text.split('=');
  return { [key]: rest.join('=') };
}
