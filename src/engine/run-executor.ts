/** The RunExecutor of this engine: a process for each RUN where the host has processes, else its own sandbox. */
import { DirectoryCaches } from '../build/run/cache-mounts.ts';
import type { RunExecutor } from '../build/run/executor.ts';
import { SandboxRuns } from '../build/run/sandbox-runs.ts';
import type { RunSpaces } from '../build/run/space.ts';
import { WctrError } from '../errors.ts';
import type { ContainerContext } from './container-context.ts';
import { newId } from './container-names.ts';

export async function openRunExecutor(context: ContainerContext): Promise<RunExecutor> {
  const { parts, programs } = context;
  const { fs, layout, locks, createHasher, host } = parts;
  return new SandboxRuns({
    spaces: await openSpaces(context),
    caches: new DirectoryCaches({ fs, root: layout.root, locks, createHasher }),
    rootfs: (diffIds) => programs.reopen({ imageId: '', diffIds }),
    newId: () => newId(host.randomBytes),
  });
}

async function openSpaces(context: ContainerContext): Promise<RunSpaces> {
  if (context.parts.host.processes !== undefined) {
    return new (await import('./run-processes.ts')).RunProcesses(context);
  }
  throw new WctrError('unsupported', 'this host cannot run the programs of a RUN');
}
