import { WctrError } from '../../errors.ts';
import type { Command } from '../command.ts';
import { renderRows } from '../format/rows.ts';
import { CONTAINER_FORMAT, containerRow } from './container-rows.ts';
import { FILTER_FLAG, readFilters } from './filters.ts';
import { integer } from './resource-flags.ts';

export const command: Command = {
  usage: '',
  args: [0, 0],
  flags: [
    { name: 'all', short: 'a', type: 'boolean', description: 'Show stopped ones too' },
    FILTER_FLAG,
    {
      name: 'format',
      type: 'string',
      value: 'template',
      description: "'table', 'table TEMPLATE', 'json' or a Go template",
    },
    {
      name: 'last',
      short: 'n',
      type: 'string',
      value: 'number',
      description: 'Show the last ones created, stopped or not',
    },
    { name: 'latest', short: 'l', type: 'boolean', description: 'Show the last one created' },
    { name: 'no-trunc', type: 'boolean', description: 'Show whole ids and commands' },
    { name: 'quiet', short: 'q', type: 'boolean', description: 'Print ids only' },
    { name: 'size', short: 's', type: 'boolean', description: 'Show sizes' },
  ],
  examples: ['wctr ps -a', "wctr ps -f status=exited --format '{{.Names}}: {{.Status}}'"],
  async run({ terminal, engine, containers }, _args, flags) {
    const last = flags.string('last');
    const limit = flags.bool('latest') ? 1 : last === undefined ? -1 : integer(last, '--last');
    if (limit === 0) throw new WctrError('invalid-argument', 'invalid value "0" for --last: expected a number above 0');
    const format = flags.string('format');
    // A template may ask for sizes too, which take time to add up.
    const size = flags.bool('size') || (format !== undefined && /\.Size\b/.test(format));
    const filters = readFilters(flags.list('filter'));
    const list = containers ?? (async (options) => (await engine()).containers.list(options));
    const found = await list({
      all: flags.bool('all') || limit > 0,
      ...(limit > 0 ? { limit } : {}),
      ...(size ? { size } : {}),
      filters,
    });
    const whole = flags.bool('no-trunc');
    if (flags.bool('quiet') && format === undefined) {
      terminal.out(found.map(({ Id }) => `${whole ? Id : Id.slice(0, 12)}\n`).join(''));
      return 0;
    }
    const rows = found.map((container) => containerRow(container, whole, Date.now()));
    const columns = [...CONTAINER_FORMAT.columns, ...(flags.bool('size') ? ['Size'] : [])];
    terminal.out(renderRows(format, { ...CONTAINER_FORMAT, columns }, rows));
    return 0;
  },
};
