/**
 * `run` in the foreground: the guest is a sandbox of this process' own, the record says `managed: false`. Nothing else can
 * reach it, so nothing is made that others would need: no control socket, no log, no writable layer on disk.
 */
import { checkName } from '../containers/names.ts';
import {
  commandLine,
  environment,
  type ImageProcessConfig,
  type ProcessOverrides,
  resolveUser,
  workingDirectory,
} from '../containers/process-config.ts';
import type { ContainerRecord, ContainerState } from '../containers/record.ts';
import { WctrError } from '../errors.ts';
import type { SandboxExit, SandboxMount, SandboxSpec, Signal } from '../host/sandbox.ts';
import type { MountPoint } from '../spec/engine-api.ts';
import { claimName, newId } from './container-names.ts';
import type { RunningContainer, RunOptions } from './engine.ts';
import type { EngineParts } from './parts.ts';
import type { Program, ProgramSources } from './program.ts';

const DEFAULT_STDIO = { stdin: 'null', stdout: 'pipe', stderr: 'pipe' } as const;

export class ForegroundRuns {
  readonly #parts: EngineParts;
  readonly #programs: ProgramSources;

  constructor(parts: EngineParts, programs: ProgramSources) {
    this.#parts = parts;
    this.#programs = programs;
  }

  async run(options: RunOptions): Promise<RunningContainer> {
    const { containers } = this.#parts;
    if (options.name !== undefined) checkName(options.name);
    const isolation = options.isolation ?? this.#parts.sandboxes.default;
    // The sandbox's own boot goes on while the image is found.
    const [sandbox, program] = await Promise.all([this.#parts.sandboxes.open(isolation), this.#programs.find(options)]);
    const id = newId(this.#parts.host.randomBytes);
    const spec = await this.#spec(id, options, program);
    const name = await claimName(containers, options.name, id);
    const created = this.#record(name, spec, options, program, isolation);
    try {
      await this.#makeBindSources(options.mounts ?? []);
      await options.onCreated?.(id);
      const [handle] = await Promise.all([sandbox.start(spec), containers.put(created)]);
      const running = withState(created, {
        status: 'running',
        startedAt: now(),
        ...(handle.pid === undefined ? {} : this.#process(handle.pid)),
      });
      // One that is removed at its end needs no second record: `created` already holds its image.
      if (options.autoRemove !== true) await containers.put(running);
      // The guest may run in this very thread once it is waited for, so everything is on disk before.
      const ended = handle.wait().then((exit) => this.#finish(running, exit));
      return new Running(id, name, handle, ended);
    } catch (error) {
      await containers.remove(created).catch(() => {});
      throw error;
    }
  }

  async #finish(running: ContainerRecord, exit: SandboxExit): Promise<SandboxExit> {
    const { containers } = this.#parts;
    if (running.hostConfig.AutoRemove === true) await containers.remove(running);
    else await containers.put(withState(running, { ...running.state, status: 'exited', finishedAt: now(), exit }));
    return exit;
  }

  async #spec(id: string, options: RunOptions, program: Program): Promise<SandboxSpec> {
    const hostname = options.hostname ?? id.slice(0, 12);
    const overrides = processOverrides(options, hostname);
    const image: ImageProcessConfig = program.process;
    const args = [...program.argsPrefix, ...commandLine(image, overrides)];
    if (args.length === 0) {
      throw new WctrError('invalid-argument', `no command specified: image ${options.image} has no entrypoint`, {
        hint: `name a program of the image: wctr run ${options.image} /path/to/app.wasm`,
      });
    }
    const resume = await program.checkpoint({ ...program.labels, ...options.labels });
    return {
      id,
      hostname,
      process: {
        args,
        env: environment(image, overrides),
        cwd: workingDirectory(image, overrides),
        user: await resolveUser(options.user ?? image.user, program.readFile),
        terminal: options.tty ?? false,
        ...(options.consoleSize === undefined ? {} : { consoleSize: options.consoleSize }),
      },
      root: { readonly: options.readonlyRootfs ?? false, layers: program.layers, ...program.index },
      program: {
        ...(program.module === undefined ? { path: args[0]! } : program.module),
        unknownImports: options.unknownImports ?? unknownImportsLabel(program.labels),
        ...(options.sockets === 'refer' ? { refer: containerImports(program) } : {}),
        ...(resume === undefined ? {} : { resume }),
      },
      mounts: (options.mounts ?? []).map(plainMount),
      resources: options.resources ?? {},
      stdio: options.stdio ?? DEFAULT_STDIO,
      deterministic: options.deterministic ?? false,
    };
  }

  /** docker makes the missing source of a `-v`; the source of a `--mount` must be there (the sandbox says so). */
  async #makeBindSources(mounts: readonly SandboxMount[]): Promise<void> {
    const { paths } = this.#parts.host;
    for (const mount of mounts) {
      if (mount.type !== 'bind' || (mount as { createSource?: boolean }).createSource !== true) continue;
      if (paths !== undefined && (await paths.kind(mount.source)) === undefined)
        await paths.makeDirectory(mount.source);
    }
  }

  #record(name: string, spec: SandboxSpec, options: RunOptions, program: Program, isolation: string): ContainerRecord {
    const { pid } = this.#parts.host;
    const { process, resources } = spec;
    return {
      key: spec.id,
      name,
      createdAt: now(),
      image: options.image,
      imageId: program.imageId,
      platform: program.platform,
      ...(program.manifest === undefined ? {} : { manifest: program.manifest }),
      diffIds: program.diffIds,
      config: {
        Hostname: spec.hostname,
        Domainname: '',
        User: options.user ?? program.process.user ?? '',
        AttachStdin: spec.stdio.stdin !== 'null',
        AttachStdout: true,
        AttachStderr: true,
        Tty: process.terminal,
        OpenStdin: spec.stdio.stdin !== 'null',
        StdinOnce: true,
        Env: process.env,
        Cmd: process.args,
        Image: options.image,
        Volumes: null,
        WorkingDir: process.cwd,
        Entrypoint: null,
        OnBuild: null,
        Labels: { ...program.labels, ...options.labels },
      },
      hostConfig: {
        NetworkMode: 'none',
        AutoRemove: options.autoRemove ?? false,
        ReadonlyRootfs: spec.root.readonly,
        Memory: resources.memoryBytes ?? 0,
        NanoCpus: Math.round((resources.cpus ?? 0) * 1e9),
        PidsLimit: resources.pids ?? null,
        RestartPolicy: { Name: 'no', MaximumRetryCount: 0 },
        LogConfig: { Type: 'none', Config: {} },
      },
      args: process.args,
      unknownImports: spec.program.unknownImports ?? 'deny',
      deterministic: spec.deterministic ?? false,
      mounts: spec.mounts.map(mountPoint),
      networks: {},
      ports: {},
      isolation,
      managed: false,
      restartCount: 0,
      stoppedByUser: false,
      // Of the process that removes the record in the end: without it nobody would.
      state: { status: 'created', ...(pid === undefined ? {} : this.#process(pid)) },
    };
  }

  #process(pid: number): Pick<ContainerState, 'pid' | 'pidStartedAt'> {
    const startedAt = this.#parts.host.processStart?.(pid);
    return { pid, ...(startedAt === undefined ? {} : { pidStartedAt: startedAt }) };
  }
}

function processOverrides(options: RunOptions, hostname: string): ProcessOverrides {
  const { args, entrypoint, env, user, workingDir, tty } = options;
  return {
    hostname,
    ...(args === undefined ? {} : { args }),
    ...(entrypoint === undefined ? {} : { entrypoint }),
    ...(env === undefined ? {} : { env }),
    ...(user === undefined ? {} : { user }),
    ...(workingDir === undefined ? {} : { workingDir }),
    ...(tty === undefined ? {} : { tty }),
  };
}

class Running implements RunningContainer {
  readonly id: string;
  readonly name: string;
  readonly sandbox: RunningContainer['sandbox'];
  readonly #ended: Promise<SandboxExit>;

  constructor(id: string, name: string, sandbox: RunningContainer['sandbox'], ended: Promise<SandboxExit>) {
    this.id = id;
    this.name = name;
    this.sandbox = sandbox;
    this.#ended = ended;
    // Whoever never waits must not bring the process down with an unhandled rejection.
    ended.catch(() => {});
  }

  wait(): Promise<SandboxExit> {
    return this.#ended;
  }

  kill(signal: Signal = 'SIGKILL'): Promise<void> {
    return this.sandbox.signal(signal);
  }
}

function withState(record: ContainerRecord, state: ContainerState): ContainerRecord {
  return { ...record, state };
}

/** What the flag parser adds for `#makeBindSources` is no business of the sandbox. */
function plainMount(mount: SandboxMount): SandboxMount {
  const { createSource: _, ...plain } = mount as SandboxMount & { createSource?: boolean };
  return plain;
}

function mountPoint(mount: SandboxMount): MountPoint {
  return {
    Type: mount.type === 'tmpfs' ? 'tmpfs' : 'bind',
    Source: mount.type === 'tmpfs' ? '' : mount.source,
    Destination: mount.destination,
    Mode: '',
    RW: mount.readonly !== true,
    Propagation: '',
  };
}

/**
 * By these a program starts another one, or gets a socket of its own and, where its image exposes ports, one that listens
 * on them.
 */
function containerImports({ config }: Program): readonly string[] {
  const opens = ['proc_spawn', 'sock_open', 'sock_open_v2', 'sock_getaddrinfo', 'sock_getaddrinfo_v2'];
  return Object.keys(config.ExposedPorts ?? {}).length === 0 ? opens : [...opens, 'sock_accept', 'sock_accept_v2'];
}

function now(): string {
  return new Date().toISOString();
}

/** An image may say that it lives without some of its imports. It gets nothing by that: calling one ends the guest. */
function unknownImportsLabel(labels: Readonly<Record<string, string>>): 'deny' | 'trap' {
  return labels['wctr.unknown-imports'] === 'trap' ? 'trap' : 'deny';
}
