import type { Command } from '../command.ts';
import { renderRows } from '../format/rows.ts';
import { humanAge, humanSize, printable, shortId } from '../format/units.ts';

export const command: Command = {
  usage: 'IMAGE',
  args: [1, 1],
  flags: [
    { name: 'format', type: 'string', value: 'template', description: "Go template, 'table' or 'json'" },
    { name: 'no-trunc', type: 'boolean', description: 'Show whole ids and commands' },
    { name: 'quiet', short: 'q', type: 'boolean', description: 'Print ids only' },
  ],
  examples: ['wctr image history hello'],
  async run({ terminal, engine }, [name], flags) {
    const whole = flags.bool('no-trunc');
    const entries = await (await engine()).images.history(name!);
    const rows = entries.map((entry) => ({
      ID: whole ? entry.id : shortId(entry.id),
      CreatedSince: humanAge(entry.created, Date.now()),
      CreatedAt: entry.created ?? '',
      CreatedBy: shorten(printable(entry.createdBy), whole),
      Size: humanSize(entry.sizeBytes),
      Comment: printable(entry.comment),
    }));
    if (flags.bool('quiet')) terminal.out(rows.map((row) => `${row.ID}\n`).join(''));
    else terminal.out(renderRows(flags.string('format'), FORMAT, rows));
    return 0;
  },
};

const FORMAT = {
  columns: ['ID', 'CreatedSince', 'CreatedBy', 'Size', 'Comment'],
  heads: {
    ID: 'IMAGE',
    CreatedSince: 'CREATED',
    CreatedAt: 'CREATED AT',
    CreatedBy: 'CREATED BY',
    Size: 'SIZE',
    Comment: 'COMMENT',
  },
};

const COMMAND_WIDTH = 45;

function shorten(text: string, whole: boolean): string {
  return whole || text.length <= COMMAND_WIDTH ? text : `${text.slice(0, COMMAND_WIDTH - 1)}…`;
}
