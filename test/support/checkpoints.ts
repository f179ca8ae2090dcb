/** Programs frozen and gone on from in this thread, with checkpoints in memory. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type CheckpointFile, initAndFreeze } from '../../src/host/checkpoint/freeze.ts';
import { PathTracker } from '../../src/host/checkpoint/open-files.ts';
import { checkpoints } from '../../src/host/checkpoint/resume.ts';
import { packagedWasm } from '../../src/host/node/packaged-wasm.ts';
import { nodeRunnerHost } from '../../src/host/node/runner-host.ts';
import { Machine } from '../../src/host/runner/machine.ts';
import { loadProgram, runGuest, runProgram, timeOf, wasiOptions } from '../../src/host/runner/run.ts';
import type { SandboxExit, SandboxSpec } from '../../src/host/sandbox.ts';
import type { HostStream } from '../../src/host/wasi/ports.ts';

const FEATURES = ['--enable-reference-types', '--enable-bulk-memory', '--enable-mutable-globals', '--enable-simd'];
const ROOT = fileURLToPath(new URL('../../', import.meta.url));

/** A module of test/support/guests in the text format, assembled by binaryen. */
export function assemble(name: string): Uint8Array<ArrayBuffer> {
  const dir = mkdtempSync(join(tmpdir(), 'wctr-wat-'));
  try {
    const out = join(dir, 'out.wasm');
    const tool = join(ROOT, 'node_modules/binaryen/bin/wasm-as');
    execFileSync(process.execPath, [tool, ...FEATURES, join(ROOT, 'test/support/guests', `${name}.wat`), '-o', out]);
    return new Uint8Array(readFileSync(out));
  } finally {
    rmSync(dir, { recursive: true });
  }
}

export type Frozen = { readonly exit: SandboxExit; readonly checkpoint: Uint8Array | undefined };

/** `export`: what initialises it; undefined: as the program says. */
export function freezeGuest(module: Uint8Array, init?: string, more: Partial<SandboxSpec> = {}): Frozen {
  const spec = specOf(module, more);
  const host = hostOf(() => {});
  const time = timeOf(spec, host);
  const machine = new Machine(spec, { ...host, clock: time.clock, random: time.random });
  const loaded = loadProgram(spec, host, machine.setup, machine.port, 'all');
  machine.finish();
  machine.process.open(wasiOptions(spec, host, time));
  const paths = new PathTracker(machine.process.context, spec.process.cwd);
  const pieces: Uint8Array[] = [];
  let checkpoint: Uint8Array | undefined;
  const file: CheckpointFile = {
    write: (bytes) => void pieces.push(bytes.slice()),
    commit: () => {
      checkpoint = new Uint8Array(Buffer.concat(pieces));
    },
    discard: () => {},
  };
  const freezing = { ...(init === undefined ? {} : { init }), open: () => file, program: loaded.identity!, paths };
  const exit = runProgram(spec, host, loaded, machine.process, {
    imports: paths.imports(machine.process.imports),
    entry: (instance) => initAndFreeze(instance, loaded.module, freezing),
  });
  machine.close();
  return { exit, checkpoint };
}

export type Resumed = { readonly exit: SandboxExit; readonly output: string };

export function resumeGuest(module: Uint8Array, checkpoint: Uint8Array, more: Partial<SandboxSpec> = {}): Resumed {
  const spec = specOf(module, more);
  let output = '';
  const host = hostOf((text) => {
    output += text;
  });
  const program = { ...spec.program, resume: { at: { bytes: checkpoint } } };
  return { exit: runGuest({ ...spec, program }, host), output };
}

function specOf(module: Uint8Array, more: Partial<SandboxSpec>): SandboxSpec {
  return {
    id: '0'.repeat(64),
    hostname: 'host',
    process: {
      args: ['program'],
      env: [],
      cwd: '/',
      user: { uid: 0, gid: 0, additionalGids: [] },
      terminal: false,
    },
    root: { readonly: false, layers: [] },
    program: { module: { bytes: module } },
    mounts: [],
    resources: {},
    stdio: { stdin: 'null', stdout: 'pipe', stderr: 'pipe' },
    ...more,
  };
}

function hostOf(print: (text: string) => void) {
  const stdout: HostStream = {
    write(source) {
      print(new TextDecoder('latin1').decode(source));
      return source.length;
    },
  };
  return { ...nodeRunnerHost(packagedWasm, { stdin: {}, stdout, stderr: stdout }), checkpoints };
}
