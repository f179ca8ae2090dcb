import { WctrError } from '../../errors.ts';
import { createRegistry } from '../../registry/registry.ts';
import type { Command } from '../command.ts';
import { printable } from '../format/units.ts';

/** Requests under way may end. */
const GRACE_MS = 5_000;
const DEFAULT_LISTEN = '127.0.0.1:5000';

export const command: Command = {
  usage: '',
  args: [0, 0],
  flags: [
    { name: 'listen', type: 'string', value: 'host:port', description: `Where to listen (default ${DEFAULT_LISTEN})` },
    { name: 'root', type: 'string', value: 'path', description: 'The store; images of this machine share its blobs' },
    { name: 'read-only', type: 'boolean', description: 'Refuse to push and delete' },
  ],
  examples: ['wctr registry serve', 'wctr registry serve --listen 0.0.0.0:5000 --root /srv/registry'],
  async run({ terminal, registryServer: openHost }, _args, flags) {
    if (openHost === undefined) throw new WctrError('unsupported', 'this host cannot serve a registry');
    const host = await openHost();
    const where = addressOf(flags.string('listen') ?? DEFAULT_LISTEN);
    const storage = await host.openStorage(flags.string('root'), true);
    try {
      const registry = createRegistry({
        driver: storage.driver,
        createHasher: host.createHasher,
        readOnly: flags.bool('read-only'),
        onInternalError: (error) => {
          const detail = error instanceof Error ? (error.stack ?? error.message) : String(error);
          terminal.err(`wctr registry: ${printable(detail)}\n`);
        },
      });
      const listener = await host.listen((request) => registry.handle(request), where);
      const told = host.untilTold();
      terminal.err(`wctr registry listens on ${printable(listener.url)}\n`);
      const signal = await told;
      terminal.err(`wctr registry ends (${signal})\n`);
      await listener.close(GRACE_MS);
    } finally {
      await storage.release();
    }
    return 0;
  },
};

function addressOf(text: string): { host: string; port: number } {
  const [, name, bracketed, port] = /^(?:([^:/[\]]*)|\[([^\]]+)\]):(\d{1,5})$/.exec(text) ?? [];
  const host = bracketed ?? name;
  if (host === undefined || Number(port) > 65_535) {
    throw new WctrError('invalid-argument', `cannot parse the address "${text}"`, { hint: 'use HOST:PORT' });
  }
  return { host: host === '' ? '0.0.0.0' : host, port: Number(port) };
}
