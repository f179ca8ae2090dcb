/** `run` of a container with a process of its own: create, attach, wait, start, in docker's order. */
import type { Engine } from '../../engine/engine.ts';
import { WctrError } from '../../errors.ts';
import type { Context } from '../command.ts';
import { complain } from '../complain.ts';
import { parseDetachKeys } from '../detach-keys.ts';
import type { ParsedFlags } from '../flags.ts';
import { converse } from '../session.ts';
import { createContainer } from './create-container.ts';
import { createRequest } from './create-request.ts';

export async function runManaged(context: Context, args: readonly string[], flags: ParsedFlags): Promise<number> {
  const request = await createRequest(context, args, flags);
  const detached = flags.bool('detach');
  if (!detached && request.Tty === true && request.AttachStdin === true) needTerminal(context);
  const detachKeys = flags.string('detach-keys');
  if (detachKeys !== undefined) parseDetachKeys(detachKeys);
  const { containers } = await context.engine();
  const id = await createContainer(context, request, flags);
  if (detached) {
    await containers.start(id);
    context.terminal.out(`${id}\n`);
    return 0;
  }
  const { AttachStdin: stdin = false, AttachStdout: stdout = false, AttachStderr: stderr = false } = request;
  const streams = await containers.attach(id, { stdin, stdout, stderr, stream: true });
  const ended = containers.wait(id, flags.bool('rm') ? 'removed' : 'next-exit');
  // Asked for after the output has ended; until then a failure is no news.
  ended.catch(() => {});
  const session = converse(context, {
    streams,
    ...(detachKeys === undefined ? {} : { detachKeys }),
    resize: (size) => containers.resize(id, size),
    ...(flags.string('sig-proxy') === 'false' ? {} : { signal: (name) => containers.kill(id, name) }),
  });
  try {
    await containers.start(id);
  } catch (error) {
    session.stop();
    await streams.detach().catch(() => {});
    throw error;
  }
  session.resize();
  if ((await session.done) === 'detached') {
    await streams.detach().catch(() => {});
    context.terminal.err('read escape sequence\n');
    return 0;
  }
  const { StatusCode, Error: failure } = await ended;
  if (failure !== undefined && failure !== null) {
    complain(context.terminal, failure.Message);
    return 125;
  }
  if (StatusCode !== 0 && !flags.bool('rm')) await explain(context, containers, id);
  return StatusCode;
}

/** As docker: a terminal was asked for, and standard input is none. */
export function needTerminal({ terminal }: Context): void {
  if (terminal.stdinIsTTY) return;
  throw new WctrError('invalid-argument', 'the input device is not a TTY', { hint: 'leave out -t' });
}

/** Says why a program ended that did not end by itself. */
async function explain({ terminal }: Context, containers: Engine['containers'], id: string): Promise<void> {
  const found = await containers.inspect(id).catch(() => undefined);
  if (found === undefined) return;
  const { OOMKilled, Error: reason } = found.State;
  if (reason !== '') complain(terminal, `${found.Config.Image} ${OOMKilled ? 'OOMKilled' : 'ended'}: ${reason}`);
}
