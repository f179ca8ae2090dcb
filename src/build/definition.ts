/** A build's Dockerfile and ignore file, from the context or from whoever has them. */
import { WctrError } from '../errors.ts';
import { collect } from '../images/archive/files.ts';
import { quote } from '../images/quote.ts';
import type { Dockerfile } from './dockerfile/ast.ts';
import { lintDockerfile } from './dockerfile/lint/lint.ts';
import type { LintWarning } from './dockerfile/lint/report.ts';
import { asDockerfile, MAX_DOCKERFILE_BYTES, readDockerfile } from './dockerfile/parse.ts';
import type { SourceText } from './dockerfile/source.ts';
import type { PlanOptions } from './dockerfile/stages.ts';
import { IgnoreMatcher, parseIgnoreFile } from './ignore/ignore-matcher.ts';
import type { BuildProgress, VertexProgress } from './solve/progress.ts';
import type { FileTree } from './tree/file-tree.ts';
import { IgnoredTree } from './tree/ignored-tree.ts';
import { resolvePath } from './tree/resolve-path.ts';

export interface DefinitionRequest {
  /** As it is, with everything .dockerignore would leave out. */
  readonly context: FileTree;
  /** Path inside the context, default `Dockerfile`; or its text. */
  readonly dockerfile?: { readonly path: string } | { readonly text: string; readonly name: string } | undefined;
  /** In place of the context's own. */
  readonly ignore?: string | undefined;
}

export interface Definition {
  readonly file: Dockerfile;
  /** Without what is ignored. */
  readonly context: FileTree;
  readonly vertex: string;
}

const MAX_IGNORE_BYTES = 1 << 20;
const MAX_CHECKED_LINES = 5000;

export async function loadDefinition(
  progress: BuildProgress,
  request: DefinitionRequest,
  plan: PlanOptions,
): Promise<Definition> {
  const { context, dockerfile } = request;
  const given = dockerfile !== undefined && 'text' in dockerfile ? dockerfile : undefined;
  const name = given?.name ?? (dockerfile as { path: string } | undefined)?.path ?? 'Dockerfile';
  const digest = progress.digest('definition', name);
  const what = `[internal] load build definition from ${baseName(name)}`;
  const file = await told(progress.start(digest, what), async (vertex) => {
    const input = given?.text ?? (await readDefinition(context, name));
    const read = readDockerfile(input, { name });
    warn(vertex, read.source, input, plan);
    return asDockerfile(read);
  });
  const ignoring = progress.start(progress.digest('ignore'), '[internal] load .dockerignore');
  const matcher = await told(ignoring, async () => {
    const own = request.ignore ?? (await readSmall(context, `${name}.dockerignore`, MAX_IGNORE_BYTES));
    const found = own ?? (await readSmall(context, '.dockerignore', MAX_IGNORE_BYTES));
    return found === undefined ? undefined : new IgnoreMatcher(parseIgnoreFile(found));
  });
  return { file, context: matcher === undefined ? context : new IgnoredTree(context, matcher), vertex: digest };
}

/** A context beside the build context: its own .dockerignore counts for it. */
export async function withoutIgnored(tree: FileTree): Promise<FileTree> {
  const found = await readSmall(tree, '.dockerignore', MAX_IGNORE_BYTES);
  return found === undefined ? tree : new IgnoredTree(tree, new IgnoreMatcher(parseIgnoreFile(found)));
}

/** Tells what `--check` would. Throws where the Dockerfile says that this is to fail it. */
function warn(vertex: VertexProgress, source: SourceText, input: string | Uint8Array, plan: PlanOptions): void {
  // A build waits for its warnings: a file nobody has read through is built without them
  if (source.lineCount > MAX_CHECKED_LINES) return;
  const { warnings, isViolation, error } = lintDockerfile(input, { ...plan, name: source.name });
  const data = typeof input === 'string' ? new TextEncoder().encode(input) : input;
  vertex.warn(warnings.map((warning) => warningOf(warning, source, data)));
  if (!isViolation || error !== undefined) return;
  const rules = [...new Set(warnings.map(({ rule }) => rule.name))].sort();
  throw new WctrError('invalid-dockerfile', `lint violation found for rules: ${rules.join(', ')}`, {
    hint: 'the check directive says error=true',
  });
}

function warningOf({ rule, message, line, span }: LintWarning, source: SourceText, data: Uint8Array) {
  const [start, end] = [source.position(span.start), source.position(span.end)];
  return {
    level: 1,
    short: `${rule.name}: ${message} (line ${line})`,
    detail: [rule.description],
    url: rule.url,
    sourceInfo: { filename: source.name, data },
    range: [
      {
        start: { line: start.line, character: start.column - 1 },
        end: { line: end.line, character: end.column - 1 },
      },
    ],
  };
}

async function told<T>(vertex: VertexProgress, action: (vertex: VertexProgress) => Promise<T>): Promise<T> {
  try {
    const result = await action(vertex);
    vertex.end();
    return result;
  } catch (error) {
    vertex.end({ error: error instanceof Error ? error.message : String(error) });
    throw error;
  }
}

async function readDefinition(context: FileTree, path: string): Promise<Uint8Array> {
  const found = await readSmall(context, path, MAX_DOCKERFILE_BYTES);
  if (found !== undefined) return found;
  const shown = quote(path).slice(1, -1);
  throw new WctrError('not-found', `failed to read dockerfile: open ${shown}: no such file or directory`, {
    hint: `name it with --file, or put it into ${context.what}`,
  });
}

async function readSmall(tree: FileTree, path: string, limitBytes: number): Promise<Uint8Array | undefined> {
  const entry = await tree.lstat(await resolvePath(tree, path));
  if (entry?.read === undefined) return undefined;
  if (entry.size > limitBytes) {
    throw new WctrError('limit-exceeded', `${quote(path)} has ${entry.size} bytes; ${limitBytes} are allowed`, {
      hint: 'put what makes it long into files, and COPY them',
      data: { file: path, bytes: entry.size, limit: limitBytes },
    });
  }
  return collect(entry.read());
}

function baseName(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}
