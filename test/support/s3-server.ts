/** An S3-compatible server nobody here wrote: s3rver, of test/peers, in a process of its own. */
import { spawn } from 'node:child_process';
import { mkdtempSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { peer } from './peers.ts';
import { removeTree } from './remove-tree.ts';

export interface S3Server {
  /** With the bucket. */
  readonly endpoint: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  stop(): Promise<void>;
}

export async function startS3(): Promise<S3Server> {
  const dir = mkdtempSync(join(tmpdir(), 'wctr-s3-'));
  const port = await freePort();
  const flags = [
    '--directory',
    dir,
    '--port',
    `${port}`,
    '--address',
    '127.0.0.1',
    '--silent',
    '--configure-bucket',
    'images',
  ];
  const child = spawn(process.execPath, [peer('s3rver')!, ...flags], { stdio: 'ignore' });
  const exited = new Promise((resolve) => child.once('exit', resolve));
  const endpoint = `http://127.0.0.1:${port}/images`;
  for (let tries = 0; ; tries++) {
    const answers = await fetch(endpoint).then(
      () => true,
      () => false,
    );
    if (answers) break;
    if (tries > 200 || child.exitCode !== null) throw new Error('s3rver does not answer');
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return {
    endpoint,
    accessKeyId: 'S3RVER',
    secretAccessKey: 'S3RVER',
    stop: async () => {
      child.kill('SIGKILL');
      await exited;
      removeTree(dir);
    },
  };
}

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number };
      server.close(() => resolve(port));
    });
  });
}
