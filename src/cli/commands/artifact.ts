/** `wctr artifact`: files in registries that are no images: Wasm modules, and what is attached to images. */
import { WctrError } from '../../errors.ts';
import { type ArtifactFile, attachedArtifact, wasmArtifact } from '../../images/artifact.ts';
import { pullArtifact, pushArtifact, subjectOf } from '../../images/artifact-transfer.ts';
import { permitRemote } from '../../images/copy/permit.ts';
import { familiarName, parseReference } from '../../images/reference.ts';
import { listReferrers } from '../../images/registry/referrers.ts';
import { ANNOTATION, type Digest } from '../../spec/image-spec.ts';
import type { Command, Context } from '../command.ts';
import type { Flag, ParsedFlags } from '../flags.ts';
import { renderTable } from '../format/table.ts';
import { compileTemplate } from '../format/template.ts';
import { humanSize, printable } from '../format/units.ts';
import { createProgress, NO_PROGRESS } from '../progress.ts';
import { keyValues } from './environment.ts';
import { registryTools } from './registry-flags.ts';

const ANNOTATIONS: Flag = {
  name: 'annotation',
  type: 'list',
  value: 'name=value',
  description: 'Say this of the artifact in its manifest',
};
const QUIET: Flag = { name: 'quiet', short: 'q', type: 'boolean', description: 'Print the result only' };
const MEDIA_TYPE = /^[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]{0,126}\/[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]{0,126}$/;
/** All of a file is in memory at once. */
const MAX_FILE_BYTES = 1024 * 1024 * 1024;

function options(context: Context, flags: ParsedFlags, createdMs: number | undefined) {
  const annotations = keyValues(flags.list('annotation'));
  const epoch = context.terminal.env.SOURCE_DATE_EPOCH;
  const ms = epoch !== undefined && /^\d{1,11}$/.test(epoch) ? Number(epoch) * 1000 : createdMs;
  return {
    ...(ms === undefined
      ? {}
      : { created: new Date(Math.floor(ms / 1000) * 1000).toISOString().replace('.000Z', 'Z') }),
    ...(Object.keys(annotations).length === 0 ? {} : { annotations }),
  };
}

async function readFile(context: Context, path: string): Promise<ArtifactFile & { readonly modifiedMs: number }> {
  const { fs } = await registryTools(context);
  const stat = await fs.stat(context.host.resolvePath(path)).catch((cause: unknown) => {
    throw new WctrError('not-found', `no such file: ${path}`, { cause });
  });
  if (!stat.isFile()) throw new WctrError('invalid-argument', `${path} is no file`);
  if (stat.size > MAX_FILE_BYTES) throw new WctrError('limit-exceeded', `${path} is larger than 1 GiB`);
  const name = path.slice(Math.max(path.lastIndexOf('/'), path.lastIndexOf('\\')) + 1);
  return { name, bytes: await fs.readFile(context.host.resolvePath(path)), modifiedMs: stat.mtimeMs };
}

async function withProgress<T>(
  context: Context,
  flags: ParsedFlags,
  work: (show: Parameters<typeof pushArtifact>[3] & object) => Promise<T>,
): Promise<T> {
  const progress = flags.bool('quiet') ? NO_PROGRESS : createProgress(context.terminal);
  try {
    return await work({ onEvent: (event) => progress.show(event), signal: context.signal });
  } finally {
    progress.end();
  }
}

export const push: Command = {
  usage: 'NAME[:TAG] FILE',
  args: [2, 2],
  flags: [{ name: 'author', type: 'string', description: 'Who made it' }, ANNOTATIONS, QUIET],
  examples: ['wctr artifact push localhost:5000/tools/hello:1.0 hello.wasm'],
  async run(context, [name, path], flags) {
    const reference = parseReference(name!);
    if (reference.digest !== undefined) {
      throw new WctrError('invalid-reference', `cannot push ${familiarName(reference)}: a push needs a tag`);
    }
    const author = flags.string('author');
    const tools = await registryTools(context);
    const file = await readFile(context, path!);
    const artifact = await wasmArtifact(file, {
      createHasher: tools.createHasher,
      // The file's own time, so that the same file is the same artifact.
      ...options(context, flags, file.modifiedMs),
      ...(author === undefined ? {} : { author }),
    });
    const client = await tools.client();
    const digest = await withProgress(context, flags, (show) => pushArtifact(client, reference, artifact, show));
    context.terminal.out(`${digest}\n`);
    return 0;
  },
};

export const pull: Command = {
  usage: 'NAME[:TAG|@DIGEST]',
  args: [1, 1],
  flags: [
    {
      name: 'output',
      short: 'o',
      type: 'string',
      value: 'path',
      description: 'Write to this file, or into this directory (default .)',
    },
    QUIET,
  ],
  examples: [
    'wctr artifact pull localhost:5000/tools/hello:1.0',
    'wctr artifact pull -o hello.wasm ghcr.io/example/hello',
  ],
  async run(context, [name], flags) {
    const reference = parseReference(name!);
    const tools = await registryTools(context);
    const output = context.host.resolvePath(flags.string('output') ?? '.');
    const kind = await context.host.kind(output);
    const to = kind === 'directory' ? { directory: output } : { file: output };
    const client = await tools.client();
    const permit = (digests: readonly Digest[]) => permitRemote(tools, reference, digests, context.signal);
    const files = await withProgress(context, flags, (show) =>
      pullArtifact(client, reference, tools.fs, to, { ...show, permit }),
    );
    for (const { path } of files) context.terminal.out(`${printable(path)}\n`);
    return 0;
  },
};

export const attach: Command = {
  usage: 'NAME[:TAG|@DIGEST] FILE [FILE...]',
  args: [2, Number.POSITIVE_INFINITY],
  flags: [
    { name: 'type', type: 'string', value: 'media type', description: 'What the files are (required)' },
    ANNOTATIONS,
    QUIET,
  ],
  examples: ['wctr artifact attach --type application/spdx+json localhost:5000/app:1 sbom.spdx.json'],
  async run(context, [name, ...paths], flags) {
    const reference = parseReference(name!);
    const type = mediaType(flags, 'type');
    if (type === undefined) {
      throw new WctrError('invalid-argument', 'what is to be attached has no --type', {
        hint: 'such as --type application/spdx+json',
      });
    }
    const tools = await registryTools(context);
    const client = await tools.client();
    const files = await Promise.all(paths.map((path) => readFile(context, path)));
    const subject = await subjectOf(client, reference, context.signal);
    const artifact = await attachedArtifact(type, files, subject, {
      createHasher: tools.createHasher,
      ...options(context, flags, Math.max(...files.map(({ modifiedMs }) => modifiedMs))),
    });
    const place = { domain: reference.domain, path: reference.path };
    const digest = await withProgress(context, flags, (show) => pushArtifact(client, place, artifact, show));
    context.terminal.out(`${digest}\n`);
    return 0;
  },
};

export const referrers: Command = {
  usage: 'NAME[:TAG|@DIGEST]',
  args: [1, 1],
  flags: [
    { name: 'type', type: 'string', value: 'media type', description: 'Show those of this type only' },
    { name: 'quiet', short: 'q', type: 'boolean', description: 'Print digests only' },
    { name: 'format', type: 'string', value: 'template', description: "Go template, 'table' or 'json'" },
  ],
  examples: [
    'wctr artifact referrers localhost:5000/app:1',
    'wctr artifact referrers --type application/spdx+json app',
  ],
  async run(context, [name], flags) {
    const reference = parseReference(name!);
    const artifactType = mediaType(flags, 'type');
    const client = await (await registryTools(context)).client();
    const { signal, terminal } = context;
    const subject = await subjectOf(client, reference, signal);
    const found = await listReferrers(client, reference, subject.digest, {
      signal,
      ...(artifactType === undefined ? {} : { artifactType }),
    });
    const rows = found.map((one) => ({
      Digest: one.digest,
      ArtifactType: printable(one.artifactType ?? one.mediaType),
      Size: humanSize(one.size),
      Created: printable(one.annotations?.[ANNOTATION.created] ?? ''),
      Annotations: one.annotations ?? {},
    }));
    const format = flags.string('format') ?? 'table';
    if (flags.bool('quiet')) terminal.out(rows.map(({ Digest }) => `${Digest}\n`).join(''));
    else if (format === 'table') {
      const cells = rows.map((row) => [row.Digest, row.ArtifactType, row.Created]);
      terminal.out(renderTable(['DIGEST', 'TYPE', 'CREATED'], cells));
    } else {
      const render = compileTemplate(format.replace(/^table\s+/, ''));
      for (const row of rows) terminal.out(`${render(row)}\n`);
    }
    return 0;
  },
};

function mediaType(flags: ParsedFlags, name: string): string | undefined {
  const value = flags.string(name);
  if (value === undefined || MEDIA_TYPE.test(value)) return value;
  throw new WctrError('invalid-argument', `"${printable(value)}" is not a media type`);
}
