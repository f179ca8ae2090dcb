import type { Command } from '../command.ts';
import { renderTable } from '../format/table.ts';
import { printableLine } from '../format/units.ts';

/** docker's columns of `top` are wider than those of its lists. */
const LEAST_WIDTH = 20;

export const command: Command = {
  usage: 'CONTAINER [PS_OPTIONS]',
  args: [1, Number.POSITIVE_INFINITY],
  interspersed: false,
  flags: [],
  examples: ['wctr top web'],
  async run({ terminal, engine }, [name, ...words]) {
    const args = words.join(' ');
    const { Titles: titles, Processes: rows } = await (await engine()).containers.top(
      name!,
      args === '' ? undefined : args,
    );
    terminal.out(
      renderTable(
        titles,
        rows.map((row) => row.map(printableLine)),
        LEAST_WIDTH,
      ),
    );
    return 0;
  },
};
