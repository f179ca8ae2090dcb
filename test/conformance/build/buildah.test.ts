/** The same Dockerfiles built here and by buildah: the same files, owners, modes, links and config. */
import { execFile } from 'node:child_process';
import {
  chmodSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ImageConfigDocument } from '../../../src/spec/image-spec.ts';
import { buildHarness } from '../../support/build.ts';
import { peer } from '../../support/peers.ts';
import { removeTree } from '../../support/remove-tree.ts';
import { entry, tar } from '../../support/tar-builder.ts';
import { CONFIGS, CONTEXT, FILES } from './cases.ts';

const buildah = peer('buildah');
const run = promisify(execFile);
const DIR = mkdtempSync(join(tmpdir(), 'wctr-buildah-'));
const STORE = ['--root', join(DIR, 'root'), '--runroot', join(DIR, 'run'), '--storage-driver', 'vfs'];
const CONTEXT_DIR = join(DIR, 'context');
afterAll(() => removeTree(DIR));

async function buildahRun(...args: string[]): Promise<string> {
  return (await run(buildah as string, [...STORE, ...args], { maxBuffer: 64 << 20 })).stdout.trim();
}

beforeAll(() => {
  mkdirSync(CONTEXT_DIR);
  for (const [name, content] of Object.entries(CONTEXT)) {
    const path = join(CONTEXT_DIR, name);
    mkdirSync(name.endsWith('/') ? path : dirname(path), { recursive: true });
    const [, mode, text = content] = /^(\d{3,4})(?: (.*))?$/s.exec(content) ?? [];
    if (content.startsWith('-> ')) symlinkSync(content.slice(3), path);
    else if (!name.endsWith('/')) writeFileSync(path, mode === undefined ? content : text);
    if (!content.startsWith('-> ')) chmodSync(path, Number.parseInt(mode ?? (name.endsWith('/') ? '755' : '644'), 8));
  }
  const archive = tar(
    entry({ name: 'in/', type: '5', mode: 0o750, uid: 5, gid: 6 }),
    entry({ name: 'in/f', data: 'F', mode: 0o640, uid: 5, gid: 6 }),
    entry({ name: 'in/hard', type: '1', link: 'in/f', mode: 0o640, uid: 5, gid: 6 }),
    entry({ name: 'in/l', type: '2', link: 'f' }),
    entry({ name: 'top', data: 'T', mode: 0o4755 }),
  );
  writeFileSync(join(CONTEXT_DIR, 'archive.tar'), archive);
  writeFileSync(join(CONTEXT_DIR, 'archive.tar.gz'), gzipSync(archive));
  writeFileSync(join(CONTEXT_DIR, 'renamed.bin'), gzipSync(archive));
  writeFileSync(join(CONTEXT_DIR, 'plain.gz'), gzipSync('not a tar'));
});

/** `755 d/ 0:0`, `644 d/f 0:0 content`, `d/l 0:0 -> target`. */
function listing(root: string, path = ''): string[] {
  return readdirSync(join(root, path))
    .sort()
    .flatMap((name): string[] => {
      const at = path === '' ? name : `${path}/${name}`;
      const { mode, uid, gid, ...stat } = lstatSync(join(root, at));
      const isLink = (mode & 0o170000) === 0o120000;
      if (isLink) return [`${at} ${uid}:${gid} -> ${readlinkSync(join(root, at))}`];
      const bits = (mode & 0o7777).toString(8);
      if ((mode & 0o170000) === 0o040000) return [`${bits} ${at}/ ${uid}:${gid}`, ...listing(root, at)];
      const content = stat.size > 1000 ? `${stat.size} bytes` : readFileSync(join(root, at), 'utf8');
      return [`${bits} ${at} ${uid}:${gid} ${content}`];
    });
}

const stageOf = (lines: string, i: number) => `FROM scratch AS c${i}\n${lines}\n`;

describe.skipIf(buildah === undefined)('beside buildah', () => {
  const theirs = new Map<string, string[]>();
  const ours = new Map<string, string[]>();

  beforeAll(async () => {
    const all = FILES.map(stageOf).join('');
    const collect = FILES.map((_, i) => `COPY --from=c${i} / /c${i}/`).join('\n');
    const text = `${all}FROM scratch\n${collect}\n`;
    writeFileSync(join(CONTEXT_DIR, 'Dockerfile.all'), text);
    await buildahRun(
      'bud',
      '-q',
      '--layers=false',
      '-t',
      'all',
      '-f',
      join(CONTEXT_DIR, 'Dockerfile.all'),
      CONTEXT_DIR,
    );
    const container = await buildahRun('from', 'all');
    const mounted = await buildahRun('mount', container);
    for (const [i, lines] of FILES.entries()) theirs.set(lines, listing(join(mounted, `c${i}`)));
    await buildahRun('rm', container);
    await buildHarness().build(text, CONTEXT_DIR, {
      dockerfile: { path: 'Dockerfile.all' },
      outputs: [
        {
          type: 'files',
          write: async (made) => {
            const root = join(DIR, 'ours');
            mkdirSync(root);
            const file = join(DIR, 'ours.tar');
            const chunks: Uint8Array[] = [];
            for await (const chunk of made) chunks.push(chunk.slice());
            writeFileSync(file, Buffer.concat(chunks));
            await run('tar', ['-xpf', file, '--same-owner', '-C', root]);
            for (const [i, lines] of FILES.entries()) ours.set(lines, listing(join(root, `c${i}`)));
          },
        },
      ],
    });
  }, 300_000);

  it.each(FILES)('%j leaves the same files', (lines) => {
    expect(ours.get(lines)).toEqual(theirs.get(lines));
  });

  it.each(CONFIGS)(
    '%j leaves the same config',
    async (lines) => {
      const file = join(DIR, 'Dockerfile.config');
      writeFileSync(file, `FROM scratch\n${lines}\n`);
      await buildahRun(
        'bud',
        '-q',
        '--format=docker',
        '--layers=false',
        '-t',
        'config',
        '-f',
        file,
        join(CONTEXT_DIR, 'empty'),
      );
      const inspected = JSON.parse(await buildahRun('inspect', '--type', 'image', 'config')) as {
        Docker: ImageConfigDocument;
      };
      const { config } = await buildHarness().build(`FROM scratch\n${lines}\n`, join(CONTEXT_DIR, 'empty'));
      expect(comparable(config)).toEqual(comparable(inspected.Docker));
    },
    60_000,
  );
});

function comparable({ author, config }: ImageConfigDocument): Record<string, unknown> {
  const {
    Labels,
    Env,
    Entrypoint,
    Cmd,
    ExposedPorts,
    Volumes,
    User,
    WorkingDir,
    StopSignal,
    Healthcheck,
    OnBuild,
    Shell,
  } = config ?? {};
  const labels = Object.entries(Labels ?? {}).filter(([name]) => name !== 'io.buildah.version');
  const fields = { author, Labels: Object.fromEntries(labels), Env, Entrypoint, Cmd, ExposedPorts, Volumes, User };
  const more = { WorkingDir, StopSignal, Healthcheck, OnBuild, Shell };
  const isNothing = (value: unknown) =>
    value === undefined ||
    value === null ||
    value === '' ||
    (typeof value === 'object' && Object.keys(value as object).length === 0);
  return Object.fromEntries(Object.entries({ ...fields, ...more }).filter(([, value]) => !isNothing(value)));
}
