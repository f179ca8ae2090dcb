import type { Command } from '../command.ts';
import { printDocuments } from './documents.ts';

export const command: Command = {
  usage: 'VOLUME [VOLUME...]',
  args: [1, Number.POSITIVE_INFINITY],
  flags: [{ name: 'format', short: 'f', type: 'string', value: 'template', description: "Go template or 'json'" }],
  examples: ['wctr volume inspect data', "wctr volume inspect -f '{{.Mountpoint}}' data"],
  async run(context, names, flags) {
    const { volumes } = await context.engine();
    return printDocuments(context, names, flags.string('format'), (name) => volumes.inspect(name));
  },
};
