/** What a process does that is a container's own: it runs the guest on its main thread, on its own descriptors. */
import type { Checkpoints } from '../checkpoint/resume.ts';
import { processClock } from '../node/clock.ts';
import { packagedWasm } from '../node/packaged-wasm.ts';
import { nodeRunnerHost } from '../node/runner-host.ts';
import { emptyInput, InputStream, OutputStream } from '../node/stdio.ts';
import { failedStart } from '../runner/exit.ts';
import { runGuest } from '../runner/run.ts';
import type { SandboxExit, SandboxSpec } from '../sandbox.ts';

/** For a spec that goes on from a checkpoint. */
export async function loadCheckpoints(): Promise<Checkpoints> {
  return (await import('../checkpoint/resume.ts')).checkpoints;
}

/** Blocks until the guest has ended. `brokenPipe` is called when nobody reads its output, and does not return. */
export function runOnOwnStdio(spec: SandboxSpec, brokenPipe: () => never, checkpoints?: Checkpoints): SandboxExit {
  const stdio = {
    stdin: spec.stdio.stdin === 'null' ? emptyInput : new InputStream(0),
    stdout: new OutputStream(1, brokenPipe),
    stderr: new OutputStream(2, () => {}),
  };
  try {
    return runGuest(spec, {
      ...nodeRunnerHost(packagedWasm, stdio),
      clock: processClock,
      ...(checkpoints === undefined ? {} : { checkpoints }),
    });
  } catch (error) {
    return failedStart(error);
  }
}
