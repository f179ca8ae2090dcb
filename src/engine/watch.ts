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
  const look = async () => {
    for (const record of await containers.list()) {
      if (isUnsettled(record, containers)) await reconcile(context, record.key);
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
