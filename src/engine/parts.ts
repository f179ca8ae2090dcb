/** What the local engine is put together from; a composition root fills it with one host's adapters. */

import type { ContextFiles } from '../build/context/directory-tree.ts';
import type { OpenSpaceHere } from '../build/run/runs-here.ts';
import type { EventLog } from '../containers/events.ts';
import type { OpenFiles } from '../containers/files/open.ts';
import type { ContainerProcesses } from '../containers/processes.ts';
import type { ContainerRecords } from '../containers/records.ts';
import type { VolumeDriver } from '../containers/volumes/driver.ts';
import type { CoreModules } from '../core/core-modules.ts';
import type { ByteLocation, FileSystem, GitClient, Locks } from '../host/ports.ts';
import type { Sandbox } from '../host/sandbox.ts';
import type { ArchiveFiles } from '../images/archive/files.ts';
import type { LayerStore } from '../images/contracts.ts';
import type { CreateHasher } from '../images/digest.ts';
import type { ImageStore } from '../images/image-store.ts';
import type { RegistryClient } from '../images/registry/client.ts';
import type { CredentialSource } from '../images/registry/credentials.ts';
import type { BlobStore } from '../images/store/blob-store.ts';
import type { StoreLayout } from '../images/store/layout.ts';
import type { Leases } from '../images/store/leases.ts';
import type { EdgeRuntime } from './edge-bundle.ts';

export interface EngineParts {
  readonly version: string;
  readonly fs: FileSystem;
  readonly locks: Locks;
  readonly layout: StoreLayout;
  readonly createHasher: CreateHasher;
  readonly core: CoreModules;
  readonly content: BlobStore;
  readonly layers: LayerStore;
  readonly images: ImageStore;
  readonly leases: Leases;
  readonly containers: ContainerRecords;
  readonly events: EventLog;
  /** Reads the docker config and the registries' configuration on first use. */
  registry(credentials?: CredentialSource): Promise<RegistryClient>;
  /** Where `policy.json` may be. */
  readonly policyDirectory?: string;
  readonly sandboxes: SandboxChoice;
  readonly host: EngineHost;
  /** In place of, and beside, the drivers `local` and `memfs`. */
  readonly volumeDrivers?: readonly VolumeDriver[];
}

export interface SandboxChoice {
  readonly default: string;
  readonly available: readonly string[];
  /** Throws `invalid-argument` for an isolation this host does not have. */
  open(isolation: string): Promise<Sandbox>;
  close(): Promise<void>;
}

/** Facts and files of the host. */
export interface EngineHost {
  facts(): HostFacts;
  /** Where the host has paths: what a path is. Absent in a browser. */
  readonly paths?: {
    readonly fs: FileSystem;
    kind(path: string): Promise<'directory' | 'file' | undefined>;
    resolve(path: string): string;
    makeDirectory(path: string): Promise<void>;
    /** A stored file of the host. */
    locate(path: string): Promise<ByteLocation>;
    /** Directories as contexts of builds. */
    contextFiles(): Promise<ContextFiles>;
  };
  /** For contexts of builds. */
  readonly git?: GitClient;
  /** An image that ships inside the package, by canonical name; undefined when there is none of that name. */
  bundledImage(name: string): Promise<ArchiveFiles | undefined>;
  /** Of the package, for bundles that run elsewhere; absent where it has no files. */
  edgeRuntime?(): Promise<EdgeRuntime>;
  /** From the system's generator, for ids. */
  randomBytes(length: number): Uint8Array;
  /** This process, where there are processes. */
  readonly pid?: number;
  /** Whether the process of a container is still there. `startedAt`: not another one with its pid. */
  isAlive(pid: number, startedAt?: string): boolean;
  /** The file names of the Unix sockets that somebody listens on now, where the system tells them all at once. */
  listeners?(): ReadonlySet<string>;
  /** A directory's time changes with every rename into it, as POSIX has it. */
  readonly tellsRenames?: boolean;
  /** What tells a process from a later one with its pid; undefined where the system does not say. */
  processStart?(pid: number): string | undefined;
  /** Container processes, where the host can start any. */
  readonly processes?: HostProcesses;
  /** Boots a container for one program of a build in this process. */
  readonly openHere?: OpenSpaceHere;
  /** Boots a container's files without a guest, where the host has a kernel for that. */
  readonly openFiles?: OpenFiles;
  /** A private directory in memory, for volumes of the driver `memfs`, where the host has such a thing. */
  memoryDirectory?(): string;
  /** First bytes of a stored file or blob. */
  readAt(location: ByteLocation, position: number, length: number): Promise<Uint8Array>;
}

/** Processes that outlive this one. */
export interface HostProcesses {
  /** Directory of the sockets of this store's containers. Private to the user. */
  runDirectory(): string;
  /** Loaded when the first container is started or spoken to. */
  containers(): Promise<ContainerProcesses>;
  /** Throws 'conflict' when there is no such process. */
  signal(pid: number, signal: string): void;
  /** Undefined when it is gone. */
  usage(pid: number): ProcessUsage | undefined;
  /** Ends what is kept ready; containers go on. */
  close(): Promise<void>;
}

/** What the system says of a process. */
export interface ProcessUsage {
  readonly userMs: number;
  readonly systemMs: number;
  /** Resident, bytes. */
  readonly memoryBytes: number;
  readonly readBytes: number;
  readonly writtenBytes: number;
  /** CPU time of the whole machine since its start. */
  readonly hostCpuMs: number;
}

export interface HostFacts {
  /** `node 20.20.2`, `deno 2.9.6`, ... */
  readonly runtime: string;
  readonly os: string;
  readonly architecture: string;
  readonly cpus: number;
  readonly memoryBytes: number;
  readonly hostname: string;
}
