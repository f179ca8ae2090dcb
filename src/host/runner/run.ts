/**
 * Runs a spec's program from nothing to its end, on the calling thread, and says how it ended. All isolations come here;
 * they differ in what thread or process they call it on and where the streams lead.
 */
import type { GuardCore } from '../../core/guard.ts';
import { WctrError } from '../../errors.ts';
import type { Checkpoint } from '../checkpoint/format.ts';
import type { GuestStack } from '../checkpoint/guest-stack.ts';
import type { Checkpoints, ProgramIdentity } from '../checkpoint/resume.ts';
import { Fuel, type FuelCommand, runStart } from '../fuel.ts';
import type { SandboxExit, SandboxSpec } from '../sandbox.ts';
import { deterministicHost, hostClock, hostRandom, hostSleep } from '../wasi/defaults.ts';
import type { KernelPort } from '../wasi/kernel-port.ts';
import type { ClockPort, HostListener, HostStream, Sleep } from '../wasi/ports.ts';
import type { WasiEnd, WasiProcess, WasiProcessOptions } from '../wasi/run.ts';
import { abnormalExit, EXIT_TIMED_OUT, failedStart, isAtLimit, signalExit } from './exit.ts';
import { Machine, type MachineHost } from './machine.ts';
import { linkedImports, type PreparedModule, prepareModule } from './module.ts';
import { findProgram, splitExport } from './program.ts';
import type { Setup } from './setup.ts';

export interface GuestStdio {
  readonly stdin: HostStream;
  readonly stdout: HostStream;
  readonly stderr: HostStream;
}

export interface RunnerHost extends Omit<MachineHost, 'clock' | 'random'> {
  guardCore(): GuardCore;
  readonly stdio: GuestStdio;
  readonly sleep?: Sleep;
  /** In place of the web's clocks. */
  readonly clock?: ClockPort;
  /** Asked now and then while the guest computes; for threads nobody else can stop. Costs fuel checks. */
  readonly poll?: () => FuelCommand;
  /** The guest's thread has to keep the time limit itself. Costs fuel checks. */
  readonly keepsTime?: boolean;
  /** Modules prepared before, by whatever key the host finds good. */
  readonly modules?: ModuleCache;
  /** Needed for a spec that goes on from one. */
  readonly checkpoints?: Checkpoints;
  /** SHA-256, lower-case hex. */
  digest(bytes: Uint8Array): string;
  /** The CPU limit's bucket, shared with the container's other threads (host/fuel-quota.ts). */
  readonly quota?: SharedArrayBuffer;
  readonly machines?: MachinePool;
  /** Sockets the guest finds at its start. */
  readonly listeners?: readonly HostListener[];
}

/** Machines whose container has ended, for the next of the same shape. */
export interface MachinePool {
  take(spec: SandboxSpec): Machine | undefined;
  put(spec: SandboxSpec, machine: Machine): void;
}

export interface ModuleCache {
  get(spec: SandboxSpec, fuel: boolean): PreparedModule | undefined;
  set(spec: SandboxSpec, fuel: boolean, prepared: PreparedModule): void;
}

/** Never throws for what the spec or the guest did. */
export function runGuest(spec: SandboxSpec, host: RunnerHost): SandboxExit {
  let machine: Machine | undefined;
  try {
    const time = timeOf(spec, host);
    machine = openMachine(spec, { ...host, clock: time.clock, random: time.random }, host.machines);
    const program = loadProgram(spec, host, machine.setup, machine.port);
    if (isReferred(spec, program)) return { exitCode: 125, oomKilled: false, referred: true };
    machine.finish();
    machine.process.open(wasiOptions(spec, host, time));
    const exit = runProgram(spec, host, program, machine.process);
    host.machines?.put(spec, machine);
    return exit;
  } catch (error) {
    return failedStart(error);
  } finally {
    machine?.close();
  }
}

function openMachine(spec: SandboxSpec, host: MachineHost, machines: MachinePool | undefined): Machine {
  const used = machines?.take(spec);
  if (used === undefined) return new Machine(spec, host);
  used.renew(spec, host);
  return used;
}

export interface LoadedProgram extends PreparedModule {
  readonly entry: string;
  /** Where the program goes on. */
  readonly checkpoint?: Checkpoint;
  /** Known where a checkpoint is made or used. */
  readonly identity?: ProgramIdentity;
}

/** Finds the spec's program among the container's files, checks and compiles it. */
export function loadProgram(
  spec: SandboxSpec,
  host: RunnerHost,
  setup: Setup,
  port: KernelPort,
  keeps: 'nothing' | 'asyncify' | 'all' = 'nothing',
): LoadedProgram {
  const fuel = spec.resources.cpus !== undefined || host.poll !== undefined || keepsTime(spec, host);
  const given = spec.program.module;
  const exists = (path: string) => isPath(path) && setup.modeOf(path) !== undefined;
  const named =
    given === undefined ? splitExport(spec.program.path ?? '', exists) : { path: spec.process.args[0] ?? '' };
  const entry = spec.program.export ?? named.export ?? '_start';
  const resumes = keeps !== 'all' && spec.program.resume !== undefined;
  const known = resumes || keeps !== 'nothing' ? undefined : host.modules?.get(spec, fuel);
  if (known !== undefined) return { ...known, entry };
  const { env, cwd } = spec.process;
  const path = given === undefined ? findProgram(named.path, env, cwd, setup) : '';
  const bytes = given === undefined ? setup.read(path, port) : host.readBytes(given);
  if (resumes || keeps !== 'nothing') {
    const again = given === undefined ? rereading(setup, port, path) : () => host.readBytes(given);
    const { resume } = spec.program;
    const checkpoint =
      resumes && resume !== undefined
        ? checkpointsOf(host).open(
            resume,
            host,
            identityOf(host, path, entry, () => bytes),
            spec.process,
          )
        : undefined;
    const state = resumes || keeps === 'all' ? 'all' : 'asyncify';
    const prepared = prepareModule(host.guardCore(), named.path, bytes, spec, fuel, state);
    const identity = identityOf(host, path, entry, again);
    return { ...prepared, entry, identity, ...(checkpoint === undefined ? {} : { checkpoint }) };
  }
  const prepared = prepareModule(host.guardCore(), named.path, bytes, spec, fuel);
  host.modules?.set(spec, fuel, prepared);
  return { ...prepared, entry };
}

function isReferred({ program: { refer = [] } }: SandboxSpec, { info }: LoadedProgram): boolean {
  return refer.length > 0 && info.imports.some(({ kind, name }) => kind === 'function' && refer.includes(name));
}

function identityOf(host: RunnerHost, path: string, entry: string, bytes: () => Uint8Array): ProgramIdentity {
  return { path, entry, bytes, digest: () => host.digest(bytes()) };
}

/** The file again, as long as it is the one that was loaded: most programs are never asked for it. */
function rereading(setup: Setup, port: KernelPort, path: string): () => Uint8Array {
  const loaded = setup.fingerprint(path);
  return () => {
    if (setup.fingerprint(path) === loaded) return setup.read(path, port);
    throw new WctrError('conflict', `${path} has changed since the program was started from it`, {
      hint: 'restart the container',
    });
  };
}

function checkpointsOf({ checkpoints }: RunnerHost): Checkpoints {
  if (checkpoints !== undefined) return checkpoints;
  throw new WctrError('unsupported', 'checkpoints cannot be gone on from here');
}

export interface RunOptions {
  /** In place of the process' own. */
  readonly imports?: WebAssembly.Imports;
  /** Sees the guest before its entry is called. */
  readonly onInstance?: (instance: WebAssembly.Instance) => void;
  /** What to run in place of the program's entry. */
  readonly entry?: (instance: WebAssembly.Instance) => () => unknown;
  /** The guest's stack may be taken down. */
  readonly stack?: GuestStack;
}

/** Instantiates and runs it in an opened process. */
export function runProgram(
  spec: SandboxSpec,
  host: RunnerHost,
  program: LoadedProgram,
  process: WasiProcess,
  { imports = process.imports, onInstance, entry, ...options }: RunOptions = {},
): SandboxExit {
  const fuel = program.fuel ? createFuel(spec, host) : undefined;
  let instance: WebAssembly.Instance | undefined;
  let end: WasiEnd;
  try {
    const { checkpoint } = program;
    const stack = options.stack ?? (checkpoint?.header.how === 'stack' ? checkpointsOf(host).stack() : undefined);
    instance = new WebAssembly.Instance(
      program.module,
      linkedImports(program.info, stack?.imports(imports) ?? imports, spec.program.unknownImports ?? 'deny'),
    );
    stack?.attach(instance);
    onInstance?.(instance);
    if (fuel !== undefined) fuel.attach(instance, checkpoint === undefined);
    else if (checkpoint === undefined) runStart(instance);
    if (checkpoint !== undefined) {
      const goOn = checkpointsOf(host).resume(instance, checkpoint, process.context, program.entry, stack);
      end = process.run(memoryOf(instance), stack?.around(goOn) ?? goOn);
    } else if (entry !== undefined) end = process.run(memoryOf(instance), entry(instance));
    else if (stack !== undefined) end = process.run(memoryOf(instance), stack.around(entryOf(instance, program.entry)));
    else end = process.start(instance, program.entry);
  } catch (error) {
    // In the start function of the module, or before it.
    end = { kind: 'trap', exitCode: 134, error: linkFailure(error) };
  }
  if (fuel?.end === 'timeout') return timedOut(spec);
  if (fuel?.end === 'stopped') return signalExit('SIGKILL');
  if (end.kind === 'exit') return { exitCode: end.exitCode & 0xff, oomKilled: false };
  if (end.kind === 'signal') return { ...signalExit(end.signal), exitCode: end.exitCode };
  const usedBytes = (instance === undefined ? undefined : memoryOf(instance))?.buffer?.byteLength ?? 0;
  return abnormalExit({ error: end.error, atMemoryLimit: isAtLimit(usedBytes, spec.resources.memoryBytes) });
}

function entryOf({ exports }: WebAssembly.Instance, name: string): () => unknown {
  const entry = exports[name];
  if (typeof entry === 'function') return entry as () => unknown;
  throw new WctrError('exec-format', `the module has no function export named ${name}`, { data: { export: name } });
}

function memoryOf({ exports }: WebAssembly.Instance): WebAssembly.Memory | undefined {
  return exports.memory as WebAssembly.Memory | undefined;
}

export function timedOut(spec: SandboxSpec): SandboxExit {
  return { exitCode: EXIT_TIMED_OUT, oomKilled: false, reason: `timed out after ${spec.resources.timeoutMs} ms` };
}

function createFuel(spec: SandboxSpec, host: RunnerHost): Fuel {
  const { cpus, timeoutMs } = spec.resources;
  return new Fuel({
    ...(cpus === undefined ? {} : { cpus }),
    ...(host.quota === undefined ? {} : { quota: host.quota }),
    ...(timeoutMs !== undefined && keepsTime(spec, host) ? { timeoutMs } : {}),
    ...(host.poll === undefined ? {} : { poll: host.poll }),
    ...(host.sleep === undefined ? {} : { sleep: host.sleep }),
  });
}

function keepsTime(spec: SandboxSpec, host: RunnerHost): boolean {
  return host.keepsTime === true && spec.resources.timeoutMs !== undefined;
}

export type Time = Required<Pick<WasiProcessOptions, 'clock' | 'random' | 'sleep'>>;

export function timeOf(spec: SandboxSpec, host: Pick<RunnerHost, 'clock' | 'sleep'>): Time {
  return spec.deterministic
    ? deterministicHost(0, spec.clockStart)
    : { clock: host.clock ?? hostClock, random: hostRandom, sleep: host.sleep ?? hostSleep };
}

export function wasiOptions(spec: SandboxSpec, host: RunnerHost, time: Time): WasiProcessOptions {
  const { args, env, cwd, user, terminal } = spec.process;
  return {
    args,
    env: withWorkingDirectory(env, cwd),
    cwd,
    user,
    ...time,
    stdin: { stream: host.stdio.stdin, terminal },
    stdout: { stream: host.stdio.stdout, terminal },
    stderr: { stream: host.stdio.stderr, terminal },
    ...(host.listeners === undefined ? {} : { listeners: host.listeners }),
  };
}

/** WASI cannot ask for the working directory. "." is preopened for those that look there; Go's programs read PWD. */
function withWorkingDirectory(env: readonly string[], cwd: string): readonly string[] {
  return cwd === '/' || env.some((entry) => entry.startsWith('PWD=')) ? env : [...env, `PWD=${cwd}`];
}

function linkFailure(error: unknown): unknown {
  if ((error as { name?: string } | null)?.name !== 'LinkError') return error;
  const text = (error as Error).message.replace(/^WebAssembly\.Instance\(\): /, '');
  return new WctrError('module-denied', `the module asks for what is not there: ${text}`, { cause: error });
}

function isPath(name: string): boolean {
  return name.includes('/');
}
