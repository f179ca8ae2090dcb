import { refuseCheckpointDirectory } from '../../containers/checkpoint/names.ts';
import type { Command } from '../command.ts';
import { renderRows } from '../format/rows.ts';
import { printable } from '../format/units.ts';

export const command: Command = {
  usage: 'CONTAINER',
  args: [1, 1],
  flags: [
    { name: 'checkpoint-dir', type: 'string', value: 'path', description: 'Not supported: a container keeps its own' },
    { name: 'format', type: 'string', value: 'template', description: "Go template, 'table' or 'json'" },
  ],
  examples: ['wctr checkpoint ls ruby'],
  async run({ terminal, engine }, [name], flags) {
    refuseCheckpointDirectory(flags.string('checkpoint-dir'));
    const found = await (await engine()).containers.listCheckpoints(name!);
    const rows = found.map(({ Name }) => ({ Name: printable(Name) }));
    terminal.out(renderRows(flags.string('format'), { columns: ['Name'], heads: { Name: 'CHECKPOINT NAME' } }, rows));
    return 0;
  },
};
