/**
 * The shell against Debian's: each case of shell-cases/*.txt (a script; `---` parts them) writes the same to standard
 * output and ends with the same status in both. What the two differ in on purpose is in stated.test.ts.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { boxFile, runShell } from '../../support/box.ts';
import { peer } from '../../support/peers.ts';

const CASES = new URL('./shell-cases/', import.meta.url);
const dash = peer('dash');

beforeAll(async () => {
  await boxFile();
}, 300_000);

function byDash(script: string) {
  const cwd = mkdtempSync(join(tmpdir(), 'wctr-dash-'));
  const env = { PATH: '/usr/bin:/bin', HOME: '/root', PWD: cwd };
  try {
    const { stdout, status } = spawnSync(dash as string, ['-c', script], {
      cwd,
      env,
      input: '',
      encoding: 'latin1',
      timeout: 10_000,
    });
    return { out: stdout, exitCode: status };
  } finally {
    rmSync(cwd, { recursive: true });
  }
}

describe.skipIf(dash === undefined).each(readdirSync(CASES).sort())('the shell beside dash: %s', (file) => {
  const cases = readFileSync(new URL(file, CASES), 'latin1').replace(/\n$/, '').split('\n---\n');

  it.each(cases)('%s', async (script) => {
    const { out, exitCode } = await runShell(`mkdir /w; cd /w\n${script}`);
    expect({ out, exitCode }).toEqual(byDash(script));
  });
});
