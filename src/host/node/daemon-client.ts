/** The way to the daemon an address names. */
import { readFileSync } from 'node:fs';
import { WctrError } from '../../errors.ts';
import type { HttpClient } from '../http.ts';
import { nodeHttpClient, type ServerAddress, type TlsClient } from './http-client.ts';

export interface DaemonAddress {
  readonly host: string;
  /** Paths of PEM files. */
  readonly tls?: { readonly ca?: string; readonly cert?: string; readonly key?: string; readonly skipVerify?: boolean };
}

/** @throws invalid-argument for an address that is none */
export function openDaemonClient({ host, tls }: DaemonAddress): HttpClient {
  return nodeHttpClient(addressOf(host, tls === undefined ? undefined : tlsOf(tls)));
}

function addressOf(host: string, tls: TlsClient | undefined): ServerAddress {
  const [, scheme = '', rest = ''] = /^(?:([a-z]+):\/\/)?(.*)$/.exec(host) ?? [];
  if (scheme === 'unix') return { socketPath: rest };
  if (scheme === 'npipe') return { socketPath: rest.replaceAll('/', '\\') };
  if (scheme === 'tcp' || scheme === 'http' || scheme === 'https' || scheme === '') {
    const [, name, bracketed, port] = /^(?:([^:/[\]]+)|\[([^\]]+)\])(?::(\d{1,5}))?\/?$/.exec(rest) ?? [];
    const address = name ?? bracketed;
    if (address !== undefined) {
      const secure = tls ?? (scheme === 'https' ? { verify: true } : undefined);
      return {
        host: address,
        port: Number(port ?? (secure === undefined ? 2375 : 2376)),
        ...(secure === undefined ? {} : { tls: secure }),
      };
    }
  }
  throw new WctrError('invalid-argument', `cannot parse the address of the daemon "${host}"`, {
    hint: 'use unix:///PATH or tcp://HOST:PORT',
  });
}

function tlsOf({ ca, cert, key, skipVerify = false }: NonNullable<DaemonAddress['tls']>): TlsClient {
  return {
    verify: !skipVerify,
    ...(ca === undefined ? {} : { ca: pem(ca) }),
    ...(cert === undefined ? {} : { cert: pem(cert) }),
    ...(key === undefined ? {} : { key: pem(key) }),
  };
}

function pem(path: string): Uint8Array {
  try {
    return readFileSync(path);
  } catch (cause) {
    throw new WctrError('invalid-argument', `cannot read ${path}: ${(cause as NodeJS.ErrnoException).code}`, { cause });
  }
}
