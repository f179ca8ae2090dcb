import { copyImage } from '../../images/copy/copy-image.ts';
import { permitCopy } from '../../images/copy/permit.ts';
import { parsePlace } from '../../images/copy/place.ts';
import { parsePlatform } from '../../images/platform.ts';
import type { Command } from '../command.ts';
import { createProgress, NO_PROGRESS } from '../progress.ts';
import { registryTools } from './registry-flags.ts';

export const command: Command = {
  usage: 'SOURCE DESTINATION',
  args: [2, 2],
  flags: [
    { name: 'all', short: 'a', type: 'boolean', description: 'Copy every platform and the index they are in' },
    { name: 'platform', type: 'string', value: 'os/arch', description: 'Copy this platform of the image' },
    { name: 'quiet', short: 'q', type: 'boolean', description: 'Print the digest only' },
  ],
  examples: [
    'wctr image copy docker://ghcr.io/example/app:1 docker://localhost:5000/app:1',
    'wctr image copy --all docker://localhost:5000/app:1 oci:./layout:1',
    'wctr image copy docker-archive:saved.tar docker://localhost:5000/app:1',
  ],
  async run(context, [from, to], flags) {
    const { terminal, signal } = context;
    const places = { from: parsePlace(from!), to: parsePlace(to!) };
    const platform = flags.string('platform');
    const tools = await registryTools(context);
    const progress = flags.bool('quiet') ? NO_PROGRESS : createProgress(terminal);
    try {
      const digest = await copyImage(tools, {
        ...places,
        all: flags.bool('all'),
        platform: platform === undefined ? undefined : parsePlatform(platform),
        permit: (source, image) => {
          const path = places.from.kind === 'docker' ? '' : context.host.resolvePath(places.from.path);
          return permitCopy(tools, places.from, path, source, image, signal);
        },
        onEvent: (event) => progress.show(event),
        signal,
      });
      progress.end();
      terminal.out(`${digest}\n`);
      return 0;
    } catch (error) {
      progress.end();
      throw error;
    }
  },
};
