import { WctrError } from '../../errors.ts';
import type { Command } from '../command.ts';
import { renderTable } from '../format/table.ts';
import { compileTemplate } from '../format/template.ts';
import { printable } from '../format/units.ts';
import { readFilters } from './filters.ts';

const DESCRIPTION_CHARS = 45;

export const command: Command = {
  usage: 'TERM',
  args: [1, 1],
  flags: [
    {
      name: 'filter',
      short: 'f',
      type: 'list',
      value: 'name=value',
      description: 'Show those alone: stars=N, is-official=true',
    },
    { name: 'limit', type: 'string', value: 'number', description: 'Most results (default 25)' },
    { name: 'no-trunc', type: 'boolean', description: 'Show whole descriptions' },
    { name: 'format', type: 'string', value: 'template', description: "Go template, 'table' or 'json'" },
  ],
  examples: ['wctr search wasm', 'wctr search --filter is-official=true --limit 5 nginx'],
  async run({ terminal, engine, signal }, [term], flags) {
    const limit = flags.string('limit');
    if (limit !== undefined && !/^\d{1,4}$/.test(limit)) {
      throw new WctrError('invalid-argument', `invalid value "${limit}" for --limit: expected a whole number`);
    }
    const results = await (await engine()).images.search(term!, {
      signal,
      filters: readFilters(flags.list('filter')),
      ...(limit === undefined ? {} : { limit: Number(limit) }),
    });
    const rows = results.map((found) => ({
      Name: printable(found.name),
      Description: shortened(printable(found.description.replace(/\s+/g, ' ')), flags.bool('no-trunc')),
      StarCount: String(found.star_count),
      IsOfficial: found.is_official ? '[OK]' : '',
    }));
    const format = flags.string('format') ?? 'table';
    if (format === 'table') {
      const cells = rows.map((row) => [row.Name, row.Description, row.StarCount, row.IsOfficial]);
      terminal.out(renderTable(['NAME', 'DESCRIPTION', 'STARS', 'OFFICIAL'], cells));
      return 0;
    }
    const render = compileTemplate(format.replace(/^table\s+/, ''));
    for (const row of rows) terminal.out(`${render(row)}\n`);
    return 0;
  },
};

function shortened(text: string, isWhole: boolean): string {
  return isWhole || text.length <= DESCRIPTION_CHARS ? text : `${text.slice(0, DESCRIPTION_CHARS - 1)}…`;
}
