/**
 * Which file a container runs, as execvp(3) would choose it, with docker's errors: 127 when it is not there, 126 when it
 * is there and cannot be run.
 */
import { S_IFDIR, S_IFMT, S_IFREG } from '../../core/abi/kernel.ts';
import { WctrError } from '../../errors.ts';

/** docker's, where the image sets none. */
const DEFAULT_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/** The container's tree, links followed. */
export interface ProgramFiles {
  /** Mode, or undefined when there is nothing. */
  modeOf(path: string): number | undefined;
}

/** Absolute path of the program. Throws 'entrypoint-not-found' or 'entrypoint-denied'. */
export function findProgram(name: string, env: readonly string[], cwd: string, files: ProgramFiles): string {
  if (name === '') throw new WctrError('entrypoint-not-found', 'exec: "": executable file not found in $PATH');
  if (name.includes('/')) return checkProgram(name, absolute(name, cwd), files);
  const path = env.find((entry) => entry.startsWith('PATH='))?.slice('PATH='.length) ?? DEFAULT_PATH;
  for (const dir of path.split(':')) {
    const candidate = absolute(`${dir === '' ? '.' : dir}/${name}`, cwd);
    const mode = files.modeOf(candidate);
    if (mode !== undefined && (mode & S_IFMT) === S_IFREG) return candidate;
  }
  throw new WctrError('entrypoint-not-found', `exec: ${quote(name)}: executable file not found in $PATH`, {
    hint: 'check the command, and that the image holds it: `wctr image inspect` shows its entrypoint and PATH',
    data: { program: name },
  });
}

function checkProgram(name: string, path: string, files: ProgramFiles): string {
  const mode = files.modeOf(path);
  if (mode === undefined) {
    throw new WctrError('entrypoint-not-found', `exec: ${quote(name)}: stat ${path}: no such file or directory`, {
      data: { program: name },
    });
  }
  if ((mode & S_IFMT) === S_IFREG) return path;
  const what = (mode & S_IFMT) === S_IFDIR ? 'is a directory' : 'permission denied';
  throw new WctrError('entrypoint-denied', `exec: ${quote(name)}: ${what}`, { data: { program: name } });
}

/** Splits `app.wasm#name`: a file of that whole name wins, since `#` is a fair character in one. */
export function splitExport(name: string, exists: (path: string) => boolean): { path: string; export?: string } {
  const at = name.lastIndexOf('#');
  if (at < 0 || exists(name)) return { path: name };
  return { path: name.slice(0, at), export: name.slice(at + 1) };
}

const WASM_MAGIC = [0x00, 0x61, 0x73, 0x6d];

/** Throws 'exec-format' for what is not a core module, saying what it is where that can be told. */
export function checkModule(name: string, head: Uint8Array): void {
  const starts = (magic: readonly number[]) => magic.every((byte, i) => head[i] === byte);
  const kind = starts(WASM_MAGIC)
    ? head[4] === 0x0d && head[6] === 0x01
      ? 'a WebAssembly component; this build runs core modules (WASI preview 1)'
      : undefined
    : starts([0x7f, 0x45, 0x4c, 0x46])
      ? 'a Linux program (ELF); only WebAssembly modules run here'
      : starts([0x23, 0x21])
        ? 'a script; name its WebAssembly interpreter as the entrypoint'
        : 'not a WebAssembly module';
  if (kind !== undefined) {
    throw new WctrError('exec-format', `exec ${name}: exec format error: ${kind}`, { data: { program: name } });
  }
}

function absolute(path: string, cwd: string): string {
  return path.startsWith('/') ? path : `${cwd === '/' ? '' : cwd}/${path}`;
}

function quote(text: string): string {
  return JSON.stringify(text);
}
