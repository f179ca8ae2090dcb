import { refuseCheckpointDirectory } from '../../containers/checkpoint/names.ts';
import type { Command } from '../command.ts';

export const command: Command = {
  usage: 'CONTAINER CHECKPOINT',
  args: [2, 2],
  flags: [
    { name: 'checkpoint-dir', type: 'string', value: 'path', description: 'Not supported: a container keeps its own' },
  ],
  examples: ['wctr checkpoint rm ruby warm'],
  async run({ engine }, [name, checkpoint], flags) {
    refuseCheckpointDirectory(flags.string('checkpoint-dir'));
    await (await engine()).containers.removeCheckpoint(name!, checkpoint!);
    return 0;
  },
};
