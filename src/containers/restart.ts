/** docker's restart policies and their back-off. */
import type { RestartPolicy } from '../spec/engine-api.ts';

const FIRST_BACK_OFF_MS = 100;
const LONGEST_BACK_OFF_MS = 60_000;
/** A run of this length was a success: the next back-off is the first one again. */
const STEADY_MS = 10_000;

/** @param restarts how often the policy has restarted it since somebody started it. */
export function shouldRestart(policy: RestartPolicy, exitCode: number, restarts: number, stoppedByUser: boolean) {
  if (stoppedByUser) return false;
  if (policy.Name === 'always' || policy.Name === 'unless-stopped') return true;
  if (policy.Name !== 'on-failure' || exitCode === 0) return false;
  return policy.MaximumRetryCount === 0 || restarts < policy.MaximumRetryCount;
}

/** @param previousMs the last back-off, 0 for none. */
export function nextBackOff(previousMs: number, ranMs: number): number {
  if (previousMs === 0 || ranMs >= STEADY_MS) return FIRST_BACK_OFF_MS;
  return Math.min(previousMs * 2, LONGEST_BACK_OFF_MS);
}
