import type { ImageSummary } from '../../engine/engine.ts';
import type { Command } from '../command.ts';
import { renderTable } from '../format/table.ts';
import { compileTemplate } from '../format/template.ts';
import { humanAge, humanSize, printable, shortId } from '../format/units.ts';

export const command: Command = {
  usage: '[REPOSITORY[:TAG]]',
  args: [0, 1],
  flags: [
    { name: 'all', short: 'a', type: 'boolean', description: 'Also show images without a name' },
    { name: 'digests', type: 'boolean', description: 'Show digests' },
    { name: 'no-trunc', type: 'boolean', description: 'Show whole ids' },
    { name: 'quiet', short: 'q', type: 'boolean', description: 'Print ids only' },
    { name: 'format', type: 'string', value: 'template', description: "Go template, 'table' or 'json'" },
  ],
  examples: ['wctr images', "wctr images --format '{{.Repository}}:{{.Tag}} {{.Size}}'"],
  async run({ terminal, engine }, [reference], flags) {
    const images = await (await engine()).images.list({
      all: flags.bool('all'),
      ...(reference === undefined ? {} : { reference }),
    });
    const rows = images.flatMap((image) => imageRows(image, flags.bool('no-trunc')));
    const format = flags.string('format') ?? 'table';
    if (flags.bool('quiet')) terminal.out([...new Set(rows.map((row) => `${row.ID}\n`))].join(''));
    else if (format === 'table') terminal.out(table(rows, flags.bool('digests')));
    else {
      const render = compileTemplate(format.replace(/^table\s+/, ''));
      for (const row of rows) terminal.out(`${render(row)}\n`);
    }
    return 0;
  },
};

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
      CreatedAt: image.created ?? '',
      Size: humanSize(image.sizeBytes),
      Platform: printable(image.platform),
      Containers: 'N/A',
    };
  });
}

type ImageRow = ReturnType<typeof imageRows>[number];

function table(rows: readonly ImageRow[], digests: boolean): string {
  const heads = ['REPOSITORY', 'TAG', ...(digests ? ['DIGEST'] : []), 'IMAGE ID', 'CREATED', 'SIZE'];
  return renderTable(
    heads,
    rows.map((row) => [row.Repository, row.Tag, ...(digests ? [row.Digest] : []), row.ID, row.CreatedSince, row.Size]),
  );
}
