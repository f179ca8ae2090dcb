/**
 * Readers of the two public suites, which are not part of this repository. Point WCTR_WASI_SUITES at a directory that
 * holds checkouts of them, under any names:
 *   https://github.com/WebAssembly/wasi-testsuite, branch prod/testsuite-base (tests, their modules prebuilt)
 *   https://github.com/caspervonb/wasi-test-suite
 */
import { existsSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { ConformanceCase, Tree } from './case.ts';

export interface PublicSuite {
  readonly name: string;
  readonly cases: readonly ConformanceCase[];
}

/** The suites found below `directory`. */
export function publicSuites(directory: string): PublicSuite[] {
  const checkouts = readdirSync(directory, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => join(directory, entry.name));
  return checkouts.flatMap((checkout) => {
    const cases = [...testsuiteCases(checkout), ...communityCases(checkout)];
    return cases.length === 0 ? [] : [{ name: basename(checkout), cases }];
  });
}

/** wasi-testsuite: tests/<language>/testsuite/wasm32-wasip1/<name>.wasm with <name>.json (doc/specification.md). */
function testsuiteCases(checkout: string): ConformanceCase[] {
  const tests = join(checkout, 'tests');
  if (!existsSync(tests)) return [];
  return readdirSync(tests).flatMap((language) => {
    const directory = join(tests, language, 'testsuite', 'wasm32-wasip1');
    return modulesIn(directory).map((file) => {
      const path = join(directory, file);
      const given = json(path.replace(/\.wasm$/, '.json'));
      return {
        name: `${language}/${file.replace(/\.wasm$/, '')}`,
        wasm: () => new Uint8Array(readFileSync(path)),
        args: [file, ...(given.args ?? [])],
        env: Object.entries(given.env ?? {}).map(([name, value]) => `${name}=${value}`),
        ...(given.root != null && { root: treeOf(join(directory, given.root)), preopens: [['/', '/']] as const }),
        expect: {
          exitCode: given.exit_code ?? 0,
          ...(given.stdout !== undefined && { stdout: given.stdout }),
          ...(given.stderr !== undefined && { stderr: given.stderr }),
        },
      };
    });
  });
}

interface TestsuiteSpec {
  args?: string[];
  env?: Record<string, string>;
  root?: string | null;
  exit_code?: number;
  stdout?: string;
  stderr?: string;
}

function json(path: string): TestsuiteSpec {
  return existsSync(path) ? (JSON.parse(readFileSync(path, 'utf8')) as TestsuiteSpec) : {};
}

/**
 * The community suite: <name>.wasm beside .arg, .env, .stdin (given), .stdout, .stderr, .status (expected), and a
 * directory <name>.dir that the guest finds under that name.
 */
function communityCases(checkout: string): ConformanceCase[] {
  return ['core', 'libc', 'libstd'].flatMap((part) => {
    const directory = join(checkout, part);
    return modulesIn(directory).map((file) => {
      const stem = join(directory, file.replace(/\.wasm$/, ''));
      const text = (extension: string) =>
        existsSync(`${stem}.${extension}`) ? readFileSync(`${stem}.${extension}`, 'utf8') : undefined;
      const lines = (extension: string) => (text(extension) ?? '').split('\n').filter((line) => line !== '');
      const stdin = text('stdin');
      const stdout = text('stdout');
      const stderr = text('stderr');
      const shared = `${basename(stem)}.dir`;
      return {
        name: `${part}/${basename(stem)}`,
        wasm: () => new Uint8Array(readFileSync(`${stem}.wasm`)),
        args: [file, ...lines('arg')],
        env: lines('env'),
        ...(existsSync(`${stem}.dir`) && {
          root: prefixed(`${shared}/`, treeOf(`${stem}.dir`)),
          preopens: [[shared, `/${shared}`]] as const,
        }),
        ...(stdin !== undefined && { stdin }),
        expect: {
          exitCode: Number(text('status') ?? 0),
          ...(stdout !== undefined && { stdout }),
          ...(stderr !== undefined && { stderr }),
        },
      };
    });
  });
}

function modulesIn(directory: string): string[] {
  if (!existsSync(directory)) return [];
  return readdirSync(directory)
    .filter((file) => file.endsWith('.wasm'))
    .sort();
}

function treeOf(directory: string, prefix = ''): Tree {
  const tree: Record<string, Tree[string]> = {};
  for (const entry of readdirSync(directory, { withFileTypes: true })) {
    const path = join(directory, entry.name);
    // Left behind by an earlier run on a host that works on the real directory.
    if (entry.name.endsWith('.cleanup')) continue;
    if (entry.isDirectory()) {
      tree[`${prefix}${entry.name}/`] = null;
      Object.assign(tree, treeOf(path, `${prefix}${entry.name}/`));
    } else if (entry.isSymbolicLink()) {
      tree[prefix + entry.name] = { link: readlinkSync(path) };
    } else {
      tree[prefix + entry.name] = new Uint8Array(readFileSync(path));
    }
  }
  return tree;
}

function prefixed(prefix: string, tree: Tree): Tree {
  return { [prefix]: null, ...Object.fromEntries(Object.entries(tree).map(([path, node]) => [prefix + path, node])) };
}
