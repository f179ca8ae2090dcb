/** A line of `wctr build` as the request it stands for. */
import type { BuildRequest, CacheLocation } from '../../engine/builds.ts';
import { WctrError } from '../../errors.ts';
import type { Context } from '../command.ts';
import { keyValues } from '../commands/environment.ts';
import type { ParsedFlags } from '../flags.ts';
import { parseBytes } from '../format/units.ts';
import { chooseContext, isAddress, readPlace } from './context.ts';
import { readFields, unknownField } from './csv.ts';
import { refuseFlags } from './flags.ts';
import { type OutputPlan, planOutputs } from './outputs.ts';
import { readSecrets } from './secrets.ts';

export interface BuildLine {
  readonly request: BuildRequest;
  readonly plan: OutputPlan;
}

/** Throws for what is wrong with the line, before anything is built. */
export async function readBuildLine(context: Context, place: string, flags: ParsedFlags): Promise<BuildLine> {
  refuseFlags(flags);
  const plan = planOutputs(context, flags);
  const tags = [...flags.list('tag'), ...plan.tags];
  if (tags.includes('')) throw new WctrError('invalid-argument', '--tag is empty', { hint: 'write name[:tag]' });
  if (plan.pushes && tags.length === 0) {
    throw new WctrError('invalid-argument', 'tag is needed when pushing to registry', { hint: 'add -t NAME' });
  }
  const target = flags.string('target');
  const network = readNetwork(flags.string('network'));
  const memory = flags.string('memory');
  const provenance = readProvenance(flags);
  const secret = await readSecrets(context, flags.list('secret'));
  const platforms = flags
    .list('platform')
    .flatMap((text) => text.split(','))
    .map((text) => text.trim());
  const noCache = flags.bool('no-cache') || flags.list('no-cache-filter').flatMap((text) => text.split(','));
  const request: BuildRequest = {
    ...(await chooseContext(context, place, flags.string('file'))),
    buildArgs: readBuildArgs(context, flags.list('build-arg')),
    contexts: await readContexts(context, flags.list('build-context')),
    tags,
    labels: keyValues(flags.list('label')),
    annotations: readAnnotations(flags.list('annotation')),
    noCache,
    pull: flags.bool('pull'),
    reproducible: flags.bool('reproducible'),
    extraHosts: flags.list('add-host').map(readHost),
    cacheFrom: flags.list('cache-from').map((text) => readCache(context, '--cache-from', text)),
    cacheTo: flags.list('cache-to').map((text) => readCache(context, '--cache-to', text)),
    ...(target === undefined ? {} : { target }),
    ...(platforms.length === 0 ? {} : { platforms }),
    ...(network === undefined ? {} : { network }),
    ...(memory === undefined ? {} : { memoryBytes: parseBytes(memory, '--memory') }),
    ...(provenance === undefined ? {} : { provenance }),
    ...(secret === undefined ? {} : { secret }),
    ...(plan.outputs === undefined ? {} : { outputs: plan.outputs }),
    ...(plan.compression === undefined ? {} : { compression: plan.compression }),
  };
  return { request, plan };
}

/** `NAME` alone takes the caller's variable, and is only declared where there is none. */
export function readBuildArgs({ terminal }: Context, texts: readonly string[]): Record<string, string | null> {
  const args: Record<string, string | null> = {};
  // As docker does, so that one setting makes a whole script's images reproducible.
  const epoch = terminal.env.SOURCE_DATE_EPOCH;
  if (epoch !== undefined && epoch !== '') args.SOURCE_DATE_EPOCH = epoch;
  for (const text of texts) {
    const [, name = '', value] = /^([^=]*)(?:=([\s\S]*))?$/.exec(text) ?? [];
    if (name === '') {
      throw new WctrError('invalid-argument', `invalid build argument: "${text}"`, { hint: 'write NAME=value' });
    }
    // The name is the caller's, and may be one of an object's own.
    const entry = { value: value ?? terminal.env[name] ?? null, enumerable: true, configurable: true, writable: true };
    Object.defineProperty(args, name, entry);
  }
  return args;
}

async function readContexts(
  { host }: Context,
  texts: readonly string[],
): Promise<NonNullable<BuildRequest['contexts']>> {
  const contexts: Record<string, NonNullable<BuildRequest['contexts']>[string]> = {};
  for (const text of texts) {
    const [, name = '', place = ''] = /^([^=]*)=([\s\S]*)$/.exec(text) ?? [];
    if (name === '' || place === '') {
      throw new WctrError('invalid-argument', `invalid build context: "${text}"`, { hint: 'write name=DIR' });
    }
    const [, scheme, rest = ''] = /^(docker-image|oci-layout|target):(?:\/\/)?(.*)$/.exec(place) ?? [];
    if (scheme === 'docker-image') contexts[name] = { image: rest };
    else if (scheme !== undefined) {
      throw new WctrError('unsupported', `--build-context ${name}: ${scheme}: is not supported`, {
        hint: 'write a directory, an address, or docker-image://name',
      });
    } else contexts[name] = isAddress(place) ? { address: place } : await readPlace(host, place);
  }
  return contexts;
}

const ANNOTATION = /^(?:(?:manifest|index)(?:-descriptor)?:)?[^=:\s][^=:\s]*=/;

function readAnnotations(texts: readonly string[]): Record<string, string> {
  for (const text of texts) {
    if (ANNOTATION.test(text)) continue;
    throw new WctrError('invalid-argument', `invalid annotation: "${text}"`, {
      hint: 'write name=value, or index:name=value',
    });
  }
  return keyValues(texts);
}

/** `host:ip`, `host=ip`, `host=[::1]` -> `host:ip`. */
function readHost(text: string): string {
  const [, host = '', address = ''] = /^([^:=]+)[:=](.+)$/.exec(text) ?? [];
  const plain = address.replace(/^\[(.*)\]$/, '$1');
  if (host === '' || !/^(?:\d{1,3}(?:\.\d{1,3}){3}|[0-9a-f:.]*:[0-9a-f:.]*|host-gateway)$/i.test(plain)) {
    throw new WctrError('invalid-argument', `invalid value for --add-host: "${text}"`, { hint: 'write host:ip' });
  }
  return `${host}:${plain}`;
}

function readNetwork(text: string | undefined): BuildRequest['network'] {
  if (text === undefined || text === 'default' || text === 'none' || text === 'host') return text;
  throw new WctrError('unsupported', `network mode "${text}" is not supported by a build`, {
    hint: 'write default, none or host',
  });
}

/** Both `--provenance=mode=max` and `--attest type=provenance,mode=max`; the last one counts. */
function readProvenance(flags: ParsedFlags): BuildRequest['provenance'] {
  let mode: BuildRequest['provenance'];
  for (const text of flags.list('attest')) {
    const fields = readFields(text, '--attest');
    const type = fields.find(({ key }) => key === 'type')?.value;
    if (type !== 'provenance') {
      throw new WctrError('unsupported', `--attest: type "${type ?? text}" is not supported`, {
        hint: 'there is type=provenance',
      });
    }
    mode = provenanceOf(
      fields.filter(({ key }) => key !== 'type'),
      '--attest',
    );
  }
  const text = flags.string('provenance');
  return text === undefined ? mode : provenanceOf(readFields(text, '--provenance'), '--provenance');
}

function provenanceOf(fields: ReturnType<typeof readFields>, flag: string): BuildRequest['provenance'] {
  let mode: BuildRequest['provenance'] = 'min';
  for (const { key, value } of fields) {
    const word = value === undefined ? key : value.toLowerCase();
    if (key === 'disabled') mode = /^(1|t|true)$/.test(word) ? undefined : mode;
    else if (value !== undefined && key !== 'mode') throw unknownField(flag, key, ['mode', 'disabled']);
    else if (word === 'false') mode = undefined;
    else if (word === 'min' || word === 'max') mode = word;
    else if (word !== 'true') {
      throw new WctrError('invalid-argument', `${flag}: unknown mode "${word}"`, { hint: 'write min, max or false' });
    }
  }
  return mode;
}

type CacheFlag = '--cache-from' | '--cache-to';

/** `type=local,src=DIR`, `type=registry,ref=NAME`, or a name alone. */
function readCache({ host }: Context, flag: CacheFlag, text: string): CacheLocation & { mode?: 'min' | 'max' } {
  const fields = readFields(text, flag);
  if (fields.length === 1 && fields[0]?.value === undefined) return { type: 'registry', reference: text };
  const place = flag === '--cache-from' ? 'src' : 'dest';
  const values: Record<string, string> = {};
  for (const { key, value = '' } of fields) {
    const known = ['type', 'ref', place, ...(flag === '--cache-to' ? ['mode'] : [])];
    if (!known.includes(key)) throw unknownField(flag, key, known);
    values[key] = value;
  }
  const { type = 'registry', mode } = values;
  const kept: { mode?: 'min' | 'max' } = mode === 'min' || mode === 'max' ? { mode } : {};
  if (mode !== undefined && kept.mode === undefined) {
    throw new WctrError('invalid-argument', `${flag}: unknown mode "${mode}"`, { hint: 'write min or max' });
  }
  const needed = type === 'local' ? place : 'ref';
  const value = values[needed] ?? '';
  if (type !== 'local' && type !== 'registry') {
    throw new WctrError('unsupported', `${flag}: type "${type}" is not supported`, {
      hint: 'there is type=local and type=registry',
    });
  }
  if (value === '') throw new WctrError('invalid-argument', `${flag}: ${needed} is required for type=${type}`);
  return type === 'local' ? { type, directory: host.resolvePath(value), ...kept } : { type, reference: value, ...kept };
}
