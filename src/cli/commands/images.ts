import type { Engine, ImageSummary } from '../../engine/engine.ts';
import { readFilters as knownFilters, matchesLabels } from '../../engine/filters.ts';
import type { Command } from '../command.ts';
import { renderRows } from '../format/rows.ts';
import { localTime } from '../format/time.ts';
import { humanAge, humanSize, printable, shortId } from '../format/units.ts';
import { FILTER_FLAG, readFilters } from './filters.ts';

export const command: Command = {
  usage: '[REPOSITORY[:TAG]]',
  args: [0, 1],
  flags: [
    { name: 'all', short: 'a', type: 'boolean', description: 'Also show images without a name' },
    { name: 'digests', type: 'boolean', description: 'Show digests' },
    { ...FILTER_FLAG, description: 'Only what fits (dangling=true, label=a=b, reference=app*)' },
    { name: 'no-trunc', type: 'boolean', description: 'Show whole ids' },
    { name: 'quiet', short: 'q', type: 'boolean', description: 'Print ids only' },
    { name: 'format', type: 'string', value: 'template', description: "Go template, 'table' or 'json'" },
  ],
  examples: [
    'wctr images',
    'wctr images -q -f dangling=true',
    "wctr images --format '{{.Repository}}:{{.Tag}} {{.Size}}'",
  ],
  async run({ terminal, engine }, [reference], flags) {
    const filters = knownFilters(readFilters(flags.list('filter')), ['dangling', 'label', 'reference']);
    const references = [...(reference === undefined ? [] : [reference]), ...(filters.reference ?? [])];
    const isDangling =
      filters.dangling === undefined ? undefined : !filters.dangling.some((text) => /^(0|f|false)$/i.test(text));
    const found = await list(await engine(), references, flags.bool('all') || isDangling === true);
    const images = found.filter(
      ({ tags, labels }) => (isDangling ?? tags.length === 0) === (tags.length === 0) && matchesLabels(labels, filters),
    );
    const rows = images.flatMap((image) => imageRows(image, flags.bool('no-trunc')));
    const columns = ['Repository', 'Tag', ...(flags.bool('digests') ? ['Digest'] : []), 'ID', 'CreatedSince', 'Size'];
    if (flags.bool('quiet')) terminal.out([...new Set(rows.map((row) => `${row.ID}\n`))].join(''));
    else terminal.out(renderRows(flags.string('format'), { columns, heads: HEADS }, rows));
    return 0;
  },
};

const HEADS = {
  Repository: 'REPOSITORY',
  Tag: 'TAG',
  ID: 'IMAGE ID',
  Digest: 'DIGEST',
  CreatedSince: 'CREATED',
  CreatedAt: 'CREATED AT',
  Size: 'SIZE',
  Platform: 'PLATFORM',
  Containers: 'CONTAINERS',
  SharedSize: 'SHARED SIZE',
  UniqueSize: 'UNIQUE SIZE',
};

/** What any of the references means; without one, everything. */
async function list({ images }: Engine, references: readonly string[], all: boolean): Promise<ImageSummary[]> {
  if (references.length === 0) return images.list({ all });
  const found = await Promise.all(references.map((reference) => images.list({ all, reference })));
  return [...new Map(found.flat().map((image) => [image.id, image])).values()];
}

/** One row per name, with docker's field names for `--format`. */
function imageRows(image: ImageSummary, whole: boolean) {
  const names = image.tags.length > 0 ? image.tags : ['<none>:<none>'];
  return names.map((name) => {
    const colon = name.lastIndexOf(':');
    return {
      Repository: printable(name.slice(0, colon)),
      Tag: printable(name.slice(colon + 1)),
      ID: whole ? image.id : shortId(image.id),
      Digest: image.digest,
      CreatedSince: humanAge(image.created, Date.now()),
      CreatedAt: image.created === undefined ? 'N/A' : localTime(Date.parse(image.created)),
      Size: humanSize(image.sizeBytes),
      Platform: printable(image.platform),
      Containers: 'N/A',
      SharedSize: 'N/A',
      UniqueSize: 'N/A',
    };
  });
}
