/** The thread of one guest: attaches to the container's kernel, loads the program and runs it to its end. */
import { type JournalStore, UpperJournal, type UpperLink } from '../../core/upper.ts';
import { isWctrError } from '../../errors.ts';
import { MODULE_POSIX } from '../../spec/wctr-posix.ts';
import { type CheckpointFile, initAndFreeze } from '../checkpoint/freeze.ts';
import { PathTracker } from '../checkpoint/open-files.ts';
import type { HostDirectory } from '../mounts/host-directory.ts';
import type { NodeTable } from '../mounts/nodes.ts';
import { SharedNodes } from '../mounts/shared-nodes.ts';
import { networkPortOf } from '../network/guest-port.ts';
import type { BlockSource } from '../ports.ts';
import { signalExit } from '../runner/exit.ts';
import { kernelImports, kernelPort, type LinkParts } from '../runner/kernel-link.ts';
import { linkedImports, type PreparedModule } from '../runner/module.ts';
import {
  type GuestStdio,
  loadProgram,
  type ModuleCache,
  type RunnerHost,
  runProgram,
  type Time,
  timeOf,
  wasiOptions,
} from '../runner/run.ts';
import { type KernelExports, Setup } from '../runner/setup.ts';
import type { SandboxSpec } from '../sandbox.ts';
import { terminalInput } from '../terminal/terminal-lines.ts';
import type { KernelPort } from '../wasi/kernel-port.ts';
import type { HostStream, NetworkPort, StringBlock } from '../wasi/ports.ts';
import { WasiProcess } from '../wasi/run.ts';
import { bytesInput, type Exclusive, ringInput, ringOutput } from '../worker/guest.ts';
import { Ring } from '../worker/ring.ts';
import { guestProcesses } from './guest-processes.ts';
import { GuestSignals } from './guest-signals.ts';
import {
  type AttachedMount,
  FREEZE_NOTHING,
  type GuestError,
  type GuestMessage,
  type GuestStart,
  type SharedBlock,
  STATE_FREEZE,
  STATE_JOURNAL,
  STATE_PAGES,
} from './messages.ts';
import { RunningFreezer } from './running-freezer.ts';
import { withStackSpare } from './stack-spare.ts';

export interface GuestThreadHost {
  post(message: GuestMessage): void;
  runnerHost(start: GuestStart, stdio: GuestStdio): RunnerHost;
  openShared(block: SharedBlock): BlockSource;
  /** `note` is told the descriptor as soon as there is one, -1 when it is closed. */
  openJournal(path: string, note: (descriptor: number) => void): JournalStore;
  attachMount(mount: AttachedMount, nodes: NodeTable): HostDirectory;
  /** A new file that takes the path's place when it is whole. */
  createCheckpoint(path: string): CheckpointFile;
  /** The operating system's name for this thread, where CPU time can be asked by it. */
  readonly thread?: string;
}

const PAGE_BYTES = 65536;

export function runGuestThread(start: GuestStart, host: GuestThreadHost): void {
  let ready: Ready;
  try {
    ready = prepare(start, host);
  } catch (error) {
    host.post({ type: 'failed', error: guestError(error) });
    return;
  }
  const { run, detach, spawns, prepared } = ready;
  const { thread } = host;
  host.post({
    type: 'started',
    spawns,
    ...(thread === undefined ? {} : { thread }),
    ...(prepared === undefined ? {} : { prepared }),
  });
  const exit = run();
  detach();
  host.post({ type: 'exit', exit });
}

interface Ready {
  run(): ReturnType<typeof runProgram>;
  /** Once it ran. */
  detach(): void;
  /** The program may start others. */
  readonly spawns: boolean;
  /** Its module, where others that start the same file can use it. */
  readonly prepared?: PreparedModule;
}

function guestError(error: unknown): GuestError {
  const { message } = error as Error;
  const known = isWctrError(error);
  return {
    code: known ? error.code : 'internal',
    message,
    ...(known && error.hint !== undefined ? { hint: error.hint } : {}),
  };
}

function prepare(start: GuestStart, host: GuestThreadHost): Ready {
  const { spec, task, child } = start;
  let signals: GuestSignals | undefined;
  let lock: Pick<KernelExports, 'kernel_freeze' | 'kernel_thaw'> | undefined;
  // A thread is ended outside of the kernel only: never in the middle of this.
  const exclusive: Exclusive = (act) => {
    lock!.kernel_freeze();
    try {
      return act();
    } finally {
      lock!.kernel_thaw();
    }
  };
  const state = new Int32Array(start.state);
  const wanted = () => Atomics.load(state, STATE_FREEZE) !== FREEZE_NOTHING;
  const stdio = openStreams(start, host, exclusive, () => signals?.pending === true || wanted());
  const modules = new GivenModule(child?.prepared);
  const runner = {
    ...host.runnerHost(start, stdio),
    quota: start.attachment.quota,
    ...(child?.identity === undefined ? {} : { modules }),
  };
  const time = timeOf(spec, runner);
  const { kernel, port, detach } = attach(start, host, time);
  // Whoever finds stack to take it with has enough to work and to give it back.
  const { kernel_freeze } = port.calls as unknown as KernelExports;
  lock = { kernel_freeze, kernel_thaw: kernel.kernel_thaw };
  const setup = new Setup(kernel, port.memory, task);
  const { freeze } = start;
  const keeps = freeze !== undefined ? 'all' : start.checkpoint !== undefined ? 'asyncify' : 'nothing';
  const program = loadProgram(spec, runner, setup, port, keeps);
  // The name may lead elsewhere than it did for the one that asked.
  const isAsked = child?.identity !== undefined && setup.readIdentity === child.identity;
  const process = new WasiProcess(port);
  linkedImports(program.info, process.imports, spec.program.unknownImports ?? 'deny');
  const asked = new Set(program.info.imports.map(({ module, name }) => (module === MODULE_POSIX ? name : '')));
  const received = new GuestSignals(port, task);
  signals = received;
  process.open({
    ...wasiOptions(spec, runner, time),
    task,
    ...(start.network === undefined ? {} : { network: networkOf(start.network, child !== undefined) }),
    ...(child === undefined ? {} : { inherited: { args: blockOf(child.args), env: blockOf(child.env) } }),
    processes: guestProcesses({
      ask: (question) => host.post(question),
      state,
      calls: port.calls,
      signals: received,
      knowsPipes: asked.has('fd_pipe'),
      context: process.context,
    }),
  });
  process.context.guest.onSize = (bytes) => void Atomics.store(state, STATE_PAGES, bytes / PAGE_BYTES);
  const onInstance = (instance: WebAssembly.Instance) => {
    received.attach(instance, state);
    const { memory } = instance.exports;
    if (!(memory instanceof WebAssembly.Memory)) return;
    Atomics.store(state, STATE_PAGES, memory.buffer.byteLength / PAGE_BYTES);
  };
  const imports = received.imports(program.module, process.imports);
  const ready = {
    detach,
    spawns: asked.has('proc_spawn'),
    ...(isAsked && modules.made !== undefined ? { prepared: modules.made } : {}),
  };
  const isAsyncified = program.info.exports.some(({ name }) => name === 'asyncify_start_unwind');
  if (freeze === undefined && (start.checkpoint === undefined || !isAsyncified)) {
    return { ...ready, run: () => runProgram(spec, runner, program, process, { imports, onInstance }) };
  }
  const paths = new PathTracker(process.context, spec.process.cwd, program.checkpoint?.header.files);
  if (freeze === undefined) {
    const freezer = new RunningFreezer({
      state,
      program,
      args: spec.process.args,
      paths,
      core: runner.guardCore(),
      create: () => host.createCheckpoint(start.checkpoint!),
      report: (error) => host.post({ type: 'frozen', ...(error === undefined ? {} : { error: guestError(error) }) }),
      interrupted: () => received.takeFreeze(),
    });
    const onFreezable = (instance: WebAssembly.Instance) => {
      onInstance(instance);
      freezer.attach(instance);
    };
    const options = { imports: paths.imports(imports), onInstance: onFreezable, stack: freezer.stack };
    const run = () => {
      const exit = runProgram(spec, runner, program, process, options);
      return freezer.hasEnded ? signalExit('SIGKILL') : exit;
    };
    return { ...ready, run };
  }
  const freezing = {
    ...(freeze.init === undefined ? {} : { init: freeze.init }),
    open: () => host.createCheckpoint(freeze.path),
    program: program.identity!,
    paths,
  };
  const entry = (instance: WebAssembly.Instance) => initAndFreeze(instance, program.module, freezing);
  const options = { imports: paths.imports(imports), onInstance, entry };
  return { ...ready, run: () => runProgram(spec, runner, program, process, options) };
}

/** The one module of a thread: given, or made and then to be had. */
class GivenModule implements ModuleCache {
  made: PreparedModule | undefined;
  readonly #given: PreparedModule | undefined;

  constructor(given: PreparedModule | undefined) {
    this.#given = given;
  }

  get(): PreparedModule | undefined {
    return this.#given;
  }

  set(_spec: SandboxSpec, _fuel: boolean, prepared: PreparedModule): void {
    this.made = prepared;
  }
}

/** Listening sockets are for the program that the host started. */
function networkOf(setup: unknown, isChild: boolean): NetworkPort {
  const network = networkPortOf(setup);
  if (!isChild) return network;
  return {
    socket: (family, type) => network.socket(family, type),
    resolve: (name, family) => network.resolve(name, family),
    listeners: [],
  };
}

function blockOf(bytes: Uint8Array): StringBlock {
  const offsets: number[] = [];
  for (let at = 0; at < bytes.length; at = bytes.indexOf(0, at) + 1) offsets.push(at);
  return { bytes, offsets };
}

interface Attached {
  readonly kernel: KernelExports;
  readonly port: KernelPort;
  /** Gives back what was opened for this program alone: its thread may run others. */
  detach(): void;
}

function attach(start: GuestStart, host: GuestThreadHost, time: Time): Attached {
  const { attachment } = start;
  const { nodes } = attachment;
  const layers: (BlockSource | undefined)[] = [];
  const mounts = new Map(
    attachment.mounts.map((mount) => [
      mount.number,
      host.attachMount(mount, new SharedNodes(nodes as SharedArrayBuffer, mount.number)),
    ]),
  );
  const { memory } = attachment;
  const state = new Int32Array(start.state);
  const note = (descriptor: number) => void Atomics.store(state, STATE_JOURNAL, descriptor + 1);
  const journal =
    attachment.journal === undefined
      ? undefined
      : new UpperJournal(host.openJournal(attachment.journal, note), () => ({
          memory,
          calls: kernel as unknown as UpperLink['calls'],
        }));
  const parts: LinkParts = {
    memory,
    mounts,
    layer(number) {
      layers[number] ??= host.openShared(attachment.layers[number]!);
      return layers[number];
    },
    clock: () => time.clock,
    random: () => time.random,
    ...(journal === undefined ? {} : { journalWrite: journal.write }),
  };
  const instance = new WebAssembly.Instance(attachment.kernel, kernelImports(parts));
  const kernel = instance.exports as unknown as KernelExports;
  kernel.kernel_attach(1);
  const port = kernelPort(instance.exports, parts);
  return {
    kernel,
    port: {
      ...port,
      calls: withStackSpare(port.calls),
      ...(journal === undefined ? {} : { sync: (task: number) => journal.trySync(task) }),
    },
    detach() {
      for (const layer of layers) layer?.close();
    },
  };
}

function openStreams(
  start: GuestStart,
  host: GuestThreadHost,
  exclusive: Exclusive,
  interrupted: () => boolean,
): GuestStdio {
  const output = (name: 'stdout' | 'stderr', buffer: SharedArrayBuffer): HostStream =>
    ringOutput(name, new Ring(buffer), host, true, exclusive);
  const stdout = output('stdout', start.stdout);
  const input = (ring: Ring) =>
    start.spec.process.terminal
      ? terminalInput(ring, interrupted, exclusive)
      : ringInput(ring, host, true, interrupted, exclusive);
  return {
    stdin: start.stdin === undefined ? bytesInput(new Uint8Array(0)) : input(new Ring(start.stdin)),
    stdout,
    stderr: start.stderr === undefined ? stdout : output('stderr', start.stderr),
  };
}
