/** `--output`, `--push`, `--load`: where the result of a build goes. */

import type { BuildOutput, BuildRequest } from '../../engine/builds.ts';
import { WctrError } from '../../errors.ts';
import type { Context } from '../command.ts';
import type { ParsedFlags } from '../flags.ts';
import { readFields, unknownField } from './csv.ts';

const TYPES = ['image', 'registry', 'docker', 'oci', 'local', 'tar', 'edge', 'cacheonly'] as const;
type OutputType = (typeof TYPES)[number];

export interface OutputPlan {
  /** Undefined: the engine's default, an image in the store. */
  readonly outputs?: readonly BuildOutput[];
  /** Of `name=`. */
  readonly tags: readonly string[];
  readonly compression?: BuildRequest['compression'];
  /** Standard output carries the result; nothing else may be written there. */
  readonly takesStdout: boolean;
  readonly pushes: boolean;
}

interface OutputSpec {
  readonly type: OutputType;
  readonly dest: string | undefined;
  readonly push: boolean;
  readonly isTar: boolean | undefined;
}

export function planOutputs(context: Context, flags: ParsedFlags): OutputPlan {
  const tags: string[] = [];
  let compression = readCompression(flags.string('compression'), '--compression');
  const specs = flags.list('output').map((text) => {
    const { spec, names, layers } = readOutput(text);
    tags.push(...names);
    compression = layers ?? compression;
    return spec;
  });
  const [push, load] = [flags.bool('push'), flags.bool('load')];
  const stdouts = specs.filter(goesToStdout);
  if (stdouts.length > 1) throw new WctrError('invalid-argument', 'only one output can go to standard output');
  if (stdouts.length > 0 && context.terminal.stdoutIsTTY) {
    throw new WctrError('invalid-argument', `cowardly refusing to write a ${stdouts[0]!.type} archive to a terminal`, {
      hint: 'add dest=FILE or redirect',
    });
  }
  const outputs = specs.map((spec) => outputOf(context, spec));
  if (push) {
    const image = outputs.findIndex(({ type }) => type === 'image');
    if (image >= 0) outputs[image] = { type: 'image', push: true };
    else if (outputs.length > 0) {
      throw new WctrError('invalid-argument', `push and "${specs[0]!.type}" output can't be used together`);
    } else outputs.push({ type: 'image', push: true });
  }
  if (load && !outputs.some(({ type }) => type === 'image')) outputs.push({ type: 'image' });
  return {
    tags,
    takesStdout: stdouts.length > 0,
    pushes: outputs.some((output) => output.type === 'image' && output.push === true),
    ...(outputs.length === 0 ? {} : { outputs }),
    ...(compression === undefined ? {} : { compression }),
  };
}

const KNOWN = ['type', 'dest', 'tar', 'name', 'push', 'compression'];

function readOutput(text: string) {
  // `-o dir` and `-o -`.
  if (!text.includes('=') && !text.includes(',')) {
    if (text === '') throw new WctrError('invalid-argument', '--output is empty', { hint: 'write type=...,dest=path' });
    const spec: OutputSpec = { type: text === '-' ? 'tar' : 'local', dest: text, push: false, isTar: undefined };
    return { spec, names: [], layers: undefined };
  }
  const values = new Map<string, string>();
  for (const { key, value } of readFields(text, '--output')) {
    if (value === undefined) throw new WctrError('invalid-argument', `--output: invalid value ${key}: write key=value`);
    if (!KNOWN.includes(key)) throw unknownField('--output', key, KNOWN);
    values.set(key, value);
  }
  const type = values.get('type');
  if (type === undefined) throw new WctrError('invalid-argument', '--output: type is required', { hint: HINT });
  if (!isType(type)) {
    throw new WctrError('unsupported', `--output: type "${type}" is not supported`, { hint: HINT });
  }
  const dest = values.get('dest');
  const isTar = readSwitch(values.get('tar'), 'tar');
  if ((type === 'local' || type === 'edge') && (dest === undefined || dest === '')) {
    throw new WctrError('invalid-argument', `dest is required for ${type} output`);
  }
  if (dest !== undefined && (type === 'image' || type === 'registry' || type === 'cacheonly')) {
    throw new WctrError('invalid-argument', `dest is not for ${type} output: it writes no file`);
  }
  const names = (values.get('name') ?? '').split(',').filter((name) => name !== '');
  const push = type === 'registry' || readSwitch(values.get('push'), 'push') === true;
  const layers = readCompression(values.get('compression'), '--output: compression');
  return { spec: { type, dest, push, isTar }, names, layers };
}

const HINT = `there is type=${TYPES.join(', ')}`;

function isType(text: string): text is OutputType {
  return (TYPES as readonly string[]).includes(text);
}

function readSwitch(text: string | undefined, key: string): boolean | undefined {
  if (text === undefined) return undefined;
  if (/^(1|t|true)$/i.test(text)) return true;
  if (/^(0|f|false)$/i.test(text)) return false;
  throw new WctrError('invalid-argument', `--output: ${key} must be true or false, not "${text}"`);
}

function readCompression(text: string | undefined, what: string): BuildRequest['compression'] {
  if (text === undefined || text === 'uncompressed' || text === 'gzip') return text;
  throw new WctrError('unsupported', `${what} "${text}" is not supported`, { hint: 'write uncompressed or gzip' });
}

function goesToStdout({ type, dest }: OutputSpec): boolean {
  if (type === 'oci' || type === 'tar') return dest === undefined || dest === '' || dest === '-';
  return dest === '-';
}

function outputOf(context: Context, spec: OutputSpec): BuildOutput {
  const { type, dest, push, isTar } = spec;
  if (type === 'cacheonly') return { type: 'none' };
  if (type === 'image' || type === 'registry') return push ? { type: 'image', push } : { type: 'image' };
  // docker's `type=docker` without a file loads the image into the engine.
  if (type === 'docker' && dest === undefined) return { type: 'image' };
  const isTree = isTar === false || (isTar === undefined && (type === 'local' || type === 'edge'));
  const write = goesToStdout(spec)
    ? toStdout(context)
    : isTree
      ? toDirectory(context, dest!)
      : (tar: AsyncIterable<Uint8Array>) => context.host.writeStream(dest!, tar);
  return { type: type === 'local' || type === 'tar' ? 'files' : type, write };
}

type Write = (tar: AsyncIterable<Uint8Array>) => Promise<void>;

function toStdout({ host }: Context): Write {
  return async (tar) => {
    for await (const chunk of tar) await host.writeStdout(chunk);
  };
}

function toDirectory({ host }: Context, dest: string): Write {
  return async (tar) => {
    const tree = await host.localTree();
    await tree.unpack(tar, host.resolvePath(dest), { owners: false, below: true });
  };
}
