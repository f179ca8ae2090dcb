/** What is built, and by which Dockerfile: `PATH | URL | -` and `--file`. */
import type { BuildContextSource, BuildRequest } from '../../engine/builds.ts';
import { WctrError } from '../../errors.ts';
import type { CliHost, Context } from '../command.ts';

export type ContextChoice = Pick<BuildRequest, 'context' | 'dockerfile' | 'ignore'>;

/** Throws `not-found` and `invalid-argument`. */
export async function chooseContext(
  { host, terminal }: Context,
  place: string,
  file: string | undefined,
): Promise<ContextChoice> {
  if (file !== undefined && isAddress(file)) {
    throw new WctrError('unsupported', `the Dockerfile cannot be an address: ${file}`, {
      hint: 'download it, or pipe it: curl URL | wctr build -f - PATH',
    });
  }
  if (file === '-') {
    if (place === '-') throw new WctrError('invalid-argument', "can't use stdin for both build context and dockerfile");
    refuseTerminal(terminal.stdinIsTTY, 'a Dockerfile');
    const text = await textOf(host.stdin());
    return { ...(await plainContext(host, place)), dockerfile: { text, name: 'Dockerfile' } };
  }
  if (place === '-') {
    refuseTerminal(terminal.stdinIsTTY, 'a Dockerfile or a tar');
    return stdinContext(host.stdin(), file);
  }
  const chosen = await plainContext(host, place);
  if (!('directory' in chosen.context)) return file === undefined ? chosen : { ...chosen, dockerfile: { path: file } };
  return { ...chosen, ...(await findDockerfile(host, chosen.context.directory, place, file)) };
}

/** A directory or an address, as `--build-context` takes them too. */
export async function readPlace(host: CliHost, place: string): Promise<BuildContextSource> {
  return (await plainContext(host, place)).context;
}

export function isAddress(text: string): boolean {
  return /^(?:https?|git|ssh):\/\//.test(text) || /^git@[^/]+:/.test(text) || text.startsWith('github.com/');
}

async function plainContext(host: CliHost, place: string): Promise<ContextChoice> {
  const kind = await host.kind(place);
  if (kind === 'directory') return { context: { directory: await host.realPath(place) } };
  if (kind === undefined && isAddress(place)) return { context: { address: place } };
  if (kind === undefined) {
    throw new WctrError('not-found', `unable to prepare context: path "${place}" not found`);
  }
  throw new WctrError('invalid-argument', `unable to prepare context: path "${place}" is not a directory`, {
    hint: place.endsWith('Dockerfile') ? `did you mean: wctr build -f ${place} .` : 'a tar is read from stdin: -',
  });
}

/** Inside of the context by its path there; outside by its text, with the ignore file beside it. */
async function findDockerfile(
  host: CliHost,
  directory: string,
  place: string,
  file: string | undefined,
): Promise<Pick<BuildRequest, 'dockerfile' | 'ignore'>> {
  if (file === undefined) {
    for (const name of ['Dockerfile', 'dockerfile']) {
      if ((await host.kind(`${directory}/${name}`)) === 'file') return { dockerfile: { path: name } };
    }
    throw new WctrError('not-found', `there is no Dockerfile in ${place}`, {
      hint: 'name one with -f, or build another directory',
    });
  }
  // docker reads -f from here, and takes a name that is only in the context as well.
  const candidates = [host.resolvePath(file), host.resolvePath(`${directory}/${file}`)];
  let found: string | undefined;
  for (const path of candidates) {
    if (found === undefined && (await host.kind(path)) !== undefined) found = path;
  }
  if (found === undefined) throw new WctrError('not-found', `cannot locate Dockerfile: ${file}: no such file`);
  // A pipe or /dev/fd/63 is a Dockerfile too; a directory is none.
  if ((await host.kind(found)) === 'directory') {
    throw new WctrError('invalid-argument', `the Dockerfile is a directory: ${file}`);
  }
  // A pipe, /dev/fd/63, has none.
  const real = await host.realPath(found).catch(() => found as string);
  // What counts is where it is, not which link leads there: what a link of the context leads to is looked up inside.
  for (const path of [found, real]) {
    const inside = below(directory, path);
    if (inside !== undefined) return { dockerfile: { path: inside } };
  }
  const text = new TextDecoder().decode(await host.readFile(found));
  const beside = `${found}.dockerignore`;
  const hasIgnore = (await host.kind(beside)) === 'file';
  return {
    dockerfile: { text, name: baseOf(found) },
    ...(hasIgnore ? { ignore: new TextDecoder().decode(await host.readFile(beside)) } : {}),
  };
}

/** The path of `path` inside of `directory`, with slashes. */
function below(directory: string, path: string): string | undefined {
  const [root, inner] = [slashed(directory).replace(/\/$/, ''), slashed(path)];
  return inner.startsWith(`${root}/`) ? inner.slice(root.length + 1) : undefined;
}

function slashed(path: string): string {
  return /^[A-Za-z]:\\/.test(path) ? path.replaceAll('\\', '/') : path;
}

function baseOf(path: string): string {
  return slashed(path).split('/').at(-1) ?? path;
}

function refuseTerminal(isTerminal: boolean, what: string): void {
  if (!isTerminal) return;
  throw new WctrError('invalid-argument', `standard input is a terminal: ${what} is read from there`, {
    hint: 'pipe or redirect it: wctr build - < Dockerfile',
  });
}

const BLOCK = 512;

/** A tar, plain or compressed, is the context; anything else a Dockerfile that needs none. */
async function stdinContext(input: AsyncIterable<Uint8Array>, file: string | undefined): Promise<ContextChoice> {
  const chunks = input[Symbol.asyncIterator]();
  let head = new Uint8Array(0);
  while (head.length < BLOCK) {
    const next = await chunks.next();
    if (next.done === true) break;
    head = joined(head, next.value);
  }
  const whole = (async function* () {
    if (head.length > 0) yield head;
    for (let next = await chunks.next(); next.done !== true; next = await chunks.next()) yield next.value as Uint8Array;
  })();
  if (isArchive(head))
    return { context: { tar: whole }, ...(file === undefined ? {} : { dockerfile: { path: file } }) };
  if (file !== undefined) {
    throw new WctrError('invalid-argument', `-f ${file} names a file of a context, but standard input is no tar`, {
      hint: 'pipe a tar, or drop -f to build the Dockerfile on standard input',
    });
  }
  if (head.length === 0) throw new WctrError('invalid-argument', 'the Dockerfile on standard input is empty');
  return { context: { tar: emptyTar() }, dockerfile: { text: await textOf(whole), name: 'Dockerfile' } };
}

async function* emptyTar(): AsyncGenerator<Uint8Array> {
  yield new Uint8Array(2 * BLOCK);
}

const MAGICS: readonly (readonly number[])[] = [
  [0x1f, 0x8b, 0x08],
  [0x42, 0x5a, 0x68],
  [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00],
  [0x28, 0xb5, 0x2f, 0xfd],
];

function isArchive(head: Uint8Array): boolean {
  if (MAGICS.some((magic) => magic.every((byte, at) => head[at] === byte))) return true;
  // "ustar" of both formats; before them there was no mark, and the sum of the header tells.
  if (head.length < BLOCK) return false;
  if (String.fromCharCode(...head.subarray(257, 262)) === 'ustar') return true;
  const stated = Number.parseInt(
    String.fromCharCode(...head.subarray(148, 156))
      .replace(/[\0 ]+$/, '')
      .trim(),
    8,
  );
  let sum = 0;
  for (let at = 0; at < BLOCK; at++) sum += at >= 148 && at < 156 ? 0x20 : head[at]!;
  return stated === sum;
}

const MAX_DOCKERFILE_BYTES = 16 << 20;

async function textOf(chunks: AsyncIterable<Uint8Array>): Promise<string> {
  let bytes = new Uint8Array(0);
  for await (const chunk of chunks) {
    bytes = joined(bytes, chunk);
    if (bytes.length > MAX_DOCKERFILE_BYTES) {
      throw new WctrError('limit-exceeded', `the Dockerfile is larger than ${MAX_DOCKERFILE_BYTES} bytes`);
    }
  }
  return new TextDecoder().decode(bytes);
}

function joined(a: Uint8Array, b: Uint8Array): Uint8Array<ArrayBuffer> {
  const both = new Uint8Array(a.length + b.length);
  both.set(a);
  both.set(b, a.length);
  return both;
}
