/** `stats` and `top`: what the system knows of a container's process, and what only the container knows. */
import type { ProcessRow, ProcessStats } from '../containers/control/protocol.ts';
import type { ContainerRecord } from '../containers/record.ts';
import type { ContainerStats, CpuStats, NetworkStats, TopResponse } from '../spec/engine-api.ts';
import { ZERO_TIME } from '../spec/engine-api.ts';
import type { ContainerContext } from './container-context.ts';
import { assertManaged, assertRunning, isRunning, now } from './container-state.ts';
import type { ProcessUsage } from './parts.ts';
import { pause } from './timing.ts';

const EVERY_MS = 1000;
const NO_CPU: CpuStats = {
  cpu_usage: { total_usage: 0, usage_in_kernelmode: 0, usage_in_usermode: 0 },
  throttling_data: { periods: 0, throttled_periods: 0, throttled_time: 0 },
};

interface Sample {
  readonly read: string;
  readonly cpu: CpuStats;
}

/** One document, or one a second until the iterator is left. Zeros for a container that does not run. */
export async function* containerStats(
  context: ContainerContext,
  name: string,
  options: { stream?: boolean; oneShot?: boolean } = {},
): AsyncGenerator<ContainerStats> {
  let record: ContainerRecord | undefined = await context.find(name);
  let before: Sample = { read: ZERO_TIME, cpu: NO_CPU };
  if (options.stream !== true && options.oneShot !== true && isRunning(record.state)) {
    before = sampleOf(context, record);
    await pause(EVERY_MS);
  }
  for (;;) {
    const document = await statsDocument(context, record, before);
    yield document;
    if (options.stream !== true) return;
    before = { read: document.read, cpu: document.cpu_stats };
    await pause(EVERY_MS);
    record = await context.parts.containers.get(record.key);
    if (record === undefined) return;
  }
}

async function statsDocument(
  context: ContainerContext,
  record: ContainerRecord,
  before: Sample,
): Promise<ContainerStats> {
  const { pid } = record.state;
  const usage = isRunning(record.state) && pid !== undefined ? context.host.usage(pid) : undefined;
  // A held process does not answer; it has what it had.
  const inside = record.state.status === 'running' && record.managed ? await insideStats(context, record) : undefined;
  const sample = { read: now(), cpu: cpuOf(usage, context) };
  const memory = usage?.memoryBytes ?? 0;
  const limit = record.hostConfig.Memory || context.parts.host.facts().memoryBytes;
  return {
    name: `/${record.name}`,
    id: record.key,
    read: usage === undefined ? ZERO_TIME : sample.read,
    preread: before.read,
    pids_stats: usage === undefined ? {} : { current: inside?.pids ?? 1, ...pidsLimit(record) },
    blkio_stats: {
      io_service_bytes_recursive:
        usage === undefined
          ? null
          : [
              { major: 0, minor: 0, op: 'read', value: usage.readBytes },
              { major: 0, minor: 0, op: 'write', value: usage.writtenBytes },
            ],
    },
    num_procs: 0,
    storage_stats: inside === undefined ? {} : { upper_bytes: inside.storageBytes },
    cpu_stats: sample.cpu,
    precpu_stats: before.cpu,
    memory_stats: usage === undefined ? {} : { usage: memory, limit, stats: { guest: inside?.memoryBytes ?? 0 } },
    ...(inside === undefined ? {} : { networks: networksOf(inside) }),
  };
}

async function insideStats(context: ContainerContext, record: ContainerRecord): Promise<ProcessStats | undefined> {
  try {
    return (await context.ask(record, { op: 'stats' }, 'read the stats of')) as ProcessStats;
  } catch {
    // It ended between the two looks.
    return undefined;
  }
}

function sampleOf(context: ContainerContext, { state }: ContainerRecord): Sample {
  return { read: now(), cpu: cpuOf(state.pid === undefined ? undefined : context.host.usage(state.pid), context) };
}

/** docker's nanoseconds. */
function cpuOf(usage: ProcessUsage | undefined, { parts }: ContainerContext): CpuStats {
  if (usage === undefined) return NO_CPU;
  const user = Math.round(usage.userMs * 1e6);
  const system = Math.round(usage.systemMs * 1e6);
  return {
    cpu_usage: { total_usage: user + system, usage_in_kernelmode: system, usage_in_usermode: user },
    system_cpu_usage: Math.round(usage.hostCpuMs * 1e6),
    online_cpus: parts.host.facts().cpus,
    throttling_data: NO_CPU.throttling_data,
  };
}

function pidsLimit({ hostConfig }: ContainerRecord): { limit?: number } {
  return (hostConfig.PidsLimit ?? 0) > 0 ? { limit: hostConfig.PidsLimit! } : {};
}

/** Clients call the first network's interface eth0. */
function networksOf({ networks }: ProcessStats): Readonly<Record<string, NetworkStats>> {
  return Object.fromEntries(
    Object.values(networks).map((one, i) => [
      `eth${i}`,
      {
        rx_bytes: one.rxBytes,
        rx_packets: one.rxPackets,
        rx_errors: 0,
        rx_dropped: 0,
        tx_bytes: one.txBytes,
        tx_packets: one.txPackets,
        tx_errors: 0,
        tx_dropped: 0,
      },
    ]),
  );
}

const TITLES = ['UID', 'PID', 'PPID', 'C', 'STIME', 'TTY', 'TIME', 'CMD'];
const ALL_TITLES = ['PID', 'USER', 'TIME', 'COMMAND'];

/** `psArgs` as in `aux` or `-o pid,comm`: columns are chosen, the rest of ps' options mean nothing here. */
export async function containerTop(context: ContainerContext, name: string, psArgs?: string): Promise<TopResponse> {
  const record = await context.find(name);
  assertRunning(record, 'list the processes of');
  assertManaged(record, 'list the processes of');
  if (record.state.status === 'paused') return { Titles: TITLES, Processes: [] };
  const rows = (await context.ask(record, { op: 'top' }, 'list the processes of')) as readonly ProcessRow[];
  const titles = titlesOf(psArgs);
  return { Titles: titles, Processes: rows.map((row) => titles.map((title) => cell(row, title))) };
}

function titlesOf(psArgs: string | undefined): readonly string[] {
  if (psArgs === undefined || psArgs === '' || psArgs === '-ef') return TITLES;
  const [, columns] = /-?o\s*(\S+)/.exec(psArgs) ?? [];
  if (columns !== undefined) return columns.split(',').map((name) => name.toUpperCase());
  return ALL_TITLES;
}

function cell(row: ProcessRow, title: string): string {
  const seconds = Math.floor(row.cpuMs / 1000);
  const two = (value: number) => String(value).padStart(2, '0');
  switch (title) {
    case 'UID':
    case 'USER':
      return row.uid === 0 ? 'root' : String(row.uid);
    case 'PID':
      return String(row.pid);
    case 'PPID':
      return String(row.parentPid);
    case 'STIME':
      return row.startedAt.slice(11, 16);
    case 'TTY':
      return '?';
    case 'TIME':
      return `${two(Math.floor(seconds / 3600))}:${two(Math.floor(seconds / 60) % 60)}:${two(seconds % 60)}`;
    case 'C':
      return '0';
    case 'CMD':
    case 'COMMAND':
    case 'ARGS':
      return row.args.join(' ');
    case 'COMM':
      return (row.args[0] ?? '').split('/').at(-1) ?? '';
    default:
      return '-';
  }
}
