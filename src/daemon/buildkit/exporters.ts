/** `--output`, `--tag`, `--push`, `--annotation` of a client: exporters of BuildKit as outputs of a build. */
import type { BuildOutput, BuildRequest } from '../../engine/builds.ts';
import { WctrError } from '../../errors.ts';
import { quote } from '../../images/quote.ts';
import { sendDirectory } from './session/send-directory.ts';
import { sendFile } from './session/services.ts';
import type { Session } from './session/session.ts';
import type { Spool } from './session/spool.ts';
import type { Attributes, SolveRequest } from './solves.ts';

type Exports = Pick<BuildRequest, 'outputs' | 'tags' | 'annotations' | 'compression'>;

export interface ExportParts {
  readonly session: Session;
  readonly signal: AbortSignal;
  readonly spool: Spool;
}

/** Throws `unsupported`. */
export function exportsOf(request: SolveRequest, parts: ExportParts): Exports {
  const exporters =
    request.Exporters.length > 0 || request.ExporterDeprecated === ''
      ? request.Exporters
      : [{ Type: request.ExporterDeprecated, Attrs: request.ExporterAttrsDeprecated }];
  const outputs: BuildOutput[] = [];
  const tags = new Set<string>();
  let annotations: Record<string, string> = {};
  let compression: BuildRequest['compression'];
  for (const [id, { Type = '', Attrs = new Map() }] of exporters.entries()) {
    outputs.push(outputOf(Type, Attrs, id, parts));
    for (const name of (Attrs.get('name') ?? '').split(',').filter(Boolean)) tags.add(name);
    annotations = { ...annotations, ...annotationsOf(Attrs) };
    compression = compressionOf(Attrs.get('compression')) ?? compression;
  }
  return {
    outputs: outputs.length === 0 ? [{ type: 'none' }] : outputs,
    tags: [...tags],
    ...(Object.keys(annotations).length === 0 ? {} : { annotations }),
    ...(compression === undefined ? {} : { compression }),
  };
}

function outputOf(type: string, attrs: Attributes, id: number, { session, signal, spool }: ExportParts): BuildOutput {
  const toFile = (tar: AsyncIterable<Uint8Array>) => sendFile(session, id, tar, signal);
  if (type === 'moby' || type === 'image') return { type: 'image', push: isTrue(attrs.get('push')) };
  if (type === 'oci' || type === 'docker') {
    if (attrs.get('tar') === 'false') {
      throw new WctrError('unsupported', `an output of type ${type} is written as a tar only`, {
        hint: 'leave tar=false out',
      });
    }
    return { type, write: toFile };
  }
  if (type === 'tar') return { type: 'files', write: toFile };
  if (type === 'local') {
    return { type: 'files', write: (tar) => sendDirectory(session, id, tar, spool, signal) };
  }
  throw new WctrError('unsupported', `there is no output of type ${quote(type)}`, {
    hint: 'use image, oci, docker, local or tar',
  });
}

function isTrue(text: string | undefined): boolean {
  return text !== undefined && /^(1|t|true)$/i.test(text);
}

/** `annotation.KEY`, `annotation-index.KEY`, `annotation-manifest-descriptor.KEY`. */
function annotationsOf(attrs: Attributes): Record<string, string> {
  const found: [string, string][] = [];
  for (const [name, value] of attrs) {
    const [, type, platform, key] = /^annotation(?:-([a-z-]+))?(\[[^\]]*\])?\.(.+)$/.exec(name) ?? [];
    if (key === undefined) continue;
    if (platform !== undefined) {
      throw new WctrError('unsupported', `an annotation of one platform is not written: ${quote(name)}`);
    }
    found.push([type === undefined ? key : `${type}:${key}`, value]);
  }
  return Object.fromEntries(found);
}

function compressionOf(name: string | undefined): BuildRequest['compression'] {
  if (name === undefined || name === 'uncompressed' || name === 'gzip') return name;
  throw new WctrError('unsupported', `layers are not compressed with ${quote(name)}`, { hint: 'use gzip' });
}
