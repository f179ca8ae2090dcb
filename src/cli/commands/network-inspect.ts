import type { Command } from '../command.ts';
import { printDocuments } from './documents.ts';

export const command: Command = {
  usage: 'NETWORK [NETWORK...]',
  args: [1, Number.POSITIVE_INFINITY],
  flags: [
    { name: 'format', short: 'f', type: 'string', value: 'template', description: "Go template or 'json'" },
    { name: 'verbose', short: 'v', type: 'boolean', description: 'As without it: there is no swarm to say more of' },
  ],
  examples: [
    'wctr network inspect bridge',
    "wctr network inspect -f '{{range .IPAM.Config}}{{.Subnet}}{{end}}' backend",
  ],
  async run(context, names, flags) {
    const { networks } = await context.engine();
    return printDocuments(context, names, flags.string('format'), (name) => networks.inspect(name));
  },
};
