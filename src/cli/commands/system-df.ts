import type { DiskUsage, UsageRow } from '../../engine/engine.ts';
import { WctrError } from '../../errors.ts';
import type { Command, Context } from '../command.ts';
import { type Row, renderRows } from '../format/rows.ts';
import { renderTable } from '../format/table.ts';
import { humanAge, humanSize, printableLine, shortId } from '../format/units.ts';
import { containerRow } from './container-rows.ts';

export const command: Command = {
  usage: '',
  args: [0, 0],
  flags: [
    { name: 'format', type: 'string', value: 'template', description: "Go template, 'table' or 'json'" },
    {
      name: 'verbose',
      short: 'v',
      type: 'boolean',
      description: 'Show each image, container, volume and step of a build',
    },
  ],
  examples: ['wctr system df', 'wctr system df -v', "wctr system df --format '{{.Type}} {{.Size}}'"],
  async run(context, _args, flags) {
    const usage = await (await context.engine()).system.diskUsage();
    if (flags.bool('verbose')) {
      if (usage.items === undefined) throw new WctrError('unsupported', 'the engine does not list its items');
      printItems(context, usage.items, usage.cache);
      return 0;
    }
    const rows = [
      usageRow('Images', usage.images),
      usageRow('Containers', usage.containers),
      usageRow('Local Volumes', usage.volumes),
      usageRow('Build Cache', usage.cache),
    ];
    const columns = ['Type', 'TotalCount', 'Active', 'Size', 'Reclaimable'];
    const heads = { Type: 'TYPE', TotalCount: 'TOTAL', Active: 'ACTIVE', Size: 'SIZE', Reclaimable: 'RECLAIMABLE' };
    context.terminal.out(renderRows(flags.string('format'), { columns, heads }, rows));
    return 0;
  },
};

function usageRow(type: string, usage: UsageRow): Row {
  const percent = usage.sizeBytes === 0 ? '' : ` (${Math.floor((100 * usage.reclaimableBytes) / usage.sizeBytes)}%)`;
  return {
    Type: type,
    TotalCount: String(usage.total),
    Active: String(usage.active),
    Size: humanSize(usage.sizeBytes),
    Reclaimable: `${humanSize(usage.reclaimableBytes)}${percent}`,
  };
}

function printItems({ terminal }: Context, items: NonNullable<DiskUsage['items']>, cache: UsageRow): void {
  const now = Date.now();
  const images = (items.Images as unknown as readonly ImageItem[]).map((image) => {
    const [name = '<none>:<none>'] = image.RepoTags ?? [];
    const colon = name.lastIndexOf(':');
    return [
      printableLine(name.slice(0, colon)),
      printableLine(name.slice(colon + 1)),
      shortId(image.Id),
      humanAge(image.Created * 1000, now),
      humanSize(image.Size),
      humanSize(image.SharedSize),
      humanSize(image.Size - image.SharedSize),
      String(image.Containers),
    ];
  });
  const columns = ['ID', 'Image', 'Command', 'LocalVolumes', 'Size', 'RunningFor', 'Status', 'Names'];
  const containers = items.Containers.map((container) => {
    // What it wrote, without the image below.
    const row = { ...containerRow(container, false, now), Size: humanSize(container.SizeRw ?? 0) } as Row;
    return columns.map((column) => String(row[column]));
  });
  const volumes = items.Volumes.map(({ Name: name, UsageData: usage }) => [
    printableLine(name),
    String(usage?.RefCount ?? 0),
    humanSize(Math.max(0, usage?.Size ?? 0)),
  ]);
  const sections = [
    ['Images space usage', IMAGE_HEADS, images],
    ['Containers space usage', CONTAINER_HEADS, containers],
    ['Local Volumes space usage', ['VOLUME NAME', 'LINKS', 'SIZE'], volumes],
  ] as const;
  for (const [title, heads, rows] of sections) terminal.out(`${title}:\n\n${renderTable(heads, rows)}\n`);
  const steps = items.BuildCache.map((step) => [
    printableLine(step.ID),
    step.Type,
    humanSize(step.Size),
    humanAge(step.CreatedAt, now),
    humanAge(step.LastUsedAt ?? undefined, now),
    String(step.UsageCount),
    String(step.Shared),
  ]);
  terminal.out(`Build cache usage: ${humanSize(cache.sizeBytes)}\n\n${renderTable(CACHE_HEADS, steps)}`);
}

/** An image in GET /system/df. */
interface ImageItem {
  readonly Id: string;
  readonly RepoTags: readonly string[] | null;
  readonly Created: number;
  readonly Size: number;
  readonly SharedSize: number;
  readonly Containers: number;
}

const IMAGE_HEADS = ['REPOSITORY', 'TAG', 'IMAGE ID', 'CREATED', 'SIZE', 'SHARED SIZE', 'UNIQUE SIZE', 'CONTAINERS'];
const CACHE_HEADS = ['CACHE ID', 'CACHE TYPE', 'SIZE', 'CREATED', 'LAST USED', 'USAGE', 'SHARED'];
const CONTAINER_HEADS = ['CONTAINER ID', 'IMAGE', 'COMMAND', 'LOCAL VOLUMES', 'SIZE', 'CREATED', 'STATUS', 'NAMES'];
