import { createDaemon } from '../../daemon/daemon.ts';
import { WctrError } from '../../errors.ts';
import { VERSION } from '../../version.ts';
import type { Command } from '../command.ts';
import type { DaemonHost, DaemonListen, ListenOptions } from '../daemon-host.ts';
import type { ParsedFlags } from '../flags.ts';
import { printable } from '../format/units.ts';

/** Requests under way may end; streams that would go on for ever are dropped after it. */
const GRACE_MS = 2_000;
const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|::1)$/;

export const command: Command = {
  usage: '',
  args: [0, 0],
  flags: [
    { name: 'host', short: 'H', type: 'list', value: 'address', description: 'unix://PATH, tcp://HOST:PORT or fd://' },
    { name: 'data-root', type: 'string', value: 'path', description: 'Where images and containers live' },
    { name: 'group', short: 'G', type: 'string', value: 'group', description: 'Group that may use the unix socket' },
    { name: 'pidfile', short: 'p', type: 'string', value: 'path', description: 'Where to write the process id' },
    { name: 'tls', type: 'boolean', description: 'Use TLS; --tls=false speaks plain HTTP on loopback' },
    { name: 'tlsverify', type: 'boolean', description: 'Use TLS and ask clients for a certificate' },
    { name: 'tlscacert', type: 'string', value: 'path', description: 'Trust client certificates signed by this CA' },
    { name: 'tlscert', type: 'string', value: 'path', description: 'TLS certificate' },
    { name: 'tlskey', type: 'string', value: 'path', description: 'TLS key' },
    {
      name: 'insecure-loopback',
      type: 'boolean',
      description: 'Let every program of this machine in over loopback TCP',
    },
    { name: 'warm', type: 'string', value: 'number', description: 'Container processes kept ready' },
  ],
  examples: [
    'wctr daemon',
    'wctr daemon -H unix:///run/wctr.sock --group docker',
    'wctr daemon -H tcp://0.0.0.0:2376 --tlsverify --tlscacert ca.pem --tlscert cert.pem --tlskey key.pem',
  ],
  async run({ terminal, daemon }, _args, flags) {
    if (daemon === undefined) throw new WctrError('unsupported', 'this host cannot run a daemon');
    const host = await daemon();
    const addresses = addressesOf(flags, host);
    const tls = tlsOf(flags);
    for (const address of addresses) checkExposure(address, tls, flags);
    const removePidFile =
      flags.string('pidfile') === undefined ? () => {} : host.writePidFile(flags.string('pidfile')!);
    try {
      const dataRoot = flags.string('data-root');
      const warm = warmOf(flags);
      const engine = await host.openEngine({
        ...(dataRoot === undefined ? {} : { dataRoot }),
        ...(warm === undefined ? {} : { warm }),
      });
      const unwatch = (await engine.watch?.()) ?? (() => {});
      const service = createDaemon(engine, {
        version: VERSION,
        buildkit: host.buildkit(dataRoot === undefined ? {} : { dataRoot }),
        onInternalError: (error) => {
          const detail = error instanceof Error ? (error.stack ?? error.message) : String(error);
          terminal.err(`wctr daemon: internal error: ${printable(detail)}\n`);
        },
      });
      const listening = await host.listen(service, addresses, tls === undefined ? {} : { tls });
      const told = host.untilTold();
      for (const url of listening.urls) terminal.err(`wctr daemon listens on ${printable(url)}\n`);
      const signal = await told;
      terminal.err(`wctr daemon ends (${signal}); containers go on\n`);
      await listening.close(GRACE_MS);
      unwatch();
      await engine.close();
    } finally {
      removePidFile();
    }
    return 0;
  },
};

function addressesOf(flags: ParsedFlags, host: DaemonHost): DaemonListen[] {
  const named = flags.list('host');
  const inherited = host.inheritedSockets();
  if (named.length === 0 && inherited.length > 0) return inherited.map((fd) => ({ fd }));
  const group = flags.string('group');
  const socket = (path: string): DaemonListen => ({ path, ...(group === undefined ? {} : { group }) });
  if (named.length === 0) return [socket(host.defaultSocket())];
  return named.flatMap((text) => {
    const [, scheme, rest = ''] = /^(unix|npipe|tcp|fd):\/\/(.*)$/.exec(text) ?? [];
    if (scheme === 'unix' && rest.startsWith('/')) return [socket(rest)];
    if (scheme === 'npipe') return [socket(rest.replaceAll('/', '\\'))];
    if (scheme === 'fd') {
      if (inherited.length > 0) return inherited.map((fd) => ({ fd }));
      throw new WctrError('invalid-argument', 'fd://: no socket was handed over', {
        hint: 'start it from a systemd socket unit',
      });
    }
    const [, name, bracketed, port] = /^(?:([^:/[\]]+)|\[([^\]]+)\]):(\d{1,5})$/.exec(rest) ?? [];
    const address = name ?? bracketed;
    if (scheme !== 'tcp' || address === undefined || Number(port) > 65_535) {
      throw new WctrError('invalid-argument', `cannot parse the address "${text}"`, {
        hint: 'use unix:///PATH, tcp://HOST:PORT or fd://',
      });
    }
    return [{ host: address, port: Number(port) }];
  });
}

function tlsOf(flags: ParsedFlags): ListenOptions['tls'] {
  const [ca, cert, key] = ['tlscacert', 'tlscert', 'tlskey'].map((name) => flags.string(name));
  const verify = flags.bool('tlsverify');
  if (!verify && !flags.bool('tls') && ca === undefined && cert === undefined && key === undefined) return undefined;
  if (cert === undefined || key === undefined) {
    throw new WctrError('invalid-argument', 'TLS needs --tlscert and --tlskey');
  }
  if (ca === undefined && verify) throw new WctrError('invalid-argument', '--tlsverify needs --tlscacert');
  if (ca === undefined) {
    throw new WctrError('invalid-argument', 'TLS without client certificates would let everybody in', {
      hint: 'add --tlsverify --tlscacert CA.pem',
    });
  }
  return { ca, cert, key };
}

/** Whoever reaches the API owns the account it runs in. */
function checkExposure(address: DaemonListen, tls: ListenOptions['tls'], flags: ParsedFlags): void {
  if (!('host' in address) || tls !== undefined) return;
  if (!LOOPBACK.test(address.host)) {
    throw new WctrError('forbidden', `${address.host} is no loopback address: TCP needs TLS with client certificates`, {
      hint: 'add --tlsverify --tlscacert --tlscert --tlskey',
    });
  }
  if (!flags.bool('insecure-loopback') && !(flags.has('tls') && !flags.bool('tls'))) {
    throw new WctrError('forbidden', 'TCP without TLS lets every user and program of this machine in', {
      hint: 'use a unix socket, TLS, or say --insecure-loopback',
    });
  }
}

function warmOf(flags: ParsedFlags): number | undefined {
  const text = flags.string('warm');
  if (text === undefined) return undefined;
  if (!/^\d{1,4}$/.test(text)) throw new WctrError('invalid-argument', `invalid value "${text}" for --warm`);
  return Number(text);
}
