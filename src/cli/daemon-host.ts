/** What `wctr daemon` needs of the machine. */
import type { BuildkitHost } from '../daemon/buildkit/host.ts';
import type { Engine } from '../engine/engine.ts';
import type { HttpService } from '../host/http.ts';

export interface DaemonHost {
  /** A long-lived engine over a data root: default, this user's. */
  openEngine(options: { dataRoot?: string; warm?: number }): Promise<ServedEngine>;
  /** What BuildKit's clients are served with, beside the same data root. */
  buildkit(options: { dataRoot?: string }): BuildkitHost;
  /** Opens every listener, or none. The URLs are those clients use. */
  listen(service: HttpService, addresses: readonly DaemonListen[], options: ListenOptions): Promise<Listening>;
  /** Fails where the file names a daemon that is alive. Returns what removes it. */
  writePidFile(path: string): () => void;
  /** Resolves with the name of the first signal to end; a second one ends at once. */
  untilTold(): Promise<string>;
  /** Sockets a service manager has opened for us (systemd's LISTEN_FDS), by descriptor. */
  inheritedSockets(): readonly number[];
  /** Where the daemon listens when nobody says. */
  defaultSocket(): string;
}

export interface ServedEngine extends Engine {
  /** Looks after containers nobody looks after any more; returns what stops it. */
  watch?(): Promise<() => void>;
}

export type DaemonListen =
  | { readonly path: string; readonly group?: string }
  | { readonly host: string; readonly port: number }
  | { readonly fd: number };

export interface ListenOptions {
  /** Paths of PEM files; with `ca`, clients must show a certificate it signed. */
  readonly tls?: { readonly ca?: string; readonly cert: string; readonly key: string };
}

export interface Listening {
  readonly urls: readonly string[];
  close(graceMs: number): Promise<void>;
}
