/**
 * How a program's thread starts and ends other programs: it asks the container's main thread and waits for the answer in
 * two words of its state. So one thread has one question at a time, and none can flood the main thread with them.
 */
import { PROCESS_PID } from '../../core/abi/kernel.ts';
import * as w from '../../spec/wasi-preview1.ts';
import { defaultAction, signalNumber } from '../runner/signals.ts';
import type { WasiContext } from '../wasi/context.ts';
import type { KernelCalls } from '../wasi/kernel-port.ts';
import type { ProcessPort } from '../wasi/ports.ts';
import { ProcessEnd } from '../wasi/proc.ts';
import type { GuestSignals } from './guest-signals.ts';
import { type GuestAsk, STATE_ANSWER, STATE_ANSWERED } from './messages.ts';

const EOPNOTSUPP = 95;
const SIGKILL = 9;
const SIGPIPE = signalNumber('SIGPIPE');

export interface GuestProcessesOptions {
  readonly ask: (question: GuestAsk) => void;
  readonly state: Int32Array;
  readonly calls: KernelCalls;
  readonly signals: GuestSignals;
  /** The program expects EPIPE. */
  readonly knowsPipes: boolean;
  readonly context: WasiContext;
}

export function guestProcesses({
  ask,
  state,
  calls,
  signals,
  knowsPipes,
  context,
}: GuestProcessesOptions): ProcessPort {
  function answerOf(question: GuestAsk): number {
    Atomics.store(state, STATE_ANSWERED, 0);
    ask(question);
    while (Atomics.load(state, STATE_ANSWERED) === 0) Atomics.wait(state, STATE_ANSWERED, 0);
    return Atomics.load(state, STATE_ANSWER);
  }

  const ownPid = () => context.kernel.refresh().u32[(context.process + PROCESS_PID) >>> 2]!;

  return {
    spawn: ({ path, identity, args, env, cwd, fds }) =>
      answerOf({
        type: 'spawn',
        path,
        ...(identity === undefined ? {} : { identity }),
        args: args.bytes,
        env: env.bytes,
        cwd,
        fds,
      }),
    kill(pid, signal) {
      const action = defaultAction(signal);
      if (pid === ownPid() && signals.handles && signal !== SIGKILL) return calls.process_kill(pid, signal);
      return action === 'stop' ? -EOPNOTSUPP : answerOf({ type: 'kill', pid, signal });
    },
    brokenPipe() {
      if (signals.handles) calls.process_kill(ownPid(), SIGPIPE);
      else if (!knowsPipes) {
        context.ended ??= new ProcessEnd(128 + SIGPIPE, w.SIGNALS.indexOf('PIPE'));
        throw context.ended;
      }
    },
  };
}
