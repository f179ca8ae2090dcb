/** The RunExecutor of this engine: a process for each RUN where the host has processes, else this one. */
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
  const kept = { fs, root: layout.root, locks, createHasher };
  return new SandboxRuns({
    spaces: await openSpaces(context),
    caches: host.paths === undefined ? await openTarCaches(kept) : new DirectoryCaches(kept),
    rootfs: (diffIds) => programs.reopen({ imageId: '', diffIds }),
    newId: () => newId(host.randomBytes),
  });
}

async function openTarCaches(kept: ConstructorParameters<typeof DirectoryCaches>[0]) {
  return new (await import('../build/run/tar-caches.ts')).TarCaches(kept);
}

async function openSpaces(context: ContainerContext): Promise<RunSpaces> {
  const { host, sandboxes } = context.parts;
  const isInline = sandboxes.default === 'inline' || host.processes === undefined;
  if (host.openHere !== undefined && isInline) {
    return new (await import('../build/run/runs-here.ts')).RunsHere(host.openHere);
  }
  if (host.processes !== undefined) return new (await import('./run-processes.ts')).RunProcesses(context);
  throw new WctrError('unsupported', 'this host cannot run the programs of a RUN');
}
