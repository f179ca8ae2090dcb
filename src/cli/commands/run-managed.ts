/** `run` of a container with a process of its own. */
import type { Engine } from '../../engine/engine.ts';
import type { Context } from '../command.ts';
import { complain } from '../complain.ts';
import { parseDetachKeys } from '../detach-keys.ts';
import type { ParsedFlags } from '../flags.ts';
import { createContainer } from './create-container.ts';
import { createRequest } from './create-request.ts';
import { needTerminal, startAttached } from './start-attached.ts';

/** `again`: found by a run without a process of its own, which gave it up. */
export async function runManaged(
  context: Context,
  args: readonly string[],
  flags: ParsedFlags,
  again = false,
): Promise<number> {
  const request = await createRequest(context, args, flags);
  const detached = flags.bool('detach');
  if (!detached && request.Tty === true && request.AttachStdin === true) needTerminal(context);
  const detachKeys = flags.string('detach-keys');
  if (detachKeys !== undefined) parseDetachKeys(detachKeys);
  const { containers } = await context.engine();
  const id = await createContainer(context, request, flags, again);
  if (detached) {
    await containers.start(id);
    context.terminal.out(`${id}\n`);
    return 0;
  }
  const { AttachStdin: stdin = false, AttachStdout: stdout = false, AttachStderr: stderr = false } = request;
  const code = await startAttached(context, {
    id,
    streams: { stdin, stdout, stderr },
    autoRemove: flags.bool('rm'),
    signalProxy: flags.string('sig-proxy') !== 'false',
    detachKeys,
  });
  if (code !== 0 && !flags.bool('rm')) await explain(context, containers, id);
  return code;
}

/** Says why a program ended that did not end by itself. */
async function explain({ terminal }: Context, containers: Engine['containers'], id: string): Promise<void> {
  const found = await containers.inspect(id).catch(() => undefined);
  if (found === undefined) return;
  const { OOMKilled, Error: reason } = found.State;
  if (reason !== '') complain(terminal, `${found.Config.Image} ${OOMKilled ? 'OOMKilled' : 'ended'}: ${reason}`);
}
