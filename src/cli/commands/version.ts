import type { Command } from '../command.ts';
import { compileTemplate } from '../format/template.ts';

export const command: Command = {
  usage: '',
  args: [0, 0],
  flags: [{ name: 'format', short: 'f', type: 'string', value: 'template', description: "Go template or 'json'" }],
  examples: ['wctr version', "wctr version -f '{{.Version}}'"],
  async run({ terminal, engine }, _args, flags) {
    const version = await (await engine()).system.version();
    const format = flags.string('format');
    if (format !== undefined) terminal.out(`${compileTemplate(format)(version)}\n`);
    else for (const [name, value] of Object.entries(version)) terminal.out(`${`${name}:`.padEnd(16)} ${value}\n`);
    return 0;
  },
};
