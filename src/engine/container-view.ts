import { type ContainerRecord, isRunning } from '../containers/records.ts';

/** What `kill -9` of a container's process leaves: docker's code for it. */
const EXIT_KILLED = 137;

/** The document of docker's `container inspect` (Engine API 1.51, ContainerInspectResponse), as far as it applies. */
export function inspectContainer(record: ContainerRecord, isAlive: (pid: number) => boolean): Record<string, unknown> {
  const { state, process, resources } = record;
  const runs = isRunning(state, isAlive);
  const wasLost = state.status === 'running' && !runs;
  return {
    Id: record.key,
    Created: record.createdAt,
    Path: process.args[0] ?? '',
    Args: process.args.slice(1),
    State: {
      Status: wasLost ? 'exited' : state.status,
      Running: runs,
      Paused: false,
      Restarting: false,
      OOMKilled: state.exit?.oomKilled ?? false,
      Dead: false,
      Pid: runs ? (state.pid ?? 0) : 0,
      ExitCode: state.exit?.exitCode ?? (wasLost ? EXIT_KILLED : 0),
      Error: state.exit?.reason ?? '',
      StartedAt: state.startedAt ?? '0001-01-01T00:00:00Z',
      FinishedAt: state.finishedAt ?? '0001-01-01T00:00:00Z',
    },
    Image: record.imageId,
    Name: `/${record.name}`,
    Platform: 'wasm',
    HostConfig: {
      Memory: resources.memoryBytes ?? 0,
      NanoCpus: Math.round((resources.cpus ?? 0) * 1e9),
      PidsLimit: resources.pids ?? null,
      AutoRemove: record.autoRemove,
      ReadonlyRootfs: record.readonlyRootfs,
      NetworkMode: 'none',
      Isolation: record.isolation,
    },
    Mounts: record.mounts.map((mount) => ({
      Type: mount.type,
      ...('source' in mount ? { Source: (mount as { source: string }).source } : {}),
      Destination: mount.destination,
      RW: mount.readonly !== true,
    })),
    Config: {
      Hostname: record.hostname,
      User: process.user,
      Tty: process.terminal,
      Env: process.env,
      Cmd: process.args,
      Image: record.image,
      WorkingDir: process.cwd,
      Labels: record.labels,
    },
  };
}
