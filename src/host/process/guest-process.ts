/** What a process does that is a container's own: it runs the guest on its main thread, on its own descriptors. */
import { processClock } from '../node/clock.ts';
import { packagedWasm } from '../node/packaged-wasm.ts';
import { nodeRunnerHost } from '../node/runner-host.ts';
import { emptyInput, InputStream, OutputStream } from '../node/stdio.ts';
import { failedStart } from '../runner/exit.ts';
import { runGuest } from '../runner/run.ts';
import type { SandboxExit, SandboxSpec } from '../sandbox.ts';

/** Blocks until the guest has ended. `brokenPipe` is called when nobody reads its output, and does not return. */
export function runOnOwnStdio(spec: SandboxSpec, brokenPipe: () => never): SandboxExit {
  const stdio = {
    stdin: spec.stdio.stdin === 'null' ? emptyInput : new InputStream(0),
    stdout: new OutputStream(1, brokenPipe),
    stderr: new OutputStream(2, () => {}),
  };
  try {
    return runGuest(spec, { ...nodeRunnerHost(packagedWasm, stdio), clock: processClock });
  } catch (error) {
    return failedStart(error);
  }
}
