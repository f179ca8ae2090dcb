/**
 * Runs conformance cases and prints what fails (a Node that strips types, 22.18 or later):
 *   node test/conformance/run.ts [--host wctr|wasmer] [--only TEXT] [DIRECTORY]
 * Own cases always; the public suites below DIRECTORY or $WCTR_WASI_SUITES when given.
 */
import { parseArgs } from 'node:util';
import { type ConformanceCase, type ConformanceHost, ownCases, verdict } from './case.ts';
import { publicSuites } from './public-suites.ts';
import { compile } from './toolchain.ts';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { host: { type: 'string', default: 'wctr' }, only: { type: 'string', default: '' } },
});
const host = await hostNamed(values.host);
const directory = positionals[0] ?? process.env.WCTR_WASI_SUITES;
const suites: { name: string; cases: readonly ConformanceCase[] }[] = [{ name: 'own', cases: ownCases(compile) }];
if (directory !== undefined) suites.push(...publicSuites(directory));

let failed = 0;
for (const suite of suites) {
  let passed = 0;
  const cases = suite.cases.filter(({ name }) => name.includes(values.only));
  for (const test of cases) {
    const wrong = await verdict(host, test);
    if (wrong === undefined) {
      passed++;
    } else {
      failed++;
      console.log(`FAIL ${suite.name} ${test.name}\n     ${wrong.replaceAll('\n', '\n     ')}`);
    }
  }
  console.log(`${suite.name}: ${passed} of ${cases.length} pass on ${host.name}`);
}
process.exitCode = failed === 0 ? 0 : 1;

async function hostNamed(name: string): Promise<ConformanceHost> {
  if (name === 'wasmer') return (await import('./wasmer-host.ts')).wasmerHost();
  if (name === 'wctr') return (await import('./wctr-host.ts')).wctrHost();
  throw new Error(`no host named ${name}: wctr, wasmer`);
}
