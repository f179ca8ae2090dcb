import { WctrError } from '../../errors.ts';
import type { Command } from '../command.ts';

export const command: Command = {
  usage: 'FILE|- [REPOSITORY[:TAG]]',
  args: [1, 2],
  flags: [
    {
      name: 'change',
      short: 'c',
      type: 'list',
      value: 'instruction',
      description: 'Apply a Dockerfile instruction to the image (CMD, ENTRYPOINT, ENV, ...)',
    },
    { name: 'message', short: 'm', type: 'string', description: 'Comment for the history' },
    { name: 'platform', type: 'string', value: 'os/arch', description: 'Platform of the image (default wasip1/wasm)' },
  ],
  examples: [`wctr import -c 'ENTRYPOINT ["/app.wasm"]' rootfs.tar app:1`, 'tar -c . | wctr import - app:1'],
  async run({ terminal, engine, host, signal }, [file, reference], flags) {
    if (file !== '-' && (await host.kind(file!)) !== 'file') throw new WctrError('not-found', `no such file: ${file}`);
    const message = flags.string('message');
    const platform = flags.string('platform');
    const image = await (await engine()).images.import(file === '-' ? host.stdin() : host.readStream(file!), {
      changes: flags.list('change'),
      signal,
      ...(reference === undefined ? {} : { reference }),
      ...(message === undefined ? {} : { message }),
      ...(platform === undefined ? {} : { platform }),
    });
    terminal.out(`${image.id}\n`);
    return 0;
  },
};
