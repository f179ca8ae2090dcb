import { WctrError } from '../../errors.ts';
import type { Command } from '../command.ts';

interface Reconciler {
  reconcile(id: string): Promise<void>;
}

/**
 * Run by the guard of a container's process when that one was killed: writes down how it ended, starts it again or
 * removes it, as its policy says. Not for users, so it is in no help.
 */
export const command: Command = {
  usage: 'ROOT ID',
  args: [2, 2],
  flags: [],
  examples: [],
  async run({ engineAt }, [root, id]) {
    const engine = await engineAt(root!);
    if (!('reconcile' in engine)) throw new WctrError('unsupported', 'only the engine of this machine has processes');
    await (engine as typeof engine & Reconciler).reconcile(id!);
    await engine.close();
    return 0;
  },
};
