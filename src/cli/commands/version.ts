import { API_VERSION } from '../../spec/engine-api.ts';
import { VERSION } from '../../version.ts';
import type { Command } from '../command.ts';
import { renderSections } from '../format/sections.ts';
import { compileTemplate } from '../format/template.ts';

export const command: Command = {
  usage: '',
  args: [0, 0],
  flags: [{ name: 'format', short: 'f', type: 'string', value: 'template', description: "Go template or 'json'" }],
  examples: ['wctr version', "wctr version -f '{{.Server.Version}}'"],
  async run({ terminal, engine }, _args, flags) {
    const format = flags.string('format');
    const client = { Version: VERSION, ApiVersion: API_VERSION, DefaultAPIVersion: API_VERSION };
    // What this program is can be said without the daemon it is to ask.
    if (format === undefined) {
      const section = { Version: VERSION, 'API version': API_VERSION };
      terminal.out(renderSections([['Client: wctr', section]], WIDTH));
    }
    const server = await (await engine()).system.version();
    if (format === undefined)
      terminal.out(`\n${renderSections([['Server: wctr', { Engine: engineOf(server) }]], WIDTH)}`);
    else terminal.out(`${compileTemplate(format)({ ...server, Client: client, Server: server })}\n`);
    return 0;
  },
};

/** Where docker's values begin. */
const WIDTH = 20;

function engineOf(server: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return {
    Version: server.Version,
    'API version': `${String(server.ApiVersion)} (minimum version ${String(server.MinAPIVersion)})`,
    Runtime: server.Runtime ?? server.GoVersion,
    'OS/Arch': `${String(server.Os)}/${String(server.Arch)}`,
    ...(server.Wasi === undefined ? {} : { WASI: server.Wasi }),
  };
}
