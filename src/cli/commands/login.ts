import { isWctrError, WctrError } from '../../errors.ts';
import { serverDomain } from '../../images/registry/login.ts';
import { keyOf } from '../../images/registry/login-store.ts';
import { questions } from '../ask.ts';
import type { Command, Context } from '../command.ts';
import type { ParsedFlags } from '../flags.ts';
import { printable } from '../format/units.ts';
import { paint } from '../terminal.ts';
import { registryTools } from './registry-flags.ts';

export const command: Command = {
  usage: '[SERVER]',
  args: [0, 1],
  flags: [
    { name: 'username', short: 'u', type: 'string', description: 'Username' },
    { name: 'password', short: 'p', type: 'string', description: 'Password; others on this machine can see it' },
    { name: 'password-stdin', type: 'boolean', description: 'Take the password from standard input' },
  ],
  examples: ['wctr login', 'wctr login -u me --password-stdin registry.example.com <token.txt'],
  async run(context, [server], flags) {
    const { terminal, engine, signal } = context;
    const tools = await registryTools(context);
    const domain = serverDomain(server);
    checkFlags(flags);
    const system = (await engine()).system;
    if (!flags.has('username') && !flags.has('password')) {
      const stored = await tools.logins.get(domain).catch((error: unknown) => {
        if (!isWctrError(error, 'unauthorized')) throw error;
        return undefined;
      });
      if (stored !== undefined && stored.registryToken === undefined) {
        terminal.err('Authenticating with existing credentials...\n');
        try {
          terminal.out(`${printable((await system.login({ ...stored, server: keyOf(domain), signal })).status)}\n`);
          return 0;
        } catch (error) {
          // They may have been changed there; anything else a new password does not mend.
          if (!isWctrError(error, 'unauthorized') || !terminal.stdinIsTTY) throw error;
          terminal.err(`${printable(error.message)}\n`);
        }
      }
    }
    const { username, password } = await ask(context, flags, domain);
    const { status, identityToken } = await system.login({ username, password, server: keyOf(domain), signal });
    const helper = await tools.logins.put(domain, { username, password, identityToken });
    if (helper === undefined) {
      const { path } = tools.logins;
      terminal.err(`${paint(terminal, 'yellow', 'WARNING!')} The login is stored unencrypted in '${path}'.\n`);
      terminal.err('Configure a credential helper to have it stored elsewhere.\n');
    }
    terminal.out(`${printable(status)}\n`);
    return 0;
  },
};

function checkFlags(flags: ParsedFlags): void {
  if (!flags.bool('password-stdin')) return;
  if (flags.has('password')) {
    throw new WctrError('invalid-argument', '--password and --password-stdin are mutually exclusive');
  }
  if (!flags.has('username')) throw new WctrError('invalid-argument', '--password-stdin needs --username');
}

async function ask(context: Context, flags: ParsedFlags, domain: string) {
  const { terminal, host } = context;
  let username = flags.string('username')?.trim() ?? '';
  let password = flags.string('password') ?? '';
  if (flags.has('password')) {
    terminal.err(`${paint(terminal, 'yellow', 'WARNING!')} --password can be seen by others: use --password-stdin.\n`);
  }
  if (flags.bool('password-stdin')) {
    const decoder = new TextDecoder();
    for await (const chunk of host.stdin()) password += decoder.decode(chunk, { stream: true });
    password = (password + decoder.decode()).replace(/\r?\n$/, '');
  } else if (username === '' || password === '') {
    if (!terminal.stdinIsTTY) {
      throw new WctrError('invalid-argument', 'cannot ask for a login without a terminal', {
        hint: 'use --username and --password-stdin',
      });
    }
    const prompt = questions(context);
    try {
      if (username === '') username = (await prompt.ask(`Username for ${domain}: `)).trim();
      if (username !== '' && password === '') password = await prompt.ask('Password: ', { secret: true });
    } finally {
      prompt.end();
    }
  }
  if (username === '') throw new WctrError('invalid-argument', 'a username is required');
  if (password === '') throw new WctrError('invalid-argument', 'a password is required');
  return { username, password };
}
