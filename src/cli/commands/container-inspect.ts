import type { Command } from '../command.ts';
import { printDocuments } from './documents.ts';

export const command: Command = {
  usage: 'CONTAINER [CONTAINER...]',
  args: [1, Number.POSITIVE_INFINITY],
  flags: [
    { name: 'format', short: 'f', type: 'string', value: 'template', description: "Go template or 'json'" },
    { name: 'size', short: 's', type: 'boolean', description: 'Show sizes' },
  ],
  examples: ['wctr container inspect web', "wctr container inspect -f '{{json .Mounts}}' web"],
  async run(context, names, flags) {
    const { containers } = await context.engine();
    const size = flags.bool('size');
    return printDocuments(context, names, flags.string('format'), (name) => containers.inspect(name, { size }));
  },
};
