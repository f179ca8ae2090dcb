/** Starts a container with this terminal on its streams: attach, wait, start, in docker's order. */
import type { AttachedStreams, AttachOptions, ContainerUseCases } from '../../engine/engine.ts';
import { WctrError } from '../../errors.ts';
import type { Context } from '../command.ts';
import { complain } from '../complain.ts';
import { converse, type Session } from '../session.ts';

export interface StartAttachedOptions {
  readonly id: string;
  readonly streams: AttachOptions;
  /** It is removed at its end: the exit code comes with the removal. */
  readonly autoRemove: boolean;
  readonly signalProxy: boolean;
  readonly detachKeys?: string | undefined;
  readonly checkpoint?: string | undefined;
}

/** The exit code: the program's, 0 when the user left it with the detach keys. Rejects when it cannot be started. */
export async function startAttached(context: Context, options: StartAttachedOptions): Promise<number> {
  const { id, detachKeys, checkpoint } = options;
  const { containers } = await context.engine();
  const streams = await containers.attach(id, { ...options.streams, stream: true });
  const ended = containers.wait(id, options.autoRemove ? 'removed' : 'next-exit');
  // Asked for after the output has ended; until then a failure is no news.
  ended.catch(() => {});
  let begin = () => {};
  // Its first output may come before it counts as running, and with it the user's Ctrl-C.
  const started = new Promise<void>((resolve) => {
    begin = resolve;
  });
  const session = converse(context, {
    streams,
    ...(detachKeys === undefined ? {} : { detachKeys }),
    resize: (size) => started.then(() => containers.resize(id, size)),
    ...(options.signalProxy ? { signal: (name) => started.then(() => containers.kill(id, name)) } : {}),
  });
  try {
    await containers.start(id, checkpoint === undefined ? {} : { checkpoint });
  } catch (error) {
    session.stop();
    await streams.detach().catch(() => {});
    throw error;
  }
  begin();
  session.resize();
  return finish(context, { session, streams, ended, failed: 125 });
}

interface Finish {
  readonly session: Session;
  readonly streams: AttachedStreams;
  readonly ended: ReturnType<ContainerUseCases['wait']>;
  /** The exit code where the wait fails. */
  readonly failed: number;
}

/** The exit code: the program's, 0 when the user left it with the detach keys. */
export async function finish({ terminal }: Context, { session, streams, ended, failed }: Finish): Promise<number> {
  if ((await session.done) === 'detached') {
    await streams.detach().catch(() => {});
    terminal.err('read escape sequence\n');
    return 0;
  }
  const { StatusCode, Error: failure } = await ended;
  if (failure === undefined || failure === null) return StatusCode;
  complain(terminal, failure.Message);
  return failed;
}

/** As docker: a terminal was asked for, and standard input is none. */
export function needTerminal({ terminal }: Context): void {
  if (terminal.stdinIsTTY) return;
  throw new WctrError('invalid-argument', 'the input device is not a TTY', { hint: 'leave out -t' });
}
