import type { Command } from '../command.ts';
import { printDocuments } from './documents.ts';

export const command: Command = {
  usage: 'IMAGE [IMAGE...]',
  args: [1, Number.POSITIVE_INFINITY],
  flags: [{ name: 'format', short: 'f', type: 'string', value: 'template', description: "Go template or 'json'" }],
  examples: ['wctr image inspect hello', "wctr image inspect -f '{{json .RootFS}}' hello"],
  async run(context, names, flags) {
    const { images } = await context.engine();
    return printDocuments(context, names, flags.string('format'), (name) => images.inspect(name));
  },
};
