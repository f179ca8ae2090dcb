/** `--secret`: read when a RUN mounts it, and kept nowhere. */
import { WctrError } from '../../errors.ts';
import type { Context } from '../command.ts';
import { readFields, unknownField } from './csv.ts';

/** docker's: a secret is a key or a password, not data. */
const MAX_SECRET_BYTES = 500 * 1024;

type Source = { readonly env: string } | { readonly file: string };

/** Checks that each is there, so that a build does not fail for it half way. */
export async function readSecrets(
  { host, terminal }: Context,
  texts: readonly string[],
): Promise<((id: string) => Promise<Uint8Array | undefined>) | undefined> {
  if (texts.length === 0) return undefined;
  const sources = new Map<string, Source>();
  for (const text of texts) {
    const { id, source } = readSecret(text, terminal.env);
    if ('file' in source && (await host.kind(source.file)) !== 'file') {
      throw new WctrError('not-found', `secret "${id}": no such file: ${source.file}`);
    }
    if ('env' in source && terminal.env[source.env] === undefined) {
      throw new WctrError('not-found', `secret "${id}": the environment has no variable ${source.env}`);
    }
    sources.set(id, source);
  }
  return async (id) => {
    const source = sources.get(id);
    if (source === undefined) return undefined;
    const bytes =
      'env' in source ? new TextEncoder().encode(terminal.env[source.env] ?? '') : await host.readFile(source.file);
    if (bytes.length > MAX_SECRET_BYTES) {
      throw new WctrError('limit-exceeded', `secret "${id}" is larger than ${MAX_SECRET_BYTES} bytes`);
    }
    return bytes;
  };
}

const KNOWN = ['id', 'src', 'source', 'env', 'type'];

function readSecret(text: string, env: Context['terminal']['env']): { id: string; source: Source } {
  const values: Record<string, string> = {};
  for (const { key, value } of readFields(text, '--secret')) {
    if (!KNOWN.includes(key)) throw unknownField('--secret', key, ['id', 'src', 'env', 'type']);
    if (value === undefined)
      throw new WctrError('invalid-argument', `--secret: invalid field "${key}": write key=value`);
    values[key === 'source' ? 'src' : key] = value;
  }
  const { id, type } = values;
  if (id === undefined || id === '') {
    throw new WctrError('invalid-argument', `--secret: id is missing: ${text}`, { hint: 'write id=NAME,src=FILE' });
  }
  if (type !== undefined && type !== 'file' && type !== 'env') {
    throw new WctrError('invalid-argument', `--secret: unsupported secret type "${type}"`, {
      hint: 'write file or env',
    });
  }
  if (values.env !== undefined && values.src !== undefined) {
    throw new WctrError('invalid-argument', `secret "${id}": src and env cannot be used together`);
  }
  if (values.env !== undefined) return { id, source: { env: values.env } };
  if (values.src !== undefined) return { id, source: type === 'env' ? { env: values.src } : { file: values.src } };
  const isVariable = type === 'env' || (type === undefined && env[id] !== undefined);
  return { id, source: isVariable ? { env: id } : { file: id } };
}
