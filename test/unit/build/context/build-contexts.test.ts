import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { type AddressInfo, connect, createServer as createTcpServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { FileTree } from '../../../../src/build/tree/file-tree.ts';
import { BuildContexts } from '../../../../src/engine/build-contexts.ts';
import type { BuildContextSource } from '../../../../src/engine/builds.ts';
import { download } from '../../../../src/engine/download.ts';
import type { EngineParts } from '../../../../src/engine/parts.ts';
import { hostPaths } from '../../../../src/host/node/engine-host.ts';
import { nodeFileSystem } from '../../../../src/host/node/file-system.ts';
import { git } from '../../../../src/host/node/git.ts';
import { shownAddress } from '../../../../src/host/shown-address.ts';
import { collect } from '../../../../src/images/archive/files.ts';
import { chunks, createNodeHasher, diskStore, tarOf } from '../../../support/image-store.ts';
import { core } from '../../../support/layers.ts';
import { peer } from '../../../support/peers.ts';
import { removeTree } from '../../../support/remove-tree.ts';

const ROOT = mkdtempSync(join(tmpdir(), 'wctr-contexts-'));
const TAR = await tarOf({ Dockerfile: 'FROM scratch', 'd/x': 'X' });
const ANSWERS: Readonly<Record<string, Uint8Array>> = {
  '/app.tar': TAR,
  '/app.tgz': new Uint8Array(gzipSync(TAR)),
  '/Dockerfile': new TextEncoder().encode('FROM scratch\nCOPY x /\n'),
};
const server = createServer(({ url = '' }, response) => {
  const answer = ANSWERS[url];
  response.writeHead(answer === undefined ? 404 : 200).end(answer);
});
let http = '';
beforeAll(async () => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  http = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => {
  server.close();
  removeTree(ROOT);
});

function contexts() {
  const store = diskStore(mkdtempSync(join(ROOT, 'store-')));
  const host = { paths: { fs: nodeFileSystem, ...hostPaths }, git };
  const parts = { ...store, createHasher: createNodeHasher, core, host } as unknown as EngineParts;
  const download = async (address: string) => {
    const { ok, body } = await fetch(address);
    if (!ok) throw Object.assign(new Error('no'), { code: 'not-found' });
    return { body: body as unknown as AsyncIterable<Uint8Array> };
  };
  const opened = new BuildContexts(parts, { download });
  const leftovers = () => store.fs.readdir(store.layout.tmp).catch(() => []);
  return { opened, leftovers, open: (source: BuildContextSource) => opened.open(source, 'the build context') };
}

async function text(tree: FileTree, path: string): Promise<string | undefined> {
  const read = (await tree.lstat(path))?.read;
  return read && new TextDecoder().decode(await collect(read()));
}

describe('contexts', () => {
  it.each<[string, () => BuildContextSource]>([
    ['a tar', () => ({ tar: chunks(TAR) })],
    ['a tar from an address', () => ({ address: `${http}/app.tar` })],
    ['a compressed tar from an address', () => ({ address: `${http}/app.tgz` })],
  ])('come as %s, and leave nothing', async (_, source) => {
    const { opened, open, leftovers } = contexts();
    const tree = await open(source());
    expect(await text(tree, 'd/x')).toBe('X');
    expect(await leftovers()).toHaveLength(1);
    await opened.close();
    expect(await leftovers()).toEqual([]);
  });

  it('come as a Dockerfile alone', async () => {
    const { open } = contexts();
    const tree = await open({ address: `${http}/Dockerfile` });
    expect(await tree.list('')).toEqual(['Dockerfile']);
    expect(await text(tree, 'Dockerfile')).toContain('COPY x');
  });

  it.each<[BuildContextSource, string]>([
    [{ directory: '/none/at/all' }, 'not-found'],
    [{ directory: '/etc/passwd' }, 'not-found'],
    [{ address: 'ftp://h/x' }, 'invalid-argument'],
    [{ address: './here' }, 'invalid-argument'],
    [{ address: 'git://h/b#-x' }, 'invalid-argument'],
  ])('are refused: %o', async (source, code) => {
    await expect(contexts().open(source)).rejects.toMatchObject({ code });
  });
});

it.each([
  ['https://me:hush@h/a.git#v1', 'https://xxxxx@h/a.git#v1'],
  ['https://hush@h/a', 'https://xxxxx@h/a'],
  ['ssh://git:hush@h/a', 'ssh://xxxxx@h/a'],
  ['ssh://git@h/a', 'ssh://git@h/a'],
  ['https://h/a@b?c@d', 'https://h/a@b?c@d'],
  ['git@h:a', 'git@h:a'],
])('shows %s without its login', (address, shown) => expect(shownAddress(address)).toBe(shown));

it('sends the login of an address to its host, and tells it to nobody', async () => {
  let asked: string | undefined;
  const server = createServer((request, response) => {
    asked = request.headers.authorization;
    response.writeHead(request.url === '/f' ? 200 : 404).end('F');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  try {
    const at = `http://me:hu%40sh@127.0.0.1:${(server.address() as AddressInfo).port}`;
    expect(new TextDecoder().decode(await collect((await download(`${at}/f`)).body))).toBe('F');
    expect(asked).toBe(`Basic ${btoa('me:hu@sh')}`);
    const failed = await download(`${at}/none`).catch((error: Error) => error.message);
    expect(failed).toContain('xxxxx@127.0.0.1');
    expect(failed).not.toContain('sh@');
  } finally {
    server.close();
  }
});

describe.skipIf(peer('git') === undefined)('a git repository as a context', () => {
  let daemon: ChildProcess;
  let address = '';
  const commits: string[] = [];
  const run = (cwd: string, ...args: string[]) =>
    execFileSync('git', ['-c', 'user.name=t', '-c', 'user.email=t@t', '-c', 'protocol.file.allow=always', ...args], {
      cwd,
      encoding: 'utf8',
    }).trim();

  beforeAll(async () => {
    const base = join(ROOT, 'git');
    const work = join(base, 'app.git');
    mkdirSync(work, { recursive: true });
    run(work, 'init', '-q', '-b', 'main');
    const commit = (files: Record<string, string>) => {
      for (const [name, content] of Object.entries(files)) {
        mkdirSync(dirname(join(work, name)), { recursive: true });
        if (content.startsWith('-> ')) symlinkSync(content.slice(3), join(work, name));
        else writeFileSync(join(work, name), content, { mode: name.endsWith('.sh') ? 0o700 : 0o600 });
      }
      run(work, 'add', '-A');
      run(work, 'commit', '-q', '-m', 'x');
      commits.push(run(work, 'rev-parse', 'HEAD'));
    };
    commit({ version: '1', 'app/Dockerfile': 'FROM scratch' });
    run(work, 'tag', 'v1');
    commit({ version: '2', 'app/run.sh': 'S', 'app/out': '-> ../../../etc', here: '-> app', away: '-> /etc' });
    const port = await new Promise<number>((resolve) => {
      const probe = createTcpServer().listen(0, '127.0.0.1', () => {
        const { port } = probe.address() as AddressInfo;
        probe.close(() => resolve(port));
      });
    });
    address = `git://127.0.0.1:${port}/app.git`;
    const options = ['--export-all', `--base-path=${base}`, '--listen=127.0.0.1', `--port=${port}`, '--reuseaddr'];
    daemon = spawn('/usr/lib/git-core/git-daemon', options, { stdio: 'ignore' });
    for (let isUp = false; !isUp; await sleep(20)) {
      isUp = await new Promise((resolve) => {
        const probe = connect(port, '127.0.0.1');
        probe
          .on('error', () => resolve(false))
          .on('connect', () => {
            probe.end();
            resolve(true);
          });
      });
    }
  });
  afterAll(() => {
    daemon.kill();
  });

  it.each<[string, () => string, string]>([
    ['its default branch', () => address, '2'],
    ['a branch', () => `${address}#main`, '2'],
    ['a tag', () => `${address}#v1`, '1'],
    ['a commit', () => `${address}#${commits[0]}`, '1'],
  ])('is taken at %s', async (_, source, version) => {
    const { opened, open, leftovers } = contexts();
    const tree = await open({ address: source() });
    expect(await text(tree, 'version')).toBe(version);
    expect(await tree.list('')).not.toContain('.git');
    await opened.close();
    expect(await leftovers()).toEqual([]);
  });

  it('is taken in part, with permissions that do not depend on who fetched it', async () => {
    const { open } = contexts();
    for (const source of [`${address}#main:app`, `${address}#:here`]) {
      const tree = await open({ address: source });
      expect(await tree.list('')).toEqual(['Dockerfile', 'out', 'run.sh']);
      expect(await tree.lstat('Dockerfile')).toMatchObject({ mode: 0o644 });
      expect(await tree.lstat('run.sh')).toMatchObject({ mode: 0o755 });
    }
  });

  it("leaves a caller's own repository alone", async () => {
    const mine = join(ROOT, 'mine');
    mkdirSync(mine);
    run(mine, 'init', '-q');
    writeFileSync(join(mine, 'v'), 'v');
    run(mine, 'add', 'v');
    vi.stubEnv('GIT_INDEX_FILE', join(mine, '.git/index'));
    vi.stubEnv('GIT_WORK_TREE', mine);
    try {
      const { open } = contexts();
      expect(await text(await open({ address }), 'version')).toBe('2');
    } finally {
      vi.unstubAllEnvs();
    }
    expect(run(mine, 'ls-files')).toBe('v');
    expect(existsSync(join(mine, 'version'))).toBe(false);
  });

  it.each([['none'], ['away'], ['version'], ['app/out']])('has no directory %s', async (directory) => {
    const { opened, open, leftovers } = contexts();
    await expect(open({ address: `${address}#main:${directory}` })).rejects.toMatchObject({ code: 'not-found' });
    await opened.close();
    expect(await leftovers()).toEqual([]);
  });

  it.each([() => `${address}#none`, () => address.replace('app.git', 'other.git')])(
    'is not found: %o',
    async (source) => {
      const { opened, open, leftovers } = contexts();
      await expect(open({ address: source() })).rejects.toMatchObject({ code: 'not-found' });
      await opened.close();
      expect(await leftovers()).toEqual([]);
    },
  );
});
