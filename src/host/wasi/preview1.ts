/**
 * The import modules a WASI program may ask for, made once per context. Snapshot 0 (`wasi_unstable`) is preview 1
 * with other whence numbers, filestat and subscription layouts, and without sock_accept; `wctr_posix_v1` is what neither has.
 */
import {
  MODULE_PREVIEW1,
  MODULE_SNAPSHOT0,
  WHENCE_CUR,
  WHENCE_END,
  WHENCE_SET,
  WHENCE0_CUR,
  WHENCE0_END,
  WHENCE0_SET,
} from '../../spec/wasi-preview1.ts';
import { MODULE_POSIX } from '../../spec/wctr-posix.ts';
import { args } from './args.ts';
import { clock } from './clock.ts';
import type { WasiContext } from './context.ts';
import { environ } from './environ.ts';
import { fd } from './fd.ts';
import { FILESTAT, FILESTAT0 } from './filestat.ts';
import { path } from './path.ts';
import { poll, SUBSCRIPTION, SUBSCRIPTION0 } from './poll.ts';
import { posixFiles } from './posix-files.ts';
import { posixProcess } from './posix-process.ts';
import { proc } from './proc.ts';
import { random } from './random.ts';
import { sched } from './sched.ts';
import { sock } from './sock.ts';
import { type SplitOpen, type SplitSeek, splitImports } from './split.ts';
import { wasmedgeSockets } from './wasmedge-sockets.ts';

/** The kernel's whence by the guest's number. */
const WHENCE = [WHENCE_SET, WHENCE_CUR, WHENCE_END] as const;
const WHENCE_SNAPSHOT0: number[] = [];
WHENCE_SNAPSHOT0[WHENCE0_CUR] = WHENCE_CUR;
WHENCE_SNAPSHOT0[WHENCE0_END] = WHENCE_END;
WHENCE_SNAPSHOT0[WHENCE0_SET] = WHENCE_SET;

export interface Preview1Imports extends WebAssembly.Imports {
  readonly [MODULE_PREVIEW1]: WebAssembly.ModuleImports;
  readonly [MODULE_SNAPSHOT0]: WebAssembly.ModuleImports;
  readonly [MODULE_POSIX]: WebAssembly.ModuleImports;
}

export function createPreview1(context: WasiContext): Preview1Imports {
  const same = {
    ...args(context),
    ...environ(context),
    ...clock(context),
    ...random(context),
    ...proc(context),
    ...sched(),
  };
  const { sock_accept, ...sockets } = sock(context);
  return {
    [MODULE_PREVIEW1]: {
      ...same,
      ...split({ ...fd(context, FILESTAT, WHENCE), ...path(context, FILESTAT) }),
      ...poll(context, SUBSCRIPTION),
      ...sockets,
      sock_accept,
      ...wasmedgeSockets(context),
      sock_accept_v2: sock_accept,
    },
    [MODULE_SNAPSHOT0]: {
      ...same,
      ...split({ ...fd(context, FILESTAT0, WHENCE_SNAPSHOT0), ...path(context, FILESTAT0) }),
      ...poll(context, SUBSCRIPTION0),
      ...sockets,
    },
    [MODULE_POSIX]: { ...posixFiles(context), ...posixProcess(context) },
  };
}

function split(functions: { path_open: SplitOpen; fd_seek: SplitSeek }): WebAssembly.ModuleImports {
  const { path_open, fd_seek, ...others } = functions;
  return { ...others, ...splitImports(path_open, fd_seek) };
}
