import { WctrError } from '../../errors.ts';
import { parseReference } from '../../images/reference.ts';
import type { Authenticator } from '../../registry/access/access.ts';
import type { LogEntry } from '../../registry/registry.ts';
import type { CliHost, Command, Context } from '../command.ts';
import type { Flag, ParsedFlags } from '../flags.ts';
import { parseBytes, parseDuration, printable } from '../format/units.ts';
import { openStorage, STORAGE_FLAGS } from './registry-storage.ts';

/** Requests under way may end. */
const GRACE_MS = 5_000;
const DEFAULT_LISTEN = '127.0.0.1:5000';
const DEFAULT_GC = '6h';
const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|::1)$/;

function text(name: string, value: string, description: string): Flag {
  return { name, type: 'string', value, description };
}

export const command: Command = {
  usage: '',
  args: [0, 0],
  flags: [
    text('listen', 'host:port', `Where to listen (default ${DEFAULT_LISTEN})`),
    ...STORAGE_FLAGS,
    { name: 'read-only', type: 'boolean', description: 'Refuse to push and delete' },
    text('tls-cert', 'path', 'TLS certificate'),
    text('tls-key', 'path', 'TLS key'),
    text('tls-client-ca', 'path', 'Ask clients for a certificate signed by this CA'),
    text('htpasswd', 'path', 'Ask for a login: users as htpasswd -B writes them'),
    { name: 'tokens', type: 'boolean', description: 'Give out bearer tokens for logins of --htpasswd' },
    text('token-key', 'path', 'What signs tokens, 32 bytes or more (default: new at each start)'),
    text('token-realm', 'url', "Believe another server's tokens: its token endpoint"),
    text('token-service', 'name', 'Its name for this registry'),
    text('token-issuer', 'name', 'Its own name'),
    text('token-public-key', 'path', 'Its certificate or public key'),
    text('token-algorithm', 'name', 'What it signs with (default RS256)'),
    { name: 'anonymous-pull', type: 'boolean', description: 'Pull without a login' },
    text('public-url', 'url', 'What clients call this registry, behind a proxy'),
    { name: 'name', type: 'list', value: 'host', description: 'Answer to this name too, on loopback without a login' },
    { name: 'cors', type: 'list', value: 'origin', description: 'Let pages of this origin pull and push; * is all' },
    text('quota', 'bytes', 'Most a repository may hold'),
    text('max-blob', 'bytes', 'Largest blob'),
    text('cache-of', 'registry', 'Be a pull-through cache of docker.io or another registry, with your login there'),
    text('rate-limit', 'number', 'Requests a second for each client'),
    text('gc-interval', 'duration', `How often to remove what nothing needs; 0: never (default ${DEFAULT_GC})`),
    { name: 'page', type: 'boolean', description: 'Show a page to look around at / (default; --page=false: none)' },
    { name: 'metrics', type: 'boolean', description: 'Answer /metrics for Prometheus' },
    text('log', 'format', 'Log requests: json, text or none (default)'),
  ],
  examples: [
    'wctr registry serve',
    'wctr registry serve --listen 0.0.0.0:5000 --root /srv/registry --tls-cert cert.pem --tls-key key.pem',
    'wctr registry serve --s3 https://s3.eu-west-1.amazonaws.com/my-bucket',
    'wctr registry serve --cache-of docker.io',
    'wctr registry serve --htpasswd users --tokens --anonymous-pull --quota 10g',
  ],
  async run({ terminal, registryServer, registry: tools, host: files }, _args, flags) {
    if (registryServer === undefined) throw new WctrError('unsupported', 'this host cannot serve a registry');
    const where = addressOf(flags.string('listen') ?? DEFAULT_LISTEN);
    const tls = await tlsOf(flags, files);
    const logins = await loginsOf(flags, files, tls !== undefined);
    if (logins === undefined && !LOOPBACK.test(where.host)) {
      terminal.err('wctr registry: everyone who reaches it may push and delete: see --htpasswd and --read-only\n');
    }
    const isOpen = logins === undefined && LOOPBACK.test(where.host);
    const [quota, maxBlob] = (['quota', 'max-blob'] as const).map((name) => sizeOf(flags, name));
    const rateLimit = numberOf(flags, 'rate-limit');
    const intervalMs = parseDuration(flags.string('gc-interval') ?? DEFAULT_GC, '--gc-interval');
    const onRequest = logOf(flags, (line) => terminal.err(line));
    const upstream = flags.string('cache-of');
    const pullThrough = upstream === undefined ? undefined : await upstreamOf(upstream, tools);
    const { createRegistry } = await import('../../registry/registry.ts');
    const host = await registryServer();
    const storage = await openStorage(flags, host, terminal, true);
    const complain = (error: unknown) => {
      const detail = error instanceof Error ? (error.stack ?? error.message) : String(error);
      terminal.err(`wctr registry: ${printable(detail)}\n`);
    };
    try {
      const registry = createRegistry({
        driver: storage.driver,
        createHasher: host.createHasher,
        readOnly: flags.bool('read-only'),
        metrics: flags.bool('metrics'),
        page: !flags.has('page') || flags.bool('page'),
        limits: { repositoryBytes: quota, blobBytes: maxBlob },
        origins: {
          origins: flags.list('cors'),
          ...(isOpen ? { names: flags.list('name').map((name) => name.toLowerCase()) } : {}),
        },
        ...(logins === undefined ? {} : { logins }),
        ...(pullThrough === undefined ? {} : { pullThrough }),
        ...(rateLimit === undefined ? {} : { rateLimit }),
        ...(onRequest === undefined ? {} : { onRequest }),
        onInternalError: complain,
      });
      const listener = await host.listen((request) => registry.handle(request), {
        ...where,
        ...(tls === undefined ? {} : { tls }),
      });
      const told = host.untilTold();
      const collecting =
        intervalMs === 0 ? undefined : setInterval(() => void registry.collect().catch(complain), intervalMs);
      terminal.err(`wctr registry listens on ${printable(listener.url)}\n`);
      const signal = await told;
      clearInterval(collecting);
      terminal.err(`wctr registry ends (${signal})\n`);
      await listener.close(GRACE_MS);
    } finally {
      await storage.release();
    }
    return 0;
  },
};

function addressOf(address: string): { host: string; port: number } {
  const [, name, bracketed, port] = /^(?:([^:/[\]]*)|\[([^\]]+)\]):(\d{1,5})$/.exec(address) ?? [];
  const host = bracketed ?? name;
  if (host === undefined || Number(port) > 65_535) {
    throw new WctrError('invalid-argument', `cannot parse the address "${address}"`, { hint: 'use HOST:PORT' });
  }
  return { host: host === '' ? '0.0.0.0' : host, port: Number(port) };
}

async function tlsOf(flags: ParsedFlags, files: CliHost) {
  const [cert, key, ca] = ['tls-cert', 'tls-key', 'tls-client-ca'].map((name) => flags.string(name));
  if (cert === undefined && key === undefined && ca === undefined) return undefined;
  if (cert === undefined || key === undefined) {
    throw new WctrError('invalid-argument', 'TLS needs --tls-cert and --tls-key');
  }
  return {
    cert: await files.readFile(cert),
    key: await files.readFile(key),
    ...(ca === undefined ? {} : { ca: await files.readFile(ca) }),
  };
}

async function loginsOf(flags: ParsedFlags, files: CliHost, isSecure: boolean): Promise<Authenticator | undefined> {
  const decoded = async (path: string) => new TextDecoder().decode(await files.readFile(path));
  const anonymousPull = flags.bool('anonymous-pull');
  const realm = flags.string('token-realm');
  const file = flags.string('htpasswd');
  if (realm !== undefined) {
    const [service, key] = ['token-service', 'token-public-key'].map((name) => flags.string(name));
    if (service === undefined || key === undefined || file !== undefined) {
      throw new WctrError('invalid-argument', '--token-realm needs --token-service and --token-public-key', {
        hint: 'and no --htpasswd: the other server knows the users',
      });
    }
    const { foreignTokens } = await import('../../registry/access/tokens.ts');
    const issuer = flags.string('token-issuer');
    return foreignTokens({
      realm,
      service,
      publicKey: await decoded(key),
      algorithm: flags.string('token-algorithm') ?? 'RS256',
      ...(issuer === undefined ? {} : { issuer }),
    });
  }
  if (file === undefined) {
    const alone = ['tokens', 'token-key', 'anonymous-pull'].find((name) => flags.has(name));
    if (alone === undefined) return undefined;
    throw new WctrError('invalid-argument', `--${alone} needs --htpasswd`);
  }
  const { parsePasswords } = await import('../../registry/access/passwords.ts');
  const passwords = parsePasswords(await decoded(file));
  if (!flags.bool('tokens')) {
    return (await import('../../registry/access/basic.ts')).basicLogins({ passwords, anonymousPull });
  }
  const key = flags.string('token-key');
  const publicUrl = flags.string('public-url');
  if (publicUrl !== undefined && !/^https?:\/\/[^\s"\\]+$/.test(publicUrl)) {
    throw new WctrError('invalid-argument', `--public-url is no URL: ${publicUrl}`);
  }
  const { ownTokens } = await import('../../registry/access/tokens.ts');
  return ownTokens({
    passwords,
    anonymousPull,
    isSecure,
    secret: key === undefined ? crypto.getRandomValues(new Uint8Array(32)) : await files.readFile(key),
    ...(publicUrl === undefined ? {} : { publicUrl: publicUrl.replace(/\/+$/, '') }),
  });
}

async function upstreamOf(domain: string, tools: Context['registry']) {
  if (tools === undefined) throw new WctrError('unsupported', 'this host has no registry client');
  const { domain: known, path } = parseReference(`${domain}/a`);
  if (path !== 'a' && path !== 'library/a') {
    throw new WctrError('invalid-argument', `--cache-of is no registry: ${domain}`, { hint: 'name a host: docker.io' });
  }
  return { client: await (await tools()).client(), domain: known };
}

function sizeOf(flags: ParsedFlags, name: string): number | undefined {
  const value = flags.string(name);
  return value === undefined ? undefined : parseBytes(value, `--${name}`);
}

function numberOf(flags: ParsedFlags, name: string): number | undefined {
  const value = flags.string(name);
  if (value === undefined) return undefined;
  if (!/^\d{1,6}(\.\d{1,3})?$/.test(value) || Number(value) === 0) {
    throw new WctrError('invalid-argument', `invalid value "${value}" for --${name}: expected a number above 0`);
  }
  return Number(value);
}

function logOf(flags: ParsedFlags, write: (line: string) => void): ((entry: LogEntry) => void) | undefined {
  const format = flags.string('log') ?? 'none';
  if (format === 'none') return undefined;
  if (format === 'json') return (entry) => write(`${JSON.stringify(entry)}\n`);
  if (format !== 'text') {
    throw new WctrError('invalid-argument', `invalid value "${format}" for --log`, { hint: 'json, text or none' });
  }
  return ({ time, remote = '-', user = '-', method, path, status, bytes, durationMs }) => {
    const line = `${time} ${remote} ${user === '' ? '-' : user} ${method} ${path} ${status} ${bytes} ${durationMs}ms`;
    write(`${printable(line)}\n`);
  };
}
