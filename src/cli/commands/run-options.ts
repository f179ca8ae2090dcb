/** docker run's flags -> the engine's RunOptions. */
import { parseMountFlag, parseTmpfsFlag, parseVolumeFlag } from '../../containers/mounts.ts';
import type { RunOptions } from '../../engine/engine.ts';
import { WctrError } from '../../errors.ts';
import type { SandboxResources } from '../../host/sandbox.ts';
import type { Context } from '../command.ts';
import type { ParsedFlags } from '../flags.ts';
import { parseBytes, parseDuration } from '../format/units.ts';
import { readEnvironment, readLabels } from './environment.ts';

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

export async function runOptions(context: Context, args: readonly string[], flags: ParsedFlags): Promise<RunOptions> {
  const [image, ...rest] = args as [string, ...string[]];
  const resolve = context.host.resolvePath;
  const options: Mutable<RunOptions> = {
    image,
    args: rest[0] === '--' ? rest.slice(1) : rest,
    env: await readEnvironment(context, flags),
    labels: await readLabels(context, flags),
    tty: flags.bool('tty'),
    readonlyRootfs: flags.bool('read-only'),
    autoRemove: flags.bool('rm'),
    mounts: [
      ...flags.list('volume').map((text) => parseVolumeFlag(text, resolve)),
      ...flags.list('mount').map((text) => parseMountFlag(text, resolve, parseBytes)),
      ...flags.list('tmpfs').map((text) => parseTmpfsFlag(text, parseBytes)),
    ],
    resources: readResources(flags),
    pull: readPullPolicy(flags.string('pull')),
    stdio: { stdin: flags.bool('interactive') ? 'inherit' : 'null', stdout: 'inherit', stderr: 'inherit' },
    deterministic: flags.bool('deterministic'),
  };
  const unknownImports = flags.string('unknown-imports');
  if (unknownImports !== undefined) options.unknownImports = readUnknownImports(unknownImports);
  const entrypoint = flags.string('entrypoint');
  if (entrypoint !== undefined) options.entrypoint = entrypoint === '' ? [] : [entrypoint];
  const copied = {
    user: 'user',
    workingDir: 'workdir',
    hostname: 'hostname',
    name: 'name',
    platform: 'platform',
    isolation: flags.has('sandbox') ? 'sandbox' : 'isolation',
  } as const;
  for (const [key, flag] of Object.entries(copied) as [keyof typeof copied, string][]) {
    const value = flags.string(flag);
    if (value !== undefined && !(key === 'isolation' && value === 'default')) options[key] = value;
  }
  return options;
}

export function readPullPolicy(policy: string | undefined): NonNullable<RunOptions['pull']> {
  if (policy === undefined) return 'missing';
  if (policy === 'always' || policy === 'missing' || policy === 'never') return policy;
  throw new WctrError('invalid-argument', `invalid pull policy "${policy}"`, {
    hint: "write 'always', 'missing' or 'never'",
  });
}

export function readUnknownImports(policy: string): 'deny' | 'trap' {
  if (policy === 'deny' || policy === 'trap') return policy;
  throw new WctrError('invalid-argument', `invalid policy "${policy}" for --unknown-imports`, {
    hint: "write 'deny' or 'trap'",
  });
}

/** docker's smallest memory limit. */
const LEAST_MEMORY = 6 * 1024 * 1024;

export function readResources(flags: ParsedFlags): SandboxResources {
  const resources: Mutable<SandboxResources> = {};
  const memory = flags.string('memory');
  if (memory !== undefined) {
    resources.memoryBytes = parseBytes(memory, '--memory');
    if (resources.memoryBytes < LEAST_MEMORY) {
      throw new WctrError('invalid-argument', `minimum memory limit allowed is 6MB, not ${memory}`);
    }
  }
  const cpus = flags.string('cpus');
  if (cpus !== undefined) resources.cpus = positive(cpus, '--cpus');
  const pids = flags.string('pids-limit');
  if (pids !== undefined && pids !== '-1' && pids !== '0') resources.pids = whole(pids, '--pids-limit');
  const timeout = flags.string('timeout');
  if (timeout !== undefined) resources.timeoutMs = parseDuration(timeout, '--timeout');
  for (const limit of flags.list('ulimit')) {
    const [, name, soft] = /^(\w+)=(\d+)(?::\d+)?$/.exec(limit) ?? [];
    if (name !== 'nofile') {
      throw new WctrError('unsupported', `--ulimit ${limit} is not supported`, {
        hint: 'only nofile=N has a meaning here',
      });
    }
    resources.nofile = whole(soft!, '--ulimit nofile');
  }
  for (const option of flags.list('storage-opt')) {
    const [key, value = ''] = option.split('=');
    if (key !== 'size')
      throw new WctrError('invalid-argument', `unknown storage option "${option}"`, { hint: 'write size=64m' });
    resources.storageBytes = parseBytes(value, '--storage-opt size');
  }
  return resources;
}

export function positive(text: string, flag: string): number {
  const value = Number(text);
  if (/^\d*\.?\d+$/.test(text) && value > 0) return value;
  throw new WctrError('invalid-argument', `invalid value "${text}" for ${flag}: expected a number above 0`);
}

function whole(text: string, flag: string): number {
  const value = Number(text);
  if (/^\d+$/.test(text) && Number.isSafeInteger(value) && value > 0) return value;
  throw new WctrError('invalid-argument', `invalid value "${text}" for ${flag}: expected a whole number above 0`);
}
