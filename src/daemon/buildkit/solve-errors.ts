/**
 * Why a build failed, with the place in the Dockerfile: BuildKit's details of an error are JSON, named by the type they
 * are of (util/grpcerrors and solver/errdefs of github.com/moby/buildkit).
 */
import { SourceText } from '../../build/dockerfile/source.ts';
import { isWctrError } from '../../errors.ts';
import { base64, codeOf, GrpcError } from './grpc/status.ts';
import type { DockerfileText } from './load-build.ts';

const SOURCE_TYPE = 'github.com/moby/buildkit/errdefs.Source+json';
/** Clients show a few lines around the place; those far away are sent as empty ones, so that numbers stay. */
const LINES_AROUND = 8;
const MAX_LINE_CHARS = 500;

export function solveError(error: unknown, dockerfile: DockerfileText | undefined): unknown {
  if (!isWctrError(error)) return error;
  const { line, offset, length } = error.data;
  const hint = error.hint === undefined ? '' : ` (${error.hint})`;
  const message = `${error.message}${hint}`;
  if (dockerfile === undefined || typeof line !== 'number') return new GrpcError(codeOf(error), message);
  const end = typeof offset === 'number' && typeof length === 'number' ? offset + Math.max(0, length - 1) : 0;
  const last = Math.max(line, new SourceText(dockerfile.text).position(end).line);
  const lines = dockerfile.text.split('\n');
  const near = lines
    .slice(0, last + LINES_AROUND)
    .map((text, at) => (at + 1 < line - LINES_AROUND ? '' : text.slice(0, MAX_LINE_CHARS)));
  const source = {
    info: {
      filename: dockerfile.name,
      data: base64(new TextEncoder().encode(near.join('\n'))),
      language: 'Dockerfile',
    },
    ranges: [{ start: { line }, end: { line: last } }],
  };
  const value = new TextEncoder().encode(JSON.stringify(source));
  return new GrpcError(codeOf(error), message, [{ typeUrl: SOURCE_TYPE, value }]);
}
