import type { Engine } from '../../engine/engine.ts';
import type { Command, Context } from '../command.ts';
import { humanSize, printable } from '../format/units.ts';
import { FILTER_FLAG, readFilters } from './filters.ts';
import { removalLines } from './image-rm.ts';

export const command: Command = {
  usage: '',
  args: [0, 0],
  flags: [
    { name: 'all', short: 'a', type: 'boolean', description: 'Every unused image, not only those without a name' },
    { name: 'filter', type: 'list', value: 'key=value', description: FILTER_FLAG.description },
    { name: 'force', short: 'f', type: 'boolean', description: 'Do not ask' },
    { name: 'volumes', type: 'boolean', description: 'Anonymous volumes too' },
  ],
  examples: ['wctr system prune', 'wctr system prune -af --volumes'],
  async run(context, _args, flags) {
    const filters = readFilters(flags.list('filter'));
    const [all, volumes] = [flags.bool('all'), flags.bool('volumes')];
    if (!flags.bool('force') && !(await ask(context, all, volumes))) return 0;
    const engine = await context.engine();
    const freed =
      (await pruneContainers(context, engine, filters)) +
      (await pruneNetworks(context, engine, filters)) +
      (volumes ? await pruneVolumes(context, engine, filters) : 0) +
      (await pruneImages(context, engine, all)) +
      (await pruneBuilds(context, engine, all, filters));
    context.terminal.out(`Total reclaimed space: ${humanSize(freed)}\n`);
    return 0;
  },
};

type FilterMap = ReturnType<typeof readFilters>;

function ask({ host }: Context, all: boolean, volumes: boolean): Promise<boolean> {
  const what = [
    'all stopped containers',
    'all networks not used by at least one container',
    ...(volumes ? ['all anonymous volumes not used by at least one container'] : []),
    all ? 'all images without at least one container associated to them' : 'all dangling images',
    all ? 'all build cache' : 'unused build cache',
  ];
  const lines = what.map((line) => `  - ${line}\n`).join('');
  return host.confirm(`WARNING! This will remove:\n${lines}\nAre you sure you want to continue? [y/N] `);
}

async function pruneContainers({ terminal }: Context, { containers }: Engine, filters: FilterMap): Promise<number> {
  const { ContainersDeleted: ids, SpaceReclaimed: bytes } = await containers.prune(filters);
  terminal.out(section('Deleted Containers:', ids));
  return bytes;
}

async function pruneNetworks({ terminal }: Context, { networks }: Engine, filters: FilterMap): Promise<number> {
  const { NetworksDeleted: names } = await networks.prune(filters);
  terminal.out(section('Deleted Networks:', names));
  return 0;
}

async function pruneVolumes({ terminal }: Context, engine: Engine, filters: FilterMap): Promise<number> {
  // Volumes have no age.
  const { until: _, ...known } = filters as Record<string, readonly string[]>;
  const { VolumesDeleted: names, SpaceReclaimed: bytes } = await engine.volumes.prune(known);
  terminal.out(section('Deleted Volumes:', names));
  return bytes;
}

async function pruneImages({ terminal }: Context, { images }: Engine, all: boolean): Promise<number> {
  const { removed, reclaimedBytes } = await images.prune({ all });
  if (removed.length > 0) terminal.out(`Deleted Images:\n${removalLines(removed)}\n`);
  return reclaimedBytes;
}

async function pruneBuilds(
  { terminal }: Context,
  { builds }: Engine,
  all: boolean,
  filters: FilterMap,
): Promise<number> {
  // A step has an age, and no labels.
  const { until } = filters as Record<string, readonly string[]>;
  const { CachesDeleted: ids, SpaceReclaimed: bytes } = await builds.prune({
    all,
    ...(until === undefined ? {} : { filters: { until } }),
  });
  terminal.out(section('Deleted build cache objects:', ids));
  return bytes;
}

function section(title: string, names: readonly string[] | null): string {
  if (names === null || names.length === 0) return '';
  return `${title}\n${names.map((name) => `${printable(name)}\n`).join('')}\n`;
}
