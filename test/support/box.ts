/**
 * The box, the program of the base image, on the inline isolation: /bin as the image has it, a root of its own, and what it
 * wrote.
 */
import { chmodSync, copyFileSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
// @ts-expect-error: a script of the build, which has no types
import { boxPath } from '../../assembly/base/compile.mjs';
import { createInlineSandbox } from '../../src/host/node/sandboxes.ts';
import type { SandboxExit, SandboxSpec } from '../../src/host/sandbox.ts';

/** Compiled from the sources as they are; the first time takes a while, then it is kept under .build. */
export function boxFile(): Promise<string> {
  file ??= (boxPath as () => Promise<string>)();
  return file;
}

let file: Promise<string> | undefined;

export interface BoxOptions {
  readonly stdin?: string;
  readonly env?: readonly string[];
  readonly cwd?: string;
  readonly timeoutMs?: number;
  readonly memoryBytes?: number;
}

/** `out` and `err` hold a unit for each byte. */
export interface BoxOutcome extends SandboxExit {
  readonly out: string;
  readonly err: string;
}

const sandbox = createInlineSandbox();

/** Runs it under the name `args[0]`. */
export async function runBox(args: readonly string[], options: BoxOptions = {}): Promise<BoxOutcome> {
  return start(args, options, [{ type: 'bind', source: await boxBin(), destination: '/bin', readonly: true }]);
}

/** `sh -c script`. */
export function runShell(script: string, options?: BoxOptions): Promise<BoxOutcome> {
  return runBox(['sh', '-c', script], options);
}

let bin: Promise<string> | undefined;

/** A directory with the box, under all its names; gone with this process. */
export function boxBin(): Promise<string> {
  bin ??= makeBin();
  return bin;
}

async function makeBin(): Promise<string> {
  const directory = mkdtempSync(join(tmpdir(), 'wctr-box-'));
  process.once('exit', () => rmSync(directory, { recursive: true }));
  copyFileSync(await boxFile(), join(directory, 'box'));
  chmodSync(join(directory, 'box'), 0o755);
  const { out } = await start(['box', '--names'], {}, []);
  for (const name of out.trim().split('\n')) symlinkSync('box', join(directory, name));
  return directory;
}

async function start(
  args: readonly string[],
  { stdin = '', env = ['PATH=/bin', 'HOME=/root'], cwd = '/', ...limits }: BoxOptions,
  mounts: SandboxSpec['mounts'],
): Promise<BoxOutcome> {
  const handle = await sandbox.start({
    id: 'b0'.padEnd(64, '0'),
    hostname: 'box',
    process: { args, env, cwd, user: { uid: 0, gid: 0, additionalGids: [] }, terminal: false },
    root: { readonly: false, layers: [] },
    program: { module: { path: await boxFile() } },
    mounts: [...mounts, { type: 'tmpfs', destination: '/tmp' }],
    // a limit has the module compiled anew, with checks in it
    resources: limits,
    stdio: { stdin: 'pipe', stdout: 'pipe', stderr: 'pipe' },
  });
  const feed = async () => {
    const writer = handle.stdin?.getWriter();
    if (stdin !== '') await writer?.write(Buffer.from(stdin, 'latin1'));
    await writer?.close();
  };
  const [out, err, exit] = await Promise.all([bytesOf(handle.stdout), bytesOf(handle.stderr), handle.wait(), feed()]);
  return { ...exit, out, err };
}

async function bytesOf(stream: ReadableStream<Uint8Array> | undefined): Promise<string> {
  if (stream === undefined) return '';
  return Buffer.from(await new Response(stream).arrayBuffer()).toString('latin1');
}
