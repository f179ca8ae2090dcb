/** A line of `stats`, computed from the samples as docker does. */
import type { ContainerStats } from '../../spec/engine-api.ts';
import type { RowFormat } from '../format/rows.ts';
import { binarySize, humanSize, printableLine } from '../format/units.ts';

export const STATS_FORMAT: RowFormat = {
  columns: ['ID', 'Name', 'CPUPerc', 'MemUsage', 'MemPerc', 'NetIO', 'BlockIO', 'PIDs'],
  heads: {
    ID: 'CONTAINER ID',
    Container: 'CONTAINER',
    Name: 'NAME',
    CPUPerc: 'CPU %',
    MemUsage: 'MEM USAGE / LIMIT',
    MemPerc: 'MEM %',
    NetIO: 'NET I/O',
    BlockIO: 'BLOCK I/O',
    PIDs: 'PIDS',
  },
};

// A type, not an interface, so that it is a Row too.
export type StatsRow = {
  readonly Container: string;
  readonly ID: string;
  readonly Name: string;
  readonly CPUPerc: string;
  readonly MemUsage: string;
  readonly MemPerc: string;
  readonly NetIO: string;
  readonly BlockIO: string;
  readonly PIDs: string;
};

/** `given`: what the user called it. */
export function statsRow(stats: ContainerStats, whole: boolean, given: string): StatsRow {
  const { usage = 0, limit = 0, stats: memory } = stats.memory_stats;
  // Page cache that can be dropped at any time is not counted.
  const used = Math.max(0, usage - (memory?.inactive_file ?? memory?.total_inactive_file ?? 0));
  const networks = Object.values(stats.networks ?? {});
  const received = networks.reduce((sum, { rx_bytes: bytes }) => sum + bytes, 0);
  const sent = networks.reduce((sum, { tx_bytes: bytes }) => sum + bytes, 0);
  const blocks = stats.blkio_stats.io_service_bytes_recursive ?? [];
  const moved = (letter: string) =>
    blocks.filter(({ op }) => op.toLowerCase().startsWith(letter)).reduce((sum, { value }) => sum + value, 0);
  return {
    Container: printableLine(given),
    ID: whole ? stats.id : stats.id.slice(0, 12),
    Name: printableLine(stats.name.replace(/^\//, '')),
    CPUPerc: percent(cpuPercent(stats)),
    MemUsage: `${binarySize(used)} / ${binarySize(limit)}`,
    MemPerc: percent(limit === 0 ? 0 : (used / limit) * 100),
    NetIO: `${humanSize(received)} / ${humanSize(sent)}`,
    BlockIO: `${humanSize(moved('r'))} / ${humanSize(moved('w'))}`,
    PIDs: String(stats.pids_stats.current ?? 0),
  };
}

/** Of one that is not running, or has not answered yet. */
export function emptyStatsRow(given: string, whole: boolean): StatsRow {
  const isId = /^[0-9a-f]{64}$/.test(given);
  const id = isId ? (whole ? given : given.slice(0, 12)) : '--';
  return {
    Container: printableLine(given),
    ID: id,
    Name: isId ? '--' : printableLine(given),
    CPUPerc: '--',
    MemUsage: '-- / --',
    MemPerc: '--',
    NetIO: '--',
    BlockIO: '--',
    PIDs: '--',
  };
}

function cpuPercent({ cpu_stats: now, precpu_stats: before }: ContainerStats): number {
  const used = now.cpu_usage.total_usage - (before?.cpu_usage?.total_usage ?? 0);
  const passed = (now.system_cpu_usage ?? 0) - (before?.system_cpu_usage ?? 0);
  return passed > 0 && used > 0 ? (used / passed) * (now.online_cpus ?? 1) * 100 : 0;
}

function percent(value: number): string {
  return `${value.toFixed(2)}%`;
}
