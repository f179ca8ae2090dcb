import { serverDomain } from '../../images/registry/login.ts';
import { keyOf } from '../../images/registry/login-store.ts';
import type { Command } from '../command.ts';
import { registryTools } from './registry-flags.ts';

export const command: Command = {
  usage: '[SERVER]',
  args: [0, 1],
  flags: [],
  examples: ['wctr logout', 'wctr logout registry.example.com'],
  async run(context, [server]) {
    const domain = serverDomain(server);
    const found = await (await registryTools(context)).logins.remove(domain);
    const { terminal } = context;
    if (found) terminal.out(`Removing login credentials for ${keyOf(domain)}\n`);
    else terminal.out(`Not logged in to ${keyOf(domain)}\n`);
    return 0;
  },
};
