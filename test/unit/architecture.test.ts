import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const SRC = fileURLToPath(new URL('../../src/', import.meta.url));

/** Folders from the ground up: a file imports from its own rank or below. */
const RANKS: readonly (readonly string[])[] = [
  ['errors.ts', 'version.ts', 'spec'],
  ['core'],
  ['host'],
  ['images'],
  ['containers'],
  ['build'],
  ['engine'],
  ['registry'],
  ['index.ts'],
  ['daemon'],
  ['cli', 'shim.ts', 'node.ts', 'deno.ts', 'bun.ts', 'browser.ts', 'space-worker.ts', 'edge.ts'],
];

/** What may know one particular host. Everything else runs anywhere. */
const ADAPTERS =
  /^(host\/(node|deno|bun|browser|edge|process)\/|containers\/node\/|registry\/node\/|(node|deno|bun|browser|space-worker|edge|shim)\.ts$|cli\/(launch|main|node-host|node-terminal)\.ts$)/;
/** Who may name an adapter: the composition roots, the CLI's entry, and adapters themselves. */
const ROOTS = ADAPTERS;

interface Import {
  readonly file: string;
  readonly target: string;
}

function files(dir: string): string[] {
  return readdirSync(dir, { withFileTypes: true }).flatMap((entry) => {
    const path = join(dir, entry.name);
    return entry.isDirectory() ? files(path) : path.endsWith('.ts') ? [path] : [];
  });
}

/** `import … from 'x'`, `export … from 'x'`, `import 'x'` at the start of a line; `import('x')` anywhere. */
const STATEMENT = /(?:^(?:import|export)\b(?:[^'";]*\bfrom)?\s*|\bimport\(\s*)'([^']+)'/gm;

const IMPORTS: Import[] = files(SRC).flatMap((path) => {
  const source = readFileSync(path, 'utf8').replace(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm, '');
  const specifiers = [...source.matchAll(STATEMENT)].map((match) => match[1]!);
  return specifiers.map((specifier) => ({
    file: relative(SRC, path),
    target: specifier.startsWith('.') ? relative(SRC, join(dirname(path), specifier)) : specifier,
  }));
});

function rank(file: string): number {
  // The ports are shapes without code: what everything above and below a host agrees on.
  if (file === 'host/ports.ts') return 0;
  const top = file.split('/')[0]!;
  const found = RANKS.findIndex((names) => names.includes(top));
  if (found < 0) throw new Error(`${file}: ${top} has no rank in this test`);
  return found;
}

const local = IMPORTS.filter(({ target }) => target.endsWith('.ts'));
const shown = ({ file, target }: Import) => `${file} -> ${target}`;

describe('the architecture', () => {
  it('is looked at', () => expect(local.length).toBeGreaterThan(50));

  it('imports downwards only', () => {
    expect(local.filter(({ file, target }) => rank(target) > rank(file)).map(shown)).toEqual([]);
  });

  it('keeps node: out of the portable code', () => {
    expect(IMPORTS.filter(({ file, target }) => target.startsWith('node:') && !ADAPTERS.test(file)).map(shown)).toEqual(
      [],
    );
  });

  it('names host adapters in composition roots only', () => {
    const adapter = /^(host\/(node|deno|bun|browser|edge|process)|(containers|registry)\/node)\//;
    expect(local.filter(({ file, target }) => adapter.test(target) && !ROOTS.test(file)).map(shown)).toEqual([]);
  });

  it('takes dependencies where they were chosen for', () => {
    const allowed: Record<string, RegExp> = {
      '@bufbuild/protobuf/wire': /^daemon\/buildkit\/proto\//,
      hono: /^daemon\//,
      valibot: /^daemon\//,
      cac: /^cli\//,
      bcryptjs: /^registry\/access\//,
      jose: /^registry\/access\//,
      aws4fetch: /^registry\/storage\//,
      memfs: /^browser\.ts$|^host\/browser\//,
      '@wasmer/wasi': /^host\/wasmer\//,
    };
    const packages = IMPORTS.filter(({ target }) => !target.endsWith('.ts') && !target.startsWith('node:'));
    expect(packages.filter(({ file, target }) => !(allowed[target]?.test(file) ?? false)).map(shown)).toEqual([]);
  });
});
