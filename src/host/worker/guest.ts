/** The worker's side: runs one guest when told to. The runtime's entry file (host/node, host/browser) calls it. */
import { EAGAIN, EINTR, EPIPE, PIPE_BUF, POLLHUP, POLLIN, POLLOUT } from '../../core/abi/kernel.ts';
import { failedStart } from '../runner/exit.ts';
import { type GuestStdio, type RunnerHost, runGuest } from '../runner/run.ts';
import type { HostStream } from '../wasi/ports.ts';
import type { OutputName, StartMessage, StreamSetup, WorkerMessage } from './messages.ts';
import { CLOSED_BY_READER, CLOSED_BY_WRITER, Ring } from './ring.ts';

export interface GuestWorkerHost {
  post(message: WorkerMessage, transfer?: ArrayBuffer[]): void;
  /** The runtime's own stream; throws where there is none. */
  inherited(name: 'stdin' | OutputName): HostStream;
  runnerHost(start: StartMessage, stdio: GuestStdio): RunnerHost;
}

/** Told when the other end of a ring may be waiting. */
export interface RingHost {
  post(message: Extract<WorkerMessage, { type: 'readable' | 'writable' }>): void;
}

export function runInWorker(start: StartMessage, host: GuestWorkerHost): void {
  let exit: ReturnType<typeof runGuest>;
  const rings: Ring[] = [];
  try {
    const stdio: GuestStdio = {
      stdin: openInput(start.stdin, host),
      stdout: openOutput('stdout', start.stdout, host, rings),
      stderr: openOutput('stderr', start.stderr, host, rings),
    };
    exit = runGuest(start.spec, host.runnerHost(start, stdio));
  } catch (error) {
    exit = failedStart(error);
  }
  for (const ring of rings) ring.close(CLOSED_BY_WRITER);
  host.post({ type: 'exit', exit });
}

function openInput(setup: StreamSetup, host: GuestWorkerHost): HostStream {
  if (setup.kind === 'inherit') return host.inherited('stdin');
  if (setup.kind === 'ring') return ringInput(new Ring(setup.buffer), host);
  return bytesInput(setup.kind === 'message' ? (setup.input ?? new Uint8Array(0)) : new Uint8Array(0));
}

function openOutput(name: OutputName, setup: StreamSetup, host: GuestWorkerHost, rings: Ring[]): HostStream {
  if (setup.kind === 'inherit') return host.inherited(name);
  if (setup.kind === 'ring') {
    const ring = new Ring(setup.buffer);
    rings.push(ring);
    return ringOutput(name, ring, host);
  }
  return {
    write(source) {
      const bytes = source.slice();
      const { length } = bytes;
      // Posting takes the bytes away, their length with them.
      host.post({ type: 'output', stream: name, bytes }, [bytes.buffer]);
      return length;
    },
  };
}

/** Input that is all there. */
export function bytesInput(bytes: Uint8Array): HostStream {
  let rest = bytes;
  return {
    read(target) {
      const part = rest.subarray(0, target.length);
      target.set(part);
      rest = rest.subarray(part.length);
      return part.length;
    },
    poll: (events) => (events & POLLIN) | (rest.length === 0 ? POLLHUP : 0),
    available: () => rest.length,
  };
}

/** Runs what only one of the threads that share a ring's end may do at a time. */
export type Exclusive = <T>(act: () => T) => T;

export const alone: Exclusive = (act) => act();

/** `wakes`: whoever fills the ring wakes the kernel's pollers, too. `interrupted`: a wait has to end (EINTR). */
export function ringInput(
  ring: Ring,
  host: RingHost,
  wakes = false,
  interrupted: () => boolean = () => false,
  exclusive: Exclusive = alone,
): HostStream {
  return {
    wakes,
    read(target, nonBlocking) {
      const ended = () => (ring.closed & CLOSED_BY_WRITER) !== 0;
      for (;;) {
        if (nonBlocking && ring.readable === 0 && !ended()) return -EAGAIN;
        ring.waitUntil(() => ring.readable > 0 || ended() || interrupted());
        const isEnd = ended();
        if (ring.readable === 0 && !isEnd && interrupted()) return -EINTR;
        const length = exclusive(() => {
          const taken = ring.read(target);
          // Only a writer that found no room at all is waiting for some.
          if (taken > 0 && ring.writable <= taken) host.post({ type: 'writable' });
          return taken;
        });
        // Another one may have taken what was there.
        if (length > 0 || isEnd || target.length === 0) return length;
      }
    },
    poll(events) {
      if ((events & POLLIN) === 0) return 0;
      if (ring.readable > 0) return POLLIN;
      return ring.closed & CLOSED_BY_WRITER ? POLLIN | POLLHUP : 0;
    },
    available: () => ring.readable,
  };
}

export function ringOutput(
  name: OutputName,
  ring: Ring,
  host: RingHost,
  wakes = false,
  exclusive: Exclusive = alone,
): HostStream {
  return {
    wakes,
    write(source, nonBlocking) {
      const broken = () => (ring.closed & CLOSED_BY_READER) !== 0;
      let done = 0;
      do {
        const rest = source.subarray(done);
        // As into a pipe: what is short goes in whole, so that lines of several writers are not torn.
        const needed = rest.length <= PIPE_BUF ? rest.length : 1;
        if (nonBlocking && ring.writable < needed && !broken()) return done > 0 ? done : -EAGAIN;
        ring.waitUntil(() => ring.writable >= needed || broken());
        if (broken()) return done > 0 ? done : -EPIPE;
        done += exclusive(() => {
          // Another one may have filled it meanwhile.
          if (ring.writable < needed) return 0;
          const given = ring.write(rest);
          // Only a reader that had taken everything is waiting. Asked after the write: it may have taken the last bytes meanwhile.
          if (given > 0 && ring.readable <= given) host.post({ type: 'readable', stream: name });
          return given;
        });
      } while (done < source.length);
      return done;
    },
    poll(events) {
      if (ring.closed & CLOSED_BY_READER) return POLLOUT | POLLHUP;
      return ring.writable >= PIPE_BUF ? events & POLLOUT : 0;
    },
  };
}
