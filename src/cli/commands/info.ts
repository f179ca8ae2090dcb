import type { Command } from '../command.ts';
import { compileTemplate } from '../format/template.ts';
import { printable } from '../format/units.ts';

export const command: Command = {
  usage: '',
  args: [0, 0],
  flags: [{ name: 'format', short: 'f', type: 'string', value: 'template', description: "Go template or 'json'" }],
  examples: ['wctr info', "wctr info -f '{{.DockerRootDir}}'"],
  async run({ terminal, engine }, _args, flags) {
    const info = await (await engine()).system.info();
    const format = flags.string('format');
    if (format !== undefined) terminal.out(`${compileTemplate(format)(info)}\n`);
    else for (const [name, value] of Object.entries(info)) terminal.out(`${spaced(name)}: ${shown(value)}\n`);
    return 0;
  },
};

/** `DockerRootDir` -> `Docker Root Dir`. */
function spaced(name: string): string {
  return name.replace(/([a-z])([A-Z])/g, '$1 $2');
}

function shown(value: unknown): string {
  return printable(typeof value === 'object' ? JSON.stringify(value) : String(value));
}
