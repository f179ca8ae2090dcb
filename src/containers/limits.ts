/** The limits of a request that bind a sandbox, in its own terms. */
import type { SandboxResources } from '../host/sandbox.ts';
import type { Resources } from '../spec/engine-api.ts';

export type SandboxLimits = Pick<SandboxResources, 'memoryBytes' | 'cpus' | 'pids'>;

/** docker's default for a quota without its period, microseconds. */
const CPU_PERIOD = 100_000;

/** What is absent or zero says nothing; below zero it is no limit. */
export function sandboxLimits(given: Resources): SandboxLimits {
  const { Memory = 0, NanoCpus = 0, CpuQuota, CpuPeriod, PidsLimit } = given;
  const quota = CpuQuota ?? 0;
  const cpus = NanoCpus > 0 ? NanoCpus / 1e9 : quota > 0 ? quota / (CpuPeriod || CPU_PERIOD) : 0;
  return {
    ...(Memory > 0 ? { memoryBytes: Memory } : {}),
    ...(cpus > 0 ? { cpus } : {}),
    ...((PidsLimit ?? 0) > 0 ? { pids: PidsLimit! } : {}),
  };
}
