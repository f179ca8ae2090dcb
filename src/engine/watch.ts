import type { ContainerRecord } from '../containers/record.ts';
import type { ContainerContext } from './container-context.ts';
import { isUnsettled } from './container-state.ts';
import { sweepLeftovers } from './container-sweep.ts';
import { reconcile, startWanted } from './reconcile.ts';

const EVERY_MS = 1000;

/** See LocalEngine.watch. */
export async function watchContainers(context: ContainerContext): Promise<() => void> {
  const { containers } = context.parts;
  await startWanted(context);
  context.background(sweepLeftovers(context));
  let timer: ReturnType<typeof setTimeout> | undefined;
  let isOver = false;
  const underWay = new Set<string>();
  const settle = async ({ key }: ContainerRecord) => {
    if (underWay.has(key)) return;
    underWay.add(key);
    await reconcile(context, key, { backsOff: true }).finally(() => underWay.delete(key));
  };
  const look = async () => {
    for (const record of await containers.list()) {
      if (isUnsettled(record, containers)) context.background(settle(record));
    }
  };
  const again = () => {
    if (isOver) return;
    timer = setTimeout(() => {
      // What failed once is tried again with the next look.
      look()
        .catch(() => {})
        .then(again);
    }, EVERY_MS);
  };
  again();
  return () => {
    isOver = true;
    clearTimeout(timer);
  };
}
