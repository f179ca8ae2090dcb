import type { ListOptions } from '../engine/container-list.ts';
import type { Engine } from '../engine/engine.ts';
import type { ErrorCode } from '../errors.ts';
import type { Signal } from '../host/sandbox.ts';
import type { ContainerSummary } from '../spec/engine-api.ts';
import type { ContextStore } from './contexts.ts';
import type { DaemonHost } from './daemon-host.ts';
import type { Flag, ParsedFlags } from './flags.ts';
import type { LocalTree } from './local-tree.ts';
import type { RegistryHost } from './registry-host.ts';
import type { RegistryTools } from './registry-tools.ts';
import type { Terminal } from './terminal.ts';

/** One command, one file: what it is called, what it takes, what it does. */
export interface Command {
  /** Arguments as the usage line shows them: `IMAGE [COMMAND] [ARG...]`. */
  readonly usage: string;
  readonly flags: readonly Flag[];
  readonly examples: readonly string[];
  /** Fewest and most positional arguments. */
  readonly args: readonly [min: number, max: number];
  /** False where the first positional ends the flags, because the rest belongs to the container. */
  readonly interspersed?: boolean;
  /** Exit code for an error, where it is not the usual 1 (125 for a wrong line). Undefined: the usual. */
  exitCode?(code: ErrorCode): number | undefined;
  /** Returns the exit code. */
  run(context: Context, args: readonly string[], flags: ParsedFlags): Promise<number>;
}

export interface Context {
  readonly terminal: Terminal;
  /** Opened on first use, so that `--help` and `version` touch no store. */
  engine(): Promise<Engine>;
  /** What `ps` shows, where it can be had without opening the engine. */
  containers?(options: ListOptions): Promise<ContainerSummary[]>;
  /** The engine of this machine over another data root. */
  engineAt(root: string): Promise<Engine>;
  /** The engine is another process's, reached over its API. */
  readonly isRemote?: boolean;
  /** Aborted by Ctrl-C. */
  readonly signal: AbortSignal;
  readonly host: CliHost;
  /** Where contexts are kept. */
  readonly contexts?: ContextStore;
  /** Registries without an engine. */
  registry?(): Promise<RegistryTools>;
  /** Where this machine can run one. */
  daemon?(): Promise<DaemonHost>;
  /** Where this machine can serve one. */
  registryServer?(): Promise<RegistryHost>;
}

/** What commands need of the machine beside the engine. */
export interface CliHost {
  readFile(path: string): Promise<Uint8Array>;
  /** Creates the file; `exclusive` fails where one is. */
  writeFile(path: string, data: Uint8Array, options?: { exclusive?: boolean }): Promise<void>;
  /** Nothing happens where there is none. */
  removeFile(path: string): Promise<void>;
  /** `directory`, `file`, or undefined where there is nothing. */
  kind(path: string): Promise<'directory' | 'file' | undefined>;
  stdin(): AsyncIterable<Uint8Array>;
  /** A file, chunk by chunk. */
  readStream(path: string): AsyncIterable<Uint8Array>;
  /** Raw bytes to standard output, waiting for room. */
  writeStdout(chunk: Uint8Array): Promise<void>;
  writeStderr(chunk: Uint8Array): Promise<void>;
  /** Bytes to a file, whole or not at all. */
  writeStream(path: string, chunks: AsyncIterable<Uint8Array>): Promise<void>;
  /** Calls back for each signal wctr itself receives, until the returned function is called. */
  onSignal(listener: (name: Signal) => void): () => void;
  resolvePath(path: string): string;
  /** With every link on the way followed. */
  realPath(path: string): Promise<string>;
  localTree(): Promise<LocalTree>;
  /** `yes` on a line of standard input. */
  confirm(question: string): Promise<boolean>;
}
