/** `docker build --check` and `--call`: questions about a Dockerfile, answered without building it. */
import { lintDockerfile } from '../../build/dockerfile/lint/lint.ts';
import { parseDockerfile } from '../../build/dockerfile/parse.ts';
import { SourceText } from '../../build/dockerfile/source.ts';
import { isWctrError } from '../../errors.ts';
import { parsePlatform } from '../../images/platform.ts';
import { buildOptions, prefixed } from './attributes.ts';
import { base64, GrpcError, UNIMPLEMENTED } from './grpc/status.ts';
import type { DockerfileText } from './load-build.ts';
import { solveError } from './solve-errors.ts';
import type { Attributes } from './solves.ts';

const OWN_PLATFORM = 'wasi/wasm';
/** Of frontend/subrequests in github.com/moby/buildkit. */
const VERSION = '1.0.0';

/** The metadata of a result: `result.json` for programs, `result.txt` for people. */
export function answerSubrequest(
  name: string,
  dockerfile: DockerfileText,
  attributes: Attributes,
): ReadonlyMap<string, Uint8Array> {
  try {
    if (name === 'frontend.lint') return answer(lint(dockerfile, attributes));
    if (name === 'frontend.targets') return answer(targets(dockerfile));
    if (name === 'frontend.subrequests.describe') return answer(describe());
  } catch (error) {
    throw solveError(error, dockerfile);
  }
  throw new GrpcError(UNIMPLEMENTED, `there is no answer to ${name.slice(0, 100)}`);
}

interface Answer {
  readonly document: unknown;
  readonly text: string;
  readonly statusCode?: number;
}

function answer({ document, text, statusCode }: Answer): ReadonlyMap<string, Uint8Array> {
  const encoder = new TextEncoder();
  const found = new Map([
    ['result.json', encoder.encode(JSON.stringify(document, undefined, 2))],
    ['result.txt', encoder.encode(text)],
    ['version', encoder.encode(VERSION)],
  ]);
  if (statusCode !== undefined) found.set('result.statuscode', encoder.encode(String(statusCode)));
  return found;
}

function lint({ name, text }: DockerfileText, attributes: Attributes): Answer {
  const { buildArgs = {}, target, platforms = [OWN_PLATFORM] } = buildOptions(attributes);
  const given = Object.entries(buildArgs).filter((arg): arg is [string, string] => arg[1] !== null);
  const { warnings, error } = lintDockerfile(text, {
    name,
    targetPlatform: parsePlatform(platforms[0] ?? OWN_PLATFORM),
    buildPlatform: parsePlatform(OWN_PLATFORM),
    buildArgs: Object.fromEntries(given),
    contexts: new Set(Object.keys(prefixed(attributes, 'context:'))),
    ...(target === undefined ? {} : { target }),
  });
  const source = new SourceText(text, name);
  const found = warnings.map(({ rule, message, span }) => {
    const line = source.position(span.start).line;
    const last = source.position(Math.max(span.start, span.end - 1)).line;
    return {
      ruleName: rule.name,
      description: rule.description,
      url: rule.url,
      detail: message,
      location: { ranges: [{ start: { line }, end: { line: last } }] },
    };
  });
  const broken = isWctrError(error) ? error : undefined;
  const line = typeof broken?.data.line === 'number' ? broken.data.line : 1;
  return {
    document: {
      warnings: found,
      sources: [{ filename: name, language: 'Dockerfile', data: base64(new TextEncoder().encode(text)) }],
      ...(broken === undefined
        ? {}
        : { buildError: { message: broken.message, location: { ranges: [{ start: { line }, end: { line } }] } } }),
    },
    text: found
      .map(({ ruleName, url, detail, location }) => {
        return `\nWARNING: ${ruleName} - ${url}\n${detail}\n${name}:${location.ranges[0]?.start.line}\n`;
      })
      .join(''),
    statusCode: found.length > 0 || broken !== undefined ? 1 : 0,
  };
}

function targets({ name, text }: DockerfileText): Answer {
  const { stages } = parseDockerfile(text, { name });
  const found = stages.map((stage, at) => ({
    ...(stage.name === undefined ? {} : { name: stage.name }),
    ...(at === stages.length - 1 ? { default: true } : {}),
  }));
  const rows = found.map((target) => `${target.name ?? ''}${target.default === true ? ' (default)' : ''}`.trim());
  return { document: { targets: found, sources: [base64(new TextEncoder().encode(text))] }, text: rows.join('\n') };
}

function describe(): Answer {
  const known = [
    { name: 'frontend.lint', description: 'Lint a Dockerfile' },
    { name: 'frontend.targets', description: 'List all targets current build supports' },
    { name: 'frontend.subrequests.describe', description: 'List available subrequest types' },
  ];
  const document = known.map((request) => ({ ...request, version: VERSION, type: 'rpc', opts: [], metadata: [] }));
  return { document, text: known.map(({ name, description }) => `${name}  ${description}`).join('\n') };
}
