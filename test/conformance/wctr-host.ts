/** The conformance host over our own kernel, inline. */
import type { HostStream } from '../../src/host/wasi/ports.ts';
import { runInline, WasiProcess } from '../../src/host/wasi/run.ts';
import { TestKernel } from '../support/wasi-kernel.ts';
import type { ConformanceCase, ConformanceHost, Outcome } from './case.ts';

export function wctrHost(): ConformanceHost {
  return {
    name: 'wctr',
    run(test: ConformanceCase): Outcome {
      const kernel = new TestKernel();
      if (test.root !== undefined) kernel.write(test.root);
      const stdout = new Sink();
      const stderr = new Sink();
      const named = test.preopens?.map(([name, path]) => ({ name, path }));
      const preopens = named ?? (test.root === undefined ? [] : undefined);
      const end = runInline(new WasiProcess(kernel), new WebAssembly.Module(test.wasm()), {
        args: test.args,
        env: test.env,
        ...(test.cwd !== undefined && { cwd: test.cwd }),
        ...(preopens && { preopens }),
        stdin: { stream: source(test.stdin ?? '') },
        stdout: { stream: stdout },
        stderr: { stream: stderr },
      });
      return {
        exitCode: end.exitCode,
        stdout: stdout.text(),
        stderr: stderr.text(),
        ...(end.kind === 'trap' && {
          reason: end.error instanceof Error ? (end.error.stack ?? '') : String(end.error),
        }),
      };
    },
  };
}

export class Sink implements HostStream {
  readonly #chunks: Uint8Array[] = [];

  write(bytes: Uint8Array): number {
    this.#chunks.push(bytes.slice());
    return bytes.length;
  }

  text(): string {
    return Buffer.concat(this.#chunks).toString('utf8');
  }
}

export function source(text: string): HostStream {
  let rest = new TextEncoder().encode(text);
  return {
    read(target) {
      const piece = rest.subarray(0, target.length);
      target.set(piece);
      rest = rest.subarray(piece.length);
      return piece.length;
    },
    available: () => rest.length,
  };
}
