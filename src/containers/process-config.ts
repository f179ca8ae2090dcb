/** An image's config and the user's options, merged into the process a sandbox runs (docker's rules). */
import { WctrError } from '../errors.ts';

/** The parts of an image config (image-spec config.md) that say how it runs. */
export interface ImageProcessConfig {
  readonly entrypoint?: readonly string[];
  readonly cmd?: readonly string[];
  readonly env?: readonly string[];
  readonly user?: string;
  readonly workingDir?: string;
}

export interface ProcessOverrides {
  readonly args?: readonly string[];
  readonly entrypoint?: readonly string[];
  readonly env?: readonly string[];
  readonly user?: string;
  readonly workingDir?: string;
  readonly tty?: boolean;
  readonly hostname: string;
}

const DEFAULT_PATH = 'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/** An entrypoint on the command line drops the image's CMD, as docker does. */
export function commandLine(
  image: Pick<ImageProcessConfig, 'entrypoint' | 'cmd'>,
  options: Partial<ProcessOverrides>,
): string[] {
  const given = options.args ?? [];
  if (options.entrypoint !== undefined) return [...options.entrypoint, ...given];
  return [...(image.entrypoint ?? []), ...(given.length > 0 ? given : (image.cmd ?? []))];
}

/** PATH and HOSTNAME first, then the image's, then the user's; the last value of a name wins and keeps its place. */
export function environment(image: ImageProcessConfig, options: ProcessOverrides): string[] {
  const merged = new Map<string, string>();
  const base = [DEFAULT_PATH, `HOSTNAME=${options.hostname}`, ...(options.tty === true ? ['TERM=xterm'] : [])];
  for (const entry of [...base, ...(image.env ?? []), ...(options.env ?? [])]) {
    const equals = entry.indexOf('=');
    const name = equals < 0 ? entry : entry.slice(0, equals);
    if (name === '' || entry.includes('\0')) {
      throw new WctrError('invalid-argument', `invalid environment variable: ${JSON.stringify(entry)}`, {
        hint: 'write NAME=value',
      });
    }
    // `-e NAME` for a name the caller does not have removes it.
    if (equals < 0) merged.delete(name);
    else merged.set(name, entry);
  }
  return [...merged.values()];
}

export function workingDirectory(image: ImageProcessConfig, options: ProcessOverrides): string {
  const path = options.workingDir ?? (image.workingDir || '/');
  if (!path.startsWith('/')) {
    throw new WctrError(
      'invalid-argument',
      `the working directory "${path}" is invalid, it needs to be an absolute path`,
    );
  }
  return path;
}

export interface ContainerUser {
  readonly uid: number;
  readonly gid: number;
  readonly additionalGids: readonly number[];
}

/**
 * `uid[:gid]` or `name[:group]`, names looked up in the image's /etc/passwd and /etc/group.
 *
 * @param readFile gives a file of the image, or undefined where there is none.
 */
export async function resolveUser(
  spec: string | undefined,
  readFile: (path: string) => Promise<string | undefined>,
): Promise<ContainerUser> {
  if (spec === undefined || spec === '') return { uid: 0, gid: 0, additionalGids: [] };
  const [userPart = '', groupPart] = spec.split(':');
  const passwd = records(await readFile('/etc/passwd'));
  const row = passwd.find((fields) => (isNumber(userPart) ? fields[2] === userPart : fields[0] === userPart));
  if (row === undefined && !isNumber(userPart)) {
    throw new WctrError('not-found', `unable to find user ${userPart}: no matching entries in passwd file`, {
      hint: 'give a numeric uid, or add the user to the image',
    });
  }
  const uid = number(row?.[2] ?? userPart, spec);
  const groups = records(await readFile('/etc/group'));
  if (groupPart === undefined || groupPart === '') {
    const name = row?.[0];
    const additionalGids = groups
      .filter((fields) => name !== undefined && (fields[3] ?? '').split(',').includes(name))
      .map((fields) => number(fields[2] ?? '', spec));
    return { uid, gid: number(row?.[3] ?? '0', spec), additionalGids };
  }
  const group = groups.find((fields) => fields[0] === groupPart);
  if (group === undefined && !isNumber(groupPart)) {
    throw new WctrError('not-found', `unable to find group ${groupPart}: no matching entries in group file`, {
      hint: 'give a numeric gid, or add the group to the image',
    });
  }
  return { uid, gid: number(isNumber(groupPart) ? groupPart : group![2]!, spec), additionalGids: [] };
}

function records(file: string | undefined): string[][] {
  return (file ?? '')
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => line.split(':'));
}

function isNumber(text: string): boolean {
  return /^\d+$/.test(text);
}

const MAX_ID = 0x7fffffff;

function number(text: string, spec: string): number {
  const value = Number(text);
  if (!isNumber(text) || value > MAX_ID) {
    throw new WctrError('invalid-argument', `invalid user "${spec}": uids and gids must be in range 0-${MAX_ID}`);
  }
  return value;
}
