import type { Command } from '../command.ts';
import { renderTable } from '../format/table.ts';
import { compileTemplate } from '../format/template.ts';
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
    const format = flags.string('format') ?? 'table';
    if (flags.bool('quiet')) terminal.out(rows.map((row) => `${row.ID}\n`).join(''));
    else if (format === 'table') {
      const heads = ['IMAGE', 'CREATED', 'CREATED BY', 'SIZE', 'COMMENT'];
      terminal.out(
        renderTable(
          heads,
          rows.map((r) => [r.ID, r.CreatedSince, r.CreatedBy, r.Size, r.Comment]),
        ),
      );
    } else {
      const render = compileTemplate(format);
      for (const row of rows) terminal.out(`${render(row)}\n`);
    }
    return 0;
  },
};

const COMMAND_WIDTH = 45;

function shorten(text: string, whole: boolean): string {
  return whole || text.length <= COMMAND_WIDTH ? text : `${text.slice(0, COMMAND_WIDTH - 1)}…`;
}
