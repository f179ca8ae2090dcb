/**
 * Which engine a command talks to: the one of this process, or a daemon named by `-H`, `--context`, the environment or
 * the context in use. Contexts are kept in `contexts.json` of wctr's configuration directory.
 */
import { WctrError } from '../errors.ts';

/** Where a daemon is. */
export interface Endpoint {
  /** `unix:///run/wctr.sock`, `tcp://host:2376`, `npipe:////./pipe/wctr`. */
  readonly host: string;
  readonly tls?: EndpointTls;
}

/** Paths of PEM files. */
export interface EndpointTls {
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
  readonly skipVerify?: boolean;
}

export interface StoredContext extends Endpoint {
  readonly description?: string;
}

export interface ContextsDocument {
  /** Absent: `default`, this machine's own engine. */
  readonly current?: string;
  readonly contexts: Readonly<Record<string, StoredContext>>;
}

/** The file, or something in its place. */
export interface ContextStore {
  /** Undefined where there is none yet. */
  read(): string | undefined;
  /** Whole or not at all. */
  write(text: string): void;
}

/** The engine in this process: it is always there and cannot be changed. */
export const DEFAULT_CONTEXT = 'default';

export function readContexts(store: ContextStore): ContextsDocument {
  const text = store.read();
  if (text === undefined) return { contexts: {} };
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch (cause) {
    throw new WctrError('invalid-argument', 'contexts.json is not valid JSON', { cause, hint: 'repair or remove it' });
  }
  const { current, contexts } = (document ?? {}) as { current?: unknown; contexts?: unknown };
  const isMap = typeof contexts === 'object' && contexts !== null && !Array.isArray(contexts);
  const entries = isMap ? Object.values(contexts) : [];
  if (!isMap || entries.some((entry) => typeof (entry as { host?: unknown } | null)?.host !== 'string')) {
    throw new WctrError('invalid-argument', 'contexts.json: "contexts" must map names to hosts', {
      hint: 'repair or remove it',
    });
  }
  return {
    contexts: contexts as ContextsDocument['contexts'],
    ...(typeof current === 'string' ? { current } : {}),
  };
}

export function writeContexts(store: ContextStore, document: ContextsDocument): void {
  store.write(`${JSON.stringify(document, undefined, 2)}\n`);
}

/** @throws not-found */
export function findContext({ contexts }: ContextsDocument, name: string): StoredContext {
  const found = Object.hasOwn(contexts, name) ? contexts[name] : undefined;
  if (found === undefined) {
    throw new WctrError('not-found', `context "${name}" does not exist`, { hint: 'see: wctr context ls' });
  }
  return found;
}

export interface GlobalFlags {
  readonly host?: string;
  readonly context?: string;
  readonly tls: EndpointTls;
  readonly useTls: boolean;
}

const WITH_VALUE: Readonly<Record<string, string>> = {
  '-H': 'host',
  '--host': 'host',
  '-c': 'context',
  '--context': 'context',
  '--tlscacert': 'ca',
  '--tlscert': 'cert',
  '--tlskey': 'key',
};

/** The flags in front of the command, and the line without them. */
export function takeGlobalFlags(argv: readonly string[]): { flags: GlobalFlags; rest: readonly string[] } {
  const values: Record<string, string> = {};
  let at = 0;
  for (; at < argv.length; at++) {
    const [word = '', attached] = splitFlag(argv[at]!);
    if (word === '--tls' || word === '--tlsverify') {
      values[word] = attached ?? 'true';
      continue;
    }
    const name = WITH_VALUE[word];
    if (name === undefined) break;
    const value = attached ?? argv[at + 1];
    // Not ours to complain about: there is no command after it either.
    if (value === undefined) break;
    values[name] = value;
    if (attached === undefined) at++;
  }
  const { host, context, ca, cert, key } = values;
  const isOn = (name: string) => values[name] !== undefined && values[name] !== 'false' && values[name] !== '0';
  return {
    rest: argv.slice(at),
    flags: {
      ...(host === undefined ? {} : { host }),
      ...(context === undefined ? {} : { context }),
      useTls: isOn('--tls') || isOn('--tlsverify') || ca !== undefined || cert !== undefined || key !== undefined,
      tls: {
        ...(ca === undefined ? {} : { ca }),
        ...(cert === undefined ? {} : { cert }),
        ...(key === undefined ? {} : { key }),
        // docker: --tls alone does not look at who answers.
        ...(isOn('--tls') && !isOn('--tlsverify') && ca === undefined ? { skipVerify: true } : {}),
      },
    },
  };
}

/** `--host=x` -> `--host`, `x`; `-Hx` -> `-H`, `x`. */
function splitFlag(word: string): [string, string?] {
  const [, short, rest] = /^(-[Hc])=?(.+)$/.exec(word) ?? [];
  if (short !== undefined && rest !== undefined) return [short, rest];
  const equals = word.indexOf('=');
  return word.startsWith('--') && equals > 0 ? [word.slice(0, equals), word.slice(equals + 1)] : [word];
}

type Env = Readonly<Record<string, string | undefined>>;

/** Undefined: the engine of this process. */
export function chooseEndpoint(flags: GlobalFlags, env: Env, store: ContextStore): Endpoint | undefined {
  if (flags.host !== undefined && flags.context !== undefined) {
    throw new WctrError('invalid-argument', 'conflicting options: either specify --host or --context, not both');
  }
  if (flags.host !== undefined) return withTls(flags.host, flags, env);
  if (flags.context !== undefined) return ofContext(flags.context, store);
  const named = env.WCTR_HOST || env.DOCKER_HOST;
  if (named) return withTls(named, flags, env);
  const context = env.WCTR_CONTEXT || readContexts(store).current;
  return context === undefined ? undefined : ofContext(context, store);
}

function ofContext(name: string, store: ContextStore): Endpoint | undefined {
  return name === DEFAULT_CONTEXT ? undefined : findContext(readContexts(store), name);
}

/** Flags first, then docker's DOCKER_TLS_VERIFY and DOCKER_CERT_PATH. */
function withTls(host: string, flags: GlobalFlags, env: Env): Endpoint {
  if (flags.useTls) return { host, tls: flags.tls };
  if (!env.DOCKER_TLS_VERIFY || !host.startsWith('tcp:')) return { host };
  const directory = env.DOCKER_CERT_PATH || `${env.HOME ?? env.USERPROFILE ?? ''}/.docker`;
  return {
    host,
    tls: { ca: `${directory}/ca.pem`, cert: `${directory}/cert.pem`, key: `${directory}/key.pem` },
  };
}
