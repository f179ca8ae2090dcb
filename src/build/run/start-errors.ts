/** What a RUN that could not be started says: what is missing, and what its author can do. */
import { isWctrError, WctrError } from '../../errors.ts';
import type { RunStep } from './executor.ts';

const SHELL = /(^|\/)(sh|bash|ash|dash|zsh|ksh|busybox|cmd|cmd\.exe|powershell(\.exe)?|pwsh)$/;

const WAYS_OUT = [
  'RUN ["/path/to/program.wasm", "…"] runs a Wasm program of the image without a shell',
  'SHELL ["/path/to/shell.wasm", "-c"] names a shell of the image',
  'RUN --mount=from=wctr/base,source=/bin,target=/bin … brings one along for this step, and FROM wctr/base for all',
].join('; ');

/** The error as the author of a Dockerfile needs it; what is not about starting a program stays as it is. */
export function explained(error: unknown, { args }: Pick<RunStep, 'args'>): unknown {
  if (!isWctrError(error)) return error;
  const { code, message, data } = error;
  if (code === 'sandbox-failed') {
    return new WctrError(code, `the process of the RUN ended before its program did: ${message}`, {
      cause: error,
      data,
      hint: 'it was killed: see whether the machine is out of memory',
    });
  }
  if (code !== 'entrypoint-not-found' && code !== 'entrypoint-denied' && code !== 'exec-format') return error;
  const [program = ''] = args;
  const isShell = SHELL.test(program);
  const options = { cause: error, data: { ...data, program }, hint: WAYS_OUT };
  if (isShell && code === 'entrypoint-not-found') {
    return new WctrError(code, `the image has no shell for RUN: ${program} is not there`, options);
  }
  if (isShell && code === 'exec-format') {
    return new WctrError(code, `the image's shell ${program} is not a WebAssembly program: ${message}`, options);
  }
  if (code === 'exec-format') return new WctrError(code, message, { ...options, hint: `${error.hint ?? ONLY_WASM}` });
  return error;
}

const ONLY_WASM =
  'programs of an image run here when they are WebAssembly modules: start from wctr/base, or build this one for wasm32-wasi';
