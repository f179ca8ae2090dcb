/**
 * Side-by-side measurement: every contender of a row runs in turn, round after round, so that a drift of the machine
 * hits all alike; a row reports the median of each and the ratio of medians against each named peer.
 */
import { Bench } from 'tinybench';

export interface Contender {
  readonly name: string;
  /** One measured run. Returns (or resolves to) the measured milliseconds, or nothing to have the wall time taken. */
  run(): unknown;
}

export interface Row {
  readonly title: string;
  /** What one run processes, for a rate column: bytes -> MB/s, calls -> M/s. */
  readonly work?: { readonly amount: number; readonly unit: 'bytes' | 'calls' };
  readonly ours: Contender;
  readonly peers: readonly Contender[];
  /** Bars: our speed divided by the peer's must be at least this (times are inverted first). */
  readonly bars: Readonly<Record<string, number>>;
  /** Counted rounds, default 5. */
  readonly rounds?: number;
}

export interface Suite {
  readonly name: string;
  /** Prepares inputs once and gives the rows; a missing peer is left out and named in `missing`. */
  rows(): Promise<{ rows: readonly Row[]; missing?: readonly string[]; done?: () => Promise<void> | void }>;
}

export interface RowResult {
  readonly title: string;
  readonly cells: readonly { name: string; medianMs: number; rate: string; ratio: number; bar: number | undefined }[];
}

export async function measure(row: Row): Promise<RowResult> {
  const contenders = [row.ours, ...row.peers];
  const times = new Map<string, number[]>(contenders.map((c) => [c.name, []]));
  const rounds = row.rounds ?? 5;
  for (let round = -1; round < rounds; round++) {
    const elapsed = await measureOnce(contenders);
    if (round >= 0) for (const { name } of contenders) times.get(name)!.push(elapsed.get(name)!);
  }
  const ours = median(times.get(row.ours.name)!);
  return {
    title: row.title,
    cells: contenders.map(({ name }) => {
      const medianMs = median(times.get(name)!);
      return { name, medianMs, rate: rate(row, medianMs), ratio: medianMs / ours, bar: row.bars[name] };
    }),
  };
}

/** Each contender once, in turn. */
async function measureOnce(contenders: readonly Contender[]): Promise<ReadonlyMap<string, number>> {
  const bench = new Bench({ iterations: 1, time: 0, warmup: false, throws: true });
  for (const contender of contenders) {
    bench.add(contender.name, async () => {
      const own = await contender.run();
      return typeof own === 'number' ? { overriddenDuration: own } : undefined;
    });
  }
  await bench.run();
  return new Map(
    bench.tasks.map(({ name, result }) => {
      if (!('latency' in result)) throw new Error(`${name} was not measured: ${result.state}`);
      return [name, result.latency.mean];
    }),
  );
}

function rate(row: Row, ms: number): string {
  if (row.work === undefined) return `${ms < 10 ? ms.toFixed(3) : ms.toFixed(1)} ms`;
  const perSecond = row.work.amount / (ms / 1000) / 1e6;
  return row.work.unit === 'bytes' ? `${perSecond.toFixed(0)} MB/s` : `${perSecond.toFixed(2)} M/s`;
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}
