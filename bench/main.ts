/**
 * `npm run bench [-- SUITE...]`: runs the suites one after another, prints each row as it is known and leaves the table
 * in bench/README.md (only when every suite ran). A ratio is ours over the peer's: above 1 we are faster.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { cpus, totalmem } from 'node:os';
import { measure, type RowResult, type Suite } from './harness.ts';

const SUITES: Readonly<Record<string, () => Promise<{ suite: Suite }>>> = {
  codec: () => import('./suites/codec.ts'),
  hash: () => import('./suites/hash.ts'),
  layer: () => import('./suites/layer.ts'),
  wasi: () => import('./suites/wasi.ts'),
  start: () => import('./suites/start.ts'),
  fuel: () => import('./suites/fuel.ts'),
  containers: () => import('./suites/containers.ts'),
  spawn: () => import('./suites/spawn.ts'),
  build: () => import('./suites/build.ts'),
  checkpoint: () => import('./suites/checkpoint.ts'),
  registry: () => import('./suites/registry.ts'),
  network: () => import('./suites/network.ts'),
};

const MARKER = '<!-- last run -->';

const wanted = process.argv.slice(2);
const unknown = wanted.filter((name) => !Object.hasOwn(SUITES, name));
if (unknown.length > 0) {
  console.error(`no such suite: ${unknown.join(', ')} (there are ${Object.keys(SUITES).join(', ')})`);
  process.exit(1);
}

const sections: string[] = [];
let missed = 0;
for (const [name, load] of Object.entries(SUITES)) {
  if (wanted.length > 0 && !wanted.includes(name)) continue;
  const { suite } = await load();
  const { rows, missing = [], done } = await suite.rows();
  const results: RowResult[] = [];
  for (const row of rows) {
    const result = await measure(row);
    results.push(result);
    console.log(plain(result));
    missed += result.cells.filter((cell) => cell.bar !== undefined && cell.ratio < cell.bar).length;
  }
  await done?.();
  sections.push(markdown(suite.name, results, missing));
}
console.log(missed === 0 ? 'every bar is met' : `${missed} bars are missed`);

if (wanted.length === 0) {
  const page = new URL('../../README.md', import.meta.url);
  const [head] = readFileSync(page, 'utf8').split(MARKER);
  writeFileSync(page, `${head}${MARKER}\n\n${machine()}\n\n${sections.join('\n')}`);
}

function plain({ title, cells }: RowResult): string {
  const parts = cells.map(({ name, rate, ratio, bar }, i) =>
    i === 0 ? `${name} ${rate}` : `${name} ${rate} (${ratio.toFixed(2)}x${verdict(ratio, bar)})`,
  );
  return `${title}: ${parts.join(', ')}`;
}

function markdown(suite: string, results: readonly RowResult[], missing: readonly string[]): string {
  const lines = [`### ${suite}`, '', '| row | contender | median | ratio | bar |', '| --- | --- | --- | --- | --- |'];
  for (const { title, cells } of results) {
    cells.forEach(({ name, rate, ratio, bar }, i) => {
      const compared =
        i === 0 ? ['', ''] : [`${ratio.toFixed(2)}x`, bar === undefined ? '' : `>= ${bar}x${verdict(ratio, bar)}`];
      lines.push(`| ${i === 0 ? title : ''} | ${name} | ${rate} | ${compared.join(' | ')} |`);
    });
  }
  if (missing.length > 0) lines.push('', `Not measured here: ${missing.join(', ')}.`);
  return `${lines.join('\n')}\n`;
}

function verdict(ratio: number, bar: number | undefined): string {
  return bar === undefined ? '' : ratio >= bar ? ' ✓' : ' missed';
}

function machine(): string {
  const [cpu] = cpus();
  return `Node ${process.version}, ${cpus().length} x ${cpu?.model.trim() ?? 'unknown'}, ${Math.round(totalmem() / 2 ** 30)} GiB; medians.`;
}
