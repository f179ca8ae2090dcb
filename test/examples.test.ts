/** Every file of examples/ that a reader would run, run. */
import { execFile } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { peer } from './support/peers.ts';

const EXAMPLES = fileURLToPath(new URL('../examples/', import.meta.url));
const hasClients = peer('docker') !== undefined && peer('docker-compose') !== undefined;
let dir: string;
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'wctr-examples-'));
});
afterAll(() => rmSync(dir, { recursive: true }));

async function example(program: string, name: string): Promise<string[]> {
  const env = { PATH: process.env.PATH, HOME: dir, WCTR_DATA_ROOT: join(dir, 'store') };
  const { stdout } = await promisify(execFile)(program, [join(EXAMPLES, name)], { env, cwd: dir });
  return stdout.replace(/\n$/, '').split('\n');
}

const EXPECTED: Readonly<Record<string, () => Promise<void>>> = {
  'library.mjs': async () => {
    expect(await example(process.execPath, 'library.mjs')).toEqual([
      'hello: exit code 0, "Hello from wctr!"',
      'streams: TO CAPITALS, PLEASE',
      'streams: exit code 0',
      'mounts: KEPT IN MEMORY',
      'limits: exit code 137, out of memory: true',
      'kill: exit code 137',
      'errors: no such image: no-such-image',
    ]);
  },
  'embed-inline.mjs': async () => {
    const lines = await example(process.execPath, 'embed-inline.mjs');
    expect(lines.map((line) => line.replace(/[\d.]+ ms/, 'N ms'))).toEqual([
      'ADA (exit code 0, N ms)',
      'GRACE (exit code 0, N ms)',
    ]);
  },
  'build.sh': async () => {
    expect(await example('bash', 'build.sh')).toEqual([
      expect.stringContaining('== mistakes'),
      'Check complete, no warnings found.',
      'wctr: dockerfile parse error on line 17: unknown instruction: LABLE',
      'Dockerfile:17',
      '  15 |',
      '  16 | FROM scratch',
      '  17 | LABLE org.opencontainers.image.title="a static site"',
      '     | ^^^^^',
      'hint: did you mean LABEL?',
      expect.stringContaining('== built'),
      'example/site:latest',
      'wctr/base:latest',
      expect.stringContaining('== run'),
      'first page of 1.0',
      'second page of 1.0',
      'signed by ada',
      expect.stringContaining('== nothing changed'),
      '7',
      'same',
      expect.stringContaining('== files'),
      'first page of 2.0',
      'second page of 2.0',
      'data/ data/copy server.wasm ',
      expect.stringContaining('== what the cache holds'),
      expect.stringMatching(/^\d+ regular$/),
      '1 source.local',
      'Total reclaimed space',
    ]);
  },
  'containers.mjs': async () => {
    expect(await example(process.execPath, 'containers.mjs')).toEqual([
      'start: running',
      'exec: WRITTEN BY EXEC',
      'exec: exit code 0',
      'port: WRITTEN BY EXEC',
      'stdout: listening',
      'stdout: a request',
      'wait: 143',
      'list: 0',
    ]);
  },
  'containers.sh': async () => {
    expect(await example('bash', 'containers.sh')).toEqual([
      expect.stringContaining('== in the background'),
      'web example/upper running',
      'nothing here yet',
      expect.stringContaining('== another program'),
      'HELLO FROM INSIDE',
      'HELLO FROM INSIDE',
      expect.stringContaining('== its log'),
      'listening',
      'a request',
      'a request',
      expect.stringContaining('== files in and out'),
      'copied in',
      'A /note',
      expect.stringContaining('== paused'),
      'web',
      'web 0.00%',
      'web',
      expect.stringContaining('== kept as an image'),
      '{"kept":"yes"}',
      expect.stringContaining('== a network'),
      'web',
      'backstage',
      expect.stringContaining('== stopped and started'),
      'web',
      'exited 143',
      'a request',
      'web',
      'HELLO FROM INSIDE',
      expect.stringContaining('== a program that fails'),
      'it ended with 137',
      '137',
      'restarted 2 times',
      '== the end',
      'web',
      'greedy',
      'site',
      'site',
      'commit create destroy die exec_create exec_die exec_start kill pause start stop unpause ',
    ]);
  },
  'daemon.sh': async () => {
    expect(await example('bash', 'daemon.sh')).toEqual([
      '== the docker command',
      'wctr, API 1.51',
      'Hello from wctr!',
      '== an image for it',
      'example/upper:latest',
      expect.stringContaining('== compose'),
      'COMPOSED',
      'COMPOSED',
      'example/upper web',
      '1',
      expect.stringContaining('== the daemon ends'),
      'example/upper running',
    ]);
  },
  'registry.sh': async () => {
    expect(await example('bash', 'registry.sh')).toEqual([
      '== a registry with a password',
      'Login Succeeded',
      '== push what is here, run it elsewhere',
      'REGISTRY/team/hello:1',
      'Hello from wctr!',
      expect.stringContaining('== from registry to registry'),
      'same',
      'same',
      '== a .wasm file as an artifact, and back',
      'STRAIGHT FROM THE REGISTRY',
      'the same file',
      expect.stringContaining('== what is known'),
      'application/spdx+json',
      '== one name for several platforms',
      '1',
      '== a policy decides what may be pulled and run',
      'wctr: the policy does not allow REGISTRY/mirror/hello:1: it rejects all images there',
      'Removing login credentials for REGISTRY',
    ]);
  },
  'cli.sh': async () => {
    const lines = await example('bash', 'cli.sh');
    expect(lines.filter((line) => line.startsWith('=='))).toHaveLength(5);
    expect(lines.filter((line) => !line.startsWith('=='))).toEqual([
      '',
      'Hello from wctr!',
      'If you can read this, your installation works.',
      'SHOUT THIS',
      'example/upper:1 wasip1/wasm',
      'example/upper:latest wasip1/wasm',
      'hello:latest wasip1/wasm',
      'TO A FILE',
      'TO A FILE',
      'the endless loop ended with 124',
      'the greedy one ended with 137',
      'Loaded image: example/upper:1',
      '["/app.wasm"]',
      'Total reclaimed space',
    ]);
  },
};

describe('examples', () => {
  it.for(Object.entries(EXPECTED))('%s', { timeout: 120_000 }, async ([name, check], { skip }) => {
    if (name === 'daemon.sh' && !hasClients) skip('docker and docker-compose are not installed');
    await check();
  });

  it('has none without a test', () => {
    // What the others import.
    const parts = ['docker-compose.yml', 'guest.mjs'];
    expect(readdirSync(EXAMPLES).sort()).toEqual([...Object.keys(EXPECTED), ...parts].sort());
  });
});
