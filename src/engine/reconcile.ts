/** Puts right what a container process could not write itself, because it was killed. */
import type { ContainerRecord } from '../containers/record.ts';
import type { ContainerContext } from './container-context.ts';
import { discard } from './container-remove.ts';
import { launch, starting } from './container-start.ts';
import { EXIT_KILLED, isLost, lostState } from './container-state.ts';

/**
 * Does nothing unless the record says that a process runs and there is none. Then: exited with 137, event `die`, and what
 * its restart policy or AutoRemove asks for.
 */
export async function reconcile(context: ContainerContext, id: string): Promise<void> {
  const { containers, events } = context.parts;
  const before = await containers.get(id);
  if (before === undefined || !isLost(before, containers)) return;
  await starting(context, id, async () => {
    let died = false;
    const record = await containers.change(id, (current) => {
      died = isLost(current, containers);
      return died ? { ...current, ports: {}, state: lostState(current.state) } : undefined;
    });
    if (!died || record === undefined) return;
    // Nobody listens there any more.
    if (record.managed) await context.parts.fs.rm(context.socket(id), { force: true }).catch(() => {});
    await events.container(record, 'die', { exitCode: String(EXIT_KILLED), execDuration: seconds(record) });
    if (mayRestart(record)) await restart(context, record);
    else if (record.hostConfig.AutoRemove === true) await discard(context, record, { volumes: true });
    else await context.networks.release(record).catch(() => {});
  });
}

/** Whether its policy starts a container again that nobody stopped and that ended with an error. */
function mayRestart({ managed, stoppedByUser, hostConfig, restartCount }: ContainerRecord): boolean {
  const { Name: policy, MaximumRetryCount: most } = hostConfig.RestartPolicy ?? { Name: 'no', MaximumRetryCount: 0 };
  if (!managed || stoppedByUser) return false;
  return (
    policy === 'always' ||
    policy === 'unless-stopped' ||
    (policy === 'on-failure' && (most === 0 || restartCount < most))
  );
}

async function restart(context: ContainerContext, record: ContainerRecord): Promise<void> {
  const { restartCount } = record;
  // The reason is in the record; whoever only looked at the container need not hear of it.
  await launch(context, record).catch(() => {});
  await context.parts.containers.change(record.key, (current) => ({ ...current, restartCount: restartCount + 1 }));
}

/** When a daemon begins: those that are to run as long as it does. */
export async function startWanted(context: ContainerContext): Promise<void> {
  const { containers } = context.parts;
  for (const record of await containers.list()) {
    await reconcile(context, record.key);
    const now = await containers.get(record.key);
    const policy = now?.hostConfig.RestartPolicy?.Name;
    const isWanted = policy === 'always' || (policy === 'unless-stopped' && now?.stoppedByUser === false);
    if (now === undefined || !isWanted || now.state.status !== 'exited') continue;
    await starting(context, now.key, async () => {
      const current = await containers.get(now.key);
      if (current?.state.status === 'exited') await restart(context, current);
    });
  }
}

function seconds({ state }: ContainerRecord): string {
  const { startedAt, finishedAt } = state;
  return startedAt === undefined || finishedAt === undefined
    ? '0'
    : String(Math.round((Date.parse(finishedAt) - Date.parse(startedAt)) / 1000));
}
