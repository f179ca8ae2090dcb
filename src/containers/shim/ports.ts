/** What a container's process needs of its host. */
import type { ContainerHost } from '../../host/container/container.ts';
import type { ContainerNetwork, NetworkPlan } from '../../host/network/port.ts';
import type { FileSystem, LocalSockets } from '../../host/ports.ts';
import type { LaunchReport } from '../launch.ts';
import type { ContainerRecord } from '../record.ts';

export interface ShimHost {
  readonly guests: ContainerHost;
  readonly sockets: LocalSockets;
  readonly fs: FileSystem;
  readonly records: {
    get(id: string): Promise<ContainerRecord | undefined>;
    change(
      id: string,
      change: (record: ContainerRecord) => ContainerRecord | undefined,
    ): Promise<ContainerRecord | undefined>;
    remove(record: ContainerRecord): Promise<void>;
  };
  readonly events: {
    container(record: ContainerRecord, action: string, attributes?: Readonly<Record<string, string>>): Promise<void>;
  };
  /** Absent: containers have no sockets here. */
  openNetwork?(plan: NetworkPlan): Promise<ContainerNetwork>;
  removeVolume?(name: string): Promise<void>;
  /** This process, and when it started as the system tells it. */
  readonly pid: number;
  readonly pidStartedAt?: string;
  /** Of this process. */
  residentBytes(): number;
  /** Nanoseconds since the epoch. */
  now(): bigint;
  report(report: LaunchReport): void;
}
