/** Debian's docker-registry on loopback, and skopeo to fill it. Callers skip by `peer('docker-registry')`. */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { peer } from './peers.ts';
import { removeTree } from './remove-tree.ts';

export interface DockerRegistry {
  /** `127.0.0.1:port`, plain http. */
  readonly host: string;
  stop(): Promise<void>;
}

export interface DockerRegistryOptions {
  /** bcrypt line for basic auth, as `htpasswd -B` prints it. */
  readonly htpasswd?: string;
}

/** Starts a registry with an empty store in a temp directory on a free port. */
export async function startDockerRegistry(options: DockerRegistryOptions = {}): Promise<DockerRegistry> {
  const dir = mkdtempSync(join(tmpdir(), 'wctr-registry-'));
  const config: Record<string, unknown> = {
    version: '0.1',
    log: { level: 'info', formatter: 'json', accesslog: { disabled: true } },
    storage: { filesystem: { rootdirectory: join(dir, 'data') }, delete: { enabled: true } },
    http: { addr: '127.0.0.1:0', secret: createHash('sha256').update(dir).digest('hex') },
  };
  if (options.htpasswd !== undefined) {
    writeFileSync(join(dir, 'htpasswd'), `${options.htpasswd}\n`);
    config.auth = { htpasswd: { realm: 'test', path: join(dir, 'htpasswd') } };
  }
  // JSON is YAML.
  writeFileSync(join(dir, 'config.yml'), JSON.stringify(config));
  const child = spawn(peer('docker-registry')!, ['serve', join(dir, 'config.yml')], {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { PATH: process.env.PATH, OTEL_TRACES_EXPORTER: 'none' },
  });
  try {
    const host = await listeningAddress(child);
    return { host, stop: () => stop(child, dir) };
  } catch (error) {
    await stop(child, dir);
    throw error;
  }
}

function listeningAddress(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    const lines = createInterface({ input: child.stderr! });
    const seen: string[] = [];
    lines.on('line', (line) => {
      seen.push(line);
      const address = /listening on (127\.0\.0\.1:\d+)/.exec(line)?.[1];
      if (address !== undefined) resolve(address);
    });
    child.once('error', reject);
    child.once('exit', () => reject(new Error(`docker-registry ended:\n${seen.join('\n')}`)));
  });
}

async function stop(child: ChildProcess, dir: string): Promise<void> {
  if (child.exitCode === null && child.signalCode === null && child.pid !== undefined) {
    const exited = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGKILL');
    await exited;
  }
  removeTree(dir);
}

export interface PushOptions {
  /** Recompresses the layers on the way. */
  readonly compress?: 'gzip' | 'zstd';
  readonly format?: 'oci' | 'v2s2';
  /** The whole index, not one platform of it. */
  readonly all?: boolean;
  readonly credentials?: string;
}

/** Copies `<dir>:<tag>` of an OCI layout to `<host>/<name>` (name with its tag) by skopeo. */
export async function pushLayout(
  dir: string,
  tag: string,
  host: string,
  name: string,
  options: PushOptions = {},
): Promise<void> {
  const flags = ['copy', '--quiet', '--insecure-policy', '--dest-tls-verify=false'];
  if (options.compress !== undefined) flags.push('--dest-compress-format', options.compress);
  if (options.format !== undefined) flags.push('--format', options.format);
  if (options.all) flags.push('--all');
  if (options.credentials !== undefined) flags.push('--dest-creds', options.credentials);
  await promisify(execFile)(peer('skopeo')!, [...flags, `oci:${dir}:${tag}`, `docker://${host}/${name}`]);
}
