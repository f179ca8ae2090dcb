/** `--check`: what is wrong with a Dockerfile, in docker's words, without building it. */
import {
  type BaseImageFacts,
  type LintOptions,
  type LintResult,
  lintDockerfile,
} from '../../build/dockerfile/lint/lint.ts';
import { SourceText } from '../../build/dockerfile/source.ts';
import { IgnoreMatcher, parseIgnoreFile } from '../../build/ignore/ignore-matcher.ts';
import type { BuildRequest } from '../../engine/builds.ts';
import { isWctrError, WctrError } from '../../errors.ts';
import { parsePlatform } from '../../images/platform.ts';
import type { Context } from '../command.ts';
import { printableLine } from '../format/units.ts';

/** The exit code: 1 when something was found. */
export async function checkDockerfile(context: Context, request: BuildRequest): Promise<number> {
  const { terminal } = context;
  const { text, name, ignore } = await readSource(context, request);
  const result = await lint(context, text, name, ignore, request);
  const { warnings, error } = result;
  const source = new SourceText(text, name);
  if (warnings.length > 0) {
    const count = warnings.length === 1 ? '1 warning has' : `${warnings.length} warnings have`;
    terminal.out(`Check complete, ${count} been found!\n`);
  }
  for (const { rule, message, span } of warnings) {
    const last = source.position(Math.max(span.start, span.end - 1)).line;
    const excerpt = excerptOf(source, source.position(span.start).line, last);
    terminal.out(`\nWARNING: ${rule.name} - ${rule.url}\n${printableLine(message)}\n${excerpt}`);
  }
  if (error !== undefined) throw error;
  if (warnings.length === 0) terminal.out('Check complete, no warnings found.\n');
  return warnings.length === 0 ? 0 : 1;
}

async function readSource({ host }: Context, { context, dockerfile, ignore }: BuildRequest) {
  const read = async (path: string) => {
    return (await host.kind(path)) === 'file' ? new TextDecoder().decode(await host.readFile(path)) : undefined;
  };
  const directory = 'directory' in context ? context.directory : undefined;
  if (dockerfile !== undefined && 'text' in dockerfile) {
    const beside = ignore ?? (directory === undefined ? undefined : await read(`${directory}/.dockerignore`));
    return { text: dockerfile.text, name: dockerfile.name, ignore: beside };
  }
  if (directory === undefined) {
    throw new WctrError('unsupported', '--check reads a directory or a Dockerfile on standard input', {
      hint: 'unpack the context first',
    });
  }
  const name = dockerfile?.path ?? 'Dockerfile';
  const text = new TextDecoder().decode(await host.readFile(`${directory}/${name}`));
  const own = ignore ?? (await read(`${directory}/${name}.dockerignore`)) ?? (await read(`${directory}/.dockerignore`));
  return { text, name, ignore: own };
}

async function lint(
  context: Context,
  text: string,
  name: string,
  ignore: string | undefined,
  request: BuildRequest,
): Promise<LintResult> {
  const buildPlatform = parsePlatform('wasi/wasm');
  const given = Object.entries(request.buildArgs ?? {}).filter((arg): arg is [string, string] => arg[1] !== null);
  const options: LintOptions = {
    name,
    targetPlatform: parsePlatform(request.platforms?.[0] ?? 'wasi/wasm'),
    buildPlatform,
    buildArgs: Object.fromEntries(given),
    contexts: new Set(Object.keys(request.contexts ?? {})),
    ...(request.target === undefined ? {} : { target: request.target }),
    ...(ignore === undefined ? {} : { ignored: new IgnoreMatcher(parseIgnoreFile(ignore)) }),
  };
  const wanted = new Set<string>();
  const first = lintDockerfile(text, {
    ...options,
    baseImage: (image) => {
      wanted.add(image);
      return undefined;
    },
  });
  const facts = await factsOf(context, wanted);
  return facts.size === 0 ? first : lintDockerfile(text, { ...options, baseImage: (image) => facts.get(image) });
}

/** Of those images that are here; a check pulls nothing. */
async function factsOf(context: Context, names: ReadonlySet<string>): Promise<ReadonlyMap<string, BaseImageFacts>> {
  const facts = new Map<string, BaseImageFacts>();
  if (names.size === 0) return facts;
  const { images } = await context.engine();
  for (const name of names) {
    try {
      const { Config } = (await images.inspect(name)) as {
        Config?: { Env?: string[] | null; Shell?: string[] | null };
      };
      facts.set(name, { env: Config?.Env ?? [], hasShell: (Config?.Shell ?? []).length > 0 });
    } catch (error) {
      if (!isWctrError(error)) throw error;
    }
  }
  return facts;
}

const BAR = '--------------------\n';

/** Lines with their neighbours, as docker draws them: `   3 | >>> RUN false`. */
function excerptOf(source: SourceText, first: number, last: number): string {
  const around = first === last ? 2 : 1;
  const [from, to] = [Math.max(1, first - around), Math.min(source.lineCount, last + around)];
  let rows = '';
  for (let line = from; line <= to; line += 1) {
    const mark = line >= first && line <= last ? '>>>' : '   ';
    rows += `${` ${String(line).padStart(3)} | ${mark} ${printableLine(source.line(line))}`.trimEnd()}\n`;
  }
  return `${printableLine(source.name)}:${first}\n${BAR}${rows}${BAR}`;
}
