/**
 * Sockets of a container. The guest's calls are synchronous and run on its own thread; the sockets themselves live on the
 * container process' main thread, which has an event loop. Between the two: a ring each way per socket, in shared memory.
 */
import type { PortMap } from '../../spec/engine-api.ts';

/** What a container's process has to know of the networks it is on. */
export interface NetworkPlan {
  /** `none`: its own loopback only; `host`: the host's sockets as they are; `networks`: those below. */
  readonly mode: 'none' | 'host' | 'networks';
  readonly hostname: string;
  readonly domainname?: string;
  /** The container whose network this is: its loopback is found by it. */
  readonly owner: string;
  /** `--network container:X`: the network is X's, this one only uses it. */
  readonly joined?: boolean;
  readonly networks: readonly NetworkAttachment[];
  /** `80/tcp` -> where on the host. Empty HostPort: any. */
  readonly publish: PortMap;
  /** Container ports a guest finds as listening sockets at its start (preview 1 can accept, not listen). */
  readonly listen: readonly string[];
  /** `name:ip` of --add-host; `host-gateway` is the host. */
  readonly extraHosts: readonly string[];
  /** Name servers in place of the host's own. */
  readonly dns?: { readonly servers: readonly string[]; readonly search: readonly string[] };
  /** Where the endpoints of all containers are: `<directory>/<network id>/...`, private to the user. */
  readonly directory: string;
}

export interface NetworkAttachment {
  readonly id: string;
  readonly name: string;
  /** No way out of the network. */
  readonly internal: boolean;
  readonly subnet: string;
  readonly gateway: string;
  readonly address: string;
  /** The same of IPv6; absent on a network without. */
  readonly ipv6?: { readonly subnet: string; readonly gateway: string; readonly address: string };
  /** Names it answers to here: its own, its short id, aliases. */
  readonly names: readonly string[];
  /** `--link`: other names for other containers, `alias` -> container name. */
  readonly links: Readonly<Record<string, string>>;
}

/** The main thread's side: one for a container, as long as its process lives. */
export interface ContainerNetwork {
  /**
   * For one guest thread: what `networkPortOf(setup)` makes its NetworkPort from. Structured-cloneable. `wake` is called
   * when the readiness of any socket changed (it bumps the kernel's event word, so that poll_oneoff need not ask).
   */
  attach(wake: () => void): { readonly setup: unknown; readonly transfer: readonly unknown[]; detach(): void };
  /** Published ports as they came out. */
  readonly ports: PortMap;
  /** By network name. */
  stats(): Readonly<Record<string, { rxBytes: number; rxPackets: number; txBytes: number; txPackets: number }>>;
  /** Other networks from now on. Sockets on those that are gone are closed. */
  update(plan: NetworkPlan): Promise<void>;
  close(): Promise<void>;
}
