/**
 * A container for one program, on the calling thread: its files can be filled before it and read after it. For hosts that
 * have neither processes nor shared memory. The thread is held while the program runs, and nothing can end it meanwhile.
 */
import { WctrError } from '../../errors.ts';
import type { ContainerFiles } from '../container/container.ts';
import type { CreateFiles } from '../container/files-access.ts';
import { Machine } from '../runner/machine.ts';
import { type GuestStdio, loadProgram, type RunnerHost, runProgram, timeOf, wasiOptions } from '../runner/run.ts';
import type { SandboxExit, SandboxSpec } from '../sandbox.ts';
import { bytesInput } from '../worker/guest.ts';

export interface InlineSpace {
  readonly files: ContainerFiles;
  /** Once. Throws what kept the program from being started; `data` is the caller's to keep. */
  run(onOutput: (stream: 1 | 2, data: Uint8Array) => void): SandboxExit;
  close(): void;
}

/** Throws as a sandbox does for the same spec. */
export function openInlineSpace(
  spec: SandboxSpec,
  runnerHost: (stdio: GuestStdio) => RunnerHost,
  createFiles: CreateFiles,
): InlineSpace {
  let onOutput: (stream: 1 | 2, data: Uint8Array) => void = () => {};
  const output = (stream: 1 | 2) => ({
    write(source: Uint8Array) {
      onOutput(stream, source.slice());
      return source.length;
    },
  });
  const host = runnerHost({ stdin: bytesInput(new Uint8Array(0)), stdout: output(1), stderr: output(2) });
  const time = timeOf(spec, host);
  const machine = new Machine(spec, { ...host, clock: time.clock, random: time.random }, { tracksChanges: true });
  return {
    files: createFiles(machine.access()),
    run(take) {
      onOutput = take;
      const program = loadProgram(spec, host, machine.setup, machine.port);
      machine.finish();
      machine.process.open(wasiOptions(spec, host, time));
      const exit = runProgram(spec, host, program, machine.process);
      if (exit.errorCode === undefined) return exit;
      throw new WctrError(exit.errorCode, exit.reason ?? '', exit.hint === undefined ? {} : { hint: exit.hint });
    },
    close: () => machine.close(),
  };
}
