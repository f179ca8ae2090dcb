/**
 * The utilities beside Debian's: each case of applet-cases/*.txt writes the same to standard output and ends with the same
 * status in both. A file begins with a script that makes what its cases work on, up to `---`; then every line is a case, and
 * so is what stands between `<<<` and `>>>`. All cases of a file are one script, so a file is one run of the box. What
 * differs on purpose, and what is said when something is wrong, is in applets-stated.test.ts.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { boxFile, runShell } from '../../support/box.ts';
import { peer } from '../../support/peers.ts';

const CASES = new URL('./applet-cases/', import.meta.url);
const USERS = 'root:x:0:0:root:/root:/bin/sh\n';
const GROUPS = 'root:x:0:\n';
const dash = peer('dash');

interface Outcome {
  readonly out: string;
  readonly status: string;
}

function read(file: string): { setup: string; cases: string[] } {
  const text = readFileSync(new URL(file, CASES), 'latin1');
  const end = text.indexOf('\n---\n');
  const cases: string[] = [];
  let block: string[] | undefined;
  for (const line of text
    .slice(end + 5)
    .trimEnd()
    .split('\n')) {
    if (line === '<<<') block = [];
    else if (line === '>>>') {
      cases.push((block as string[]).join('\n'));
      block = undefined;
    } else if (block === undefined) cases.push(line);
    else block.push(line);
  }
  return { setup: text.slice(0, end), cases };
}

/** Each case in a directory of its own, between marks that no case writes. */
function script(setup: string, cases: readonly string[]): string {
  const parts = cases.map(
    (each, i) =>
      `mkdir d${i}; cd d${i}; {\n${setup}\n} >/dev/null 2>&1\nprintf '\\035'\n(\n${each}\n) 2>/dev/null </dev/null\nprintf '\\036%s' "$?"; cd ..\n`,
  );
  return `export LC_ALL=C TZ=UTC; umask 022\n${parts.join('')}`;
}

function outcomes(text: string): Outcome[] {
  return text
    .split('\x1d')
    .slice(1)
    .map((part) => {
      const end = part.lastIndexOf('\x1e');
      return { out: part.slice(0, end), status: part.slice(end + 1) };
    });
}

function byDebian(text: string): Outcome[] {
  const cwd = mkdtempSync(join(tmpdir(), 'wctr-applets-'));
  try {
    const env = { PATH: '/usr/bin:/bin', HOME: '/root' };
    const { stdout } = spawnSync(dash as string, [], {
      cwd,
      env,
      input: Buffer.from(text, 'latin1'),
      maxBuffer: 1 << 26,
    });
    return outcomes(stdout.toString('latin1'));
  } finally {
    rmSync(cwd, { recursive: true });
  }
}

beforeAll(async () => {
  await boxFile();
}, 300_000);

describe.skipIf(dash === undefined).each(readdirSync(CASES).sort())('the utilities beside Debian’s: %s', (file) => {
  const { setup, cases } = read(file);
  let ours: Outcome[] = [];
  let theirs: Outcome[] = [];
  let errors = '';

  beforeAll(async () => {
    const text = script(setup, cases);
    theirs = byDebian(text);
    const users = `mkdir -p /etc /w; printf '${USERS}' >/etc/passwd; printf '${GROUPS}' >/etc/group; cd /w\n`;
    const { out, err } = await runShell(users + text);
    ours = outcomes(out);
    errors = err;
  }, 60_000);

  it.each(cases.map((each, i) => [each, i] as const))('%s', (_case, i) => {
    expect(ours[i], errors).toEqual(theirs[i]);
  });
});
