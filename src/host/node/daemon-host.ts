/** What a daemon is to the system: sockets and their owners, a pid file, signals, sockets handed over by systemd. */
import { X509Certificate } from 'node:crypto';
import * as fs from 'node:fs';
import { connect, isIP } from 'node:net';
import { dirname } from 'node:path';
import { WctrError } from '../../errors.ts';
import type { HttpService } from '../http.ts';
import { isAlive } from './engine-host.ts';
import { type AccessRule, plainNames } from './http-access.ts';
import { type HttpListener, type ListenAddress, listen, type TlsFiles } from './http-server.ts';

/** The first descriptor of a socket-activated service: sd_listen_fds(3). */
const FIRST_INHERITED = 3;

interface SocketAddress {
  readonly path: string;
  readonly group?: string;
}

type Address = SocketAddress | { readonly host: string; readonly port: number } | { readonly fd: number };

export const daemonHost = {
  async listen(
    service: HttpService,
    addresses: readonly Address[],
    options: { tls?: { ca?: string; cert: string; key: string } },
  ) {
    const tls = options.tls === undefined ? undefined : tlsFiles(options.tls);
    const listeners: HttpListener[] = [];
    const close = async (graceMs: number) => {
      await Promise.all(listeners.map((listener) => listener.close(graceMs)));
    };
    try {
      for (const address of addresses) listeners.push(await open(service, address, tls));
    } catch (error) {
      await close(0);
      throw error;
    }
    return { urls: listeners.map(({ url }) => url), close };
  },

  writePidFile(path: string): () => void {
    const other = Number(readText(path));
    if (Number.isInteger(other) && other > 0 && other !== process.pid && isAlive(other)) {
      throw new WctrError('conflict', `process ${other} is running, says ${path}`, {
        hint: 'stop it, or remove the file if it is another program',
      });
    }
    fs.writeFileSync(path, `${process.pid}\n`, { mode: 0o644 });
    return () => {
      if (Number(readText(path)) === process.pid) fs.rmSync(path, { force: true });
    };
  },

  untilTold(): Promise<string> {
    return new Promise((resolve) => {
      let told = false;
      for (const name of ['SIGTERM', 'SIGINT', 'SIGQUIT'] as const) {
        process.on(name, () => {
          if (told) process.exit(1);
          told = true;
          resolve(name);
        });
      }
      // The terminal it was started from is gone; the daemon is not.
      process.on('SIGHUP', () => {});
    });
  },

  inheritedSockets(): readonly number[] {
    const { LISTEN_PID, LISTEN_FDS } = process.env;
    if (Number(LISTEN_PID) !== process.pid) return [];
    const count = Math.max(0, Math.min(64, Number(LISTEN_FDS) || 0));
    // Containers must not think that they were handed over to them.
    for (const name of ['LISTEN_PID', 'LISTEN_FDS', 'LISTEN_FDNAMES']) delete process.env[name];
    return Array.from({ length: count }, (_, at) => FIRST_INHERITED + at);
  },

  defaultSocket(): string {
    if (process.platform === 'win32') return '\\\\.\\pipe\\wctr';
    const { XDG_RUNTIME_DIR, HOME } = process.env;
    if (process.getuid?.() === 0) return '/run/wctr.sock';
    return `${XDG_RUNTIME_DIR || `${HOME}/.local/share/wctr`}/wctr.sock`;
  },
};

async function open(service: HttpService, address: Address, tls: TlsFiles | undefined): Promise<HttpListener> {
  if ('fd' in address) {
    const other = 'Deno' in globalThis ? 'Deno' : process.versions.bun === undefined ? undefined : 'Bun';
    if (other !== undefined) {
      throw new WctrError('unsupported', `${other} cannot take over a socket that a service manager opened`, {
        hint: 'run the daemon with Node, or name a socket: --host unix://PATH',
      });
    }
    return listen(service, { fd: address.fd }, {});
  }
  if ('path' in address) return listenOnPath(service, address);
  const { host, port } = address;
  const where: ListenAddress = tls === undefined ? { host, port } : { host, port, tls };
  return listen(service, where, tls === undefined ? plainNames(host) : certificateNames(tls));
}

/** The socket is its owner's from its first moment: made where nobody else may look, then opened to the group. */
async function listenOnPath(service: HttpService, { path, group }: SocketAddress): Promise<HttpListener> {
  if (process.platform === 'win32') return listen(service, { path }, {});
  fs.mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  await removeStale(path);
  const before = process.umask(0o177);
  let listener: HttpListener;
  try {
    listener = await listen(service, { path }, {});
  } finally {
    process.umask(before);
  }
  if (group !== undefined) {
    try {
      fs.chownSync(path, process.getuid?.() ?? -1, groupId(group));
      fs.chmodSync(path, 0o660);
    } catch (error) {
      await listener.close(0);
      throw error;
    }
  }
  const own = fs.statSync(path).ino;
  return {
    url: listener.url,
    close: async (graceMs) => {
      await listener.close(graceMs);
      // Node removes it; another daemon's in its place stays.
      if (fs.statSync(path, { throwIfNoEntry: false })?.ino === own) fs.rmSync(path, { force: true });
    },
  };
}

/** A daemon that was killed leaves its socket; one that answers keeps it. */
async function removeStale(path: string): Promise<void> {
  const stat = fs.lstatSync(path, { throwIfNoEntry: false });
  if (stat === undefined) return;
  if (!stat.isSocket()) throw new WctrError('conflict', `${path} is there and is no socket`);
  const answers = await new Promise<boolean>((resolve) => {
    const socket = connect(path);
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
  if (answers) throw new WctrError('conflict', `another daemon listens on ${path}`);
  fs.rmSync(path, { force: true });
}

function groupId(group: string): number {
  if (/^\d+$/.test(group)) return Number(group);
  const line = readText('/etc/group')
    ?.split('\n')
    .find((entry) => entry.startsWith(`${group}:`));
  const id = Number(line?.split(':')[2]);
  if (!Number.isInteger(id)) throw new WctrError('not-found', `no such group: ${group}`);
  return id;
}

function readText(path: string): string | undefined {
  try {
    return fs.readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}

function tlsFiles({ ca, cert, key }: { ca?: string; cert: string; key: string }): TlsFiles {
  const read = (path: string) => {
    try {
      return fs.readFileSync(path);
    } catch (cause) {
      const { code } = cause as NodeJS.ErrnoException;
      throw new WctrError('invalid-argument', `cannot read ${path}: ${code}`, { cause });
    }
  };
  return { cert: read(cert), key: read(key), ...(ca === undefined ? {} : { ca: read(ca) }) };
}

/** A client that checked the certificate calls us by one of its names. */
function certificateNames({ cert }: TlsFiles): AccessRule {
  const certificate = new X509Certificate(Buffer.from(cert));
  return {
    isOurName: (name) => (isIP(name) === 0 ? certificate.checkHost(name) : certificate.checkIP(name)) !== undefined,
  };
}
