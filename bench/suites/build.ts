/**
 * Building again: a context of 10,000 files of which none or one changed, whole processes beside buildah's, which is told
 * to use its cache (`--layers`) and the faster of its storage drivers here.
 */
import { spawnSync } from 'node:child_process';
import { appendFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Contender, Row, Suite } from '../harness.ts';

const WCTR = join(process.cwd(), 'dist', 'bin', 'wctr.cjs');
const DIRECTORIES = 100;
const FILES_EACH = 100;
const DOCKERFILE = 'FROM scratch\nCOPY . /app/\nENV NODE_ENV=production\nCMD ["/app/d0/file-0.js"]\n';

export const suite: Suite = {
  name: 'build',
  async rows() {
    const work = mkdtempSync(join(tmpdir(), 'wctr-bench-'));
    const builders = [wctr(work), fasterBuildah(work)].filter((builder) => builder !== undefined);
    for (const { context, build } of builders) {
      makeContext(context);
      build();
    }
    // Files that were written just now are read again by the next build
    await new Promise((resolve) => setTimeout(resolve, 3000));
    const [ours, ...peers] = builders as [Builder, ...Builder[]];
    const row = (title: string, contender: (builder: Builder) => Contender, bar: number): Row => ({
      title,
      ours: contender(ours),
      peers: peers.map(contender),
      bars: Object.fromEntries(peers.map(({ name }) => [name, bar])),
    });
    return {
      rows: [
        row('build again, 10,000 files, no change', ({ name, build }) => ({ name, run: () => timed(build) }), 5),
        row(
          'build again, 10,000 files, one changed',
          ({ name, context, build }) => ({
            name,
            run: () => {
              appendFileSync(join(context, 'd7', 'file-8.js'), '// once more\n');
              return timed(build);
            },
          }),
          2,
        ),
      ],
      ...(peers.length === 0 ? { missing: ['buildah'] } : {}),
      done: () => rmSync(work, { recursive: true, force: true }),
    };
  },
};

interface Builder {
  readonly name: string;
  readonly context: string;
  build(): void;
}

function wctr(work: string): Builder {
  const context = join(work, 'ours');
  const env = { ...process.env, WCTR_DATA_ROOT: join(work, 'store') };
  return {
    name: 'wctr build',
    context,
    build: () => run(process.execPath, [WCTR, 'build', '--quiet', '--tag', 'bench', context], env),
  };
}

/** Undefined where it is not installed, or cannot build. */
function fasterBuildah(work: string): Builder | undefined {
  const found = ['overlay', 'vfs'].flatMap((driver) => {
    const builder = buildah(work, driver);
    makeContext(builder.context);
    try {
      builder.build();
      return [{ builder, ms: timed(builder.build) }];
    } catch {
      return [];
    }
  });
  return found.sort((a, b) => a.ms - b.ms)[0]?.builder;
}

function buildah(work: string, driver: string): Builder {
  const context = join(work, `theirs-${driver}`);
  const roots = ['--root', join(work, driver), '--runroot', join(work, `${driver}-run`)];
  const options = ['--layers', '--isolation', 'chroot', '--quiet', '--tag', 'bench', context];
  return {
    name: 'buildah',
    context,
    build: () => run('buildah', ['--storage-driver', driver, ...roots, 'bud', ...options], process.env),
  };
}

function timed(action: () => void): number {
  const start = performance.now();
  action();
  return performance.now() - start;
}

function run(command: string, args: string[], env: NodeJS.ProcessEnv): void {
  const { status, stderr, error } = spawnSync(command, args, { env, encoding: 'utf8' });
  if (status !== 0) throw error ?? new Error(`${command}: ${stderr}`);
}

/** 10,000 files of 0.5 to 7.5 kB, 100 in each of 100 directories, half of them one level down. */
function makeContext(root: string): void {
  mkdirSync(root, { recursive: true });
  writeFileSync(join(root, 'Dockerfile'), DOCKERFILE);
  for (let d = 0; d < DIRECTORIES; d += 1) {
    mkdirSync(join(root, `d${d}`, 'sub'), { recursive: true });
    for (let i = 0; i < FILES_EACH; i += 1) {
      const line = `export const value${i} = ${d * FILES_EACH + i};\n`;
      const bytes = 500 + ((i * 97 + d * 31) % 7000);
      const name = i % 2 === 0 ? `file-${i}.js` : `sub/file-${i}.js`;
      writeFileSync(join(root, `d${d}`, name), line.repeat(Math.ceil(bytes / line.length)).slice(0, bytes));
    }
  }
}
