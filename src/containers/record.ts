/**
 * What is kept of a container on disk. One file per container (`containers/<id>`), changed under the lock
 * `container-<id>` by whoever acts: the engine, and the container's own process while it lives.
 */
import type { SandboxExit } from '../host/sandbox.ts';
import type {
  ContainerConfig,
  ContainerStatus,
  EndpointSettings,
  Health,
  HostConfig,
  MountPoint,
  PortMap,
} from '../spec/engine-api.ts';
import type { Digest } from '../spec/image-spec.ts';

export interface ContainerRecord {
  /** The container's id, 64 hex digits. */
  readonly key: string;
  readonly name: string;
  readonly createdAt: string;
  /** What the user called the image, and the digest of its config. Empty for a bare module. */
  readonly image: string;
  readonly imageId: string;
  readonly platform: string;
  /** The image's manifest and layers, which the garbage collector leaves alone while the container is there. */
  readonly manifest?: Digest;
  readonly diffIds: readonly Digest[];
  /** The image's config and the user's request, merged. */
  readonly config: ContainerConfig;
  readonly hostConfig: HostConfig;
  /** argv: entrypoint and command, merged. */
  readonly args: readonly string[];
  /** Where the program is no file of the image: a module of the host, and its export. */
  readonly module?: { readonly path: string; readonly export?: string };
  readonly unknownImports: 'deny' | 'trap';
  readonly deterministic: boolean;
  /** Volumes and binds as they were resolved at the creation; anonymous volumes have their name here. */
  readonly mounts: readonly MountPoint[];
  /** Networks by name, with the address the container has there. */
  readonly networks: Readonly<Record<string, EndpointSettings>>;
  /** Ports as they are published while it runs. */
  readonly ports: PortMap;
  readonly isolation: string;
  /**
   * True: a container process with a control socket. False: `wctr run --rm` in the foreground, whose own process is the
   * container; it has no log, no writable layer on disk and no `exec`.
   */
  readonly managed: boolean;
  readonly restartCount: number;
  /** A user stopped it: policies other than `always` leave it alone, and `always` until the engine starts anew. */
  readonly stoppedByUser: boolean;
  readonly state: ContainerState;
}

export interface ContainerState {
  readonly status: ContainerStatus;
  /** The container's process, and when it started as the system tells it: a pid alone may be another's by now. */
  readonly pid?: number;
  readonly pidStartedAt?: string;
  readonly startedAt?: string;
  readonly finishedAt?: string;
  readonly exit?: SandboxExit;
  /** Why the last start failed. */
  readonly error?: string;
  readonly health?: Health;
}
