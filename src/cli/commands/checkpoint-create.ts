import { refuseCheckpointDirectory } from '../../containers/checkpoint/names.ts';
import type { Command } from '../command.ts';

export const command: Command = {
  usage: 'CONTAINER [CHECKPOINT]',
  args: [1, 2],
  flags: [
    { name: 'leave-running', type: 'boolean', description: 'Let it go on afterwards' },
    { name: 'image', type: 'string', value: 'reference', description: 'Make an image whose containers go on there' },
    {
      name: 'change',
      short: 'c',
      type: 'list',
      value: 'instruction',
      description: 'Dockerfile instruction for the image',
    },
    {
      name: 'init',
      type: 'string',
      value: 'export',
      description: 'What initialises the program (default wizer.initialize), for a container that does not run',
    },
    { name: 'checkpoint-dir', type: 'string', value: 'path', description: 'Not supported: a container keeps its own' },
  ],
  examples: [
    'wctr checkpoint create ruby warm && wctr start --checkpoint warm ruby',
    'wctr checkpoint create --image ruby:warm ruby',
  ],
  async run({ terminal, engine }, [name, checkpoint], flags) {
    refuseCheckpointDirectory(flags.string('checkpoint-dir'));
    const [reference, init] = [flags.string('image'), flags.string('init')];
    const { containers } = await engine();
    const { Id: id } = await containers.createCheckpoint(name!, {
      changes: flags.list('change'),
      leaveRunning: flags.bool('leave-running'),
      ...(checkpoint === undefined ? {} : { checkpoint }),
      ...(reference === undefined ? {} : { reference }),
      ...(init === undefined ? {} : { init }),
    });
    terminal.out(`${id ?? checkpoint}\n`);
    return 0;
  },
};
