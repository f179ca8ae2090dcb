/** The same files make the same image: one digest from Node, the newest Node, Deno, Bun, and pages of Chromium. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { chromium } from 'playwright-core';
import { expect, it } from 'vitest';
import { guestBytes, guestPath } from '../support/guests.ts';
import { tempDir } from '../support/image-store.ts';
import { bundleMemfs } from '../support/memfs-bundle.ts';
import { startPageServer } from '../support/page-server.ts';
import { peer } from '../support/peers.ts';

interface Built {
  readonly digest: string;
  readonly again: string;
  readonly cached: number;
  readonly stdout: string;
}

const PROGRAM = new URL('./build-program.mjs', import.meta.url).pathname;
const DIST = new URL('../../dist/', import.meta.url);
const RUNTIMES: [string, string | undefined, string[], string][] = [
  ['Node, the one that runs the tests', process.execPath, [], 'node.js'],
  ['the newest Node', peer('node'), [], 'node.js'],
  ['Deno', peer('deno'), ['run', '--allow-all', '--quiet'], 'deno.js'],
  ['Bun', peer('bun'), ['run'], 'node.js'],
];

/** What the first of them made. */
let made: string | undefined;

function expectTheSame(built: Built): void {
  made ??= built.digest;
  expect(built).toEqual({ digest: made, again: made, cached: expect.any(Number), stdout: 'by a program' });
  expect(built.cached).toBeGreaterThanOrEqual(8);
}

it.each(RUNTIMES)(
  '%s',
  async (_name, program, flags, entry) => {
    if (program === undefined) return;
    using dir = tempDir();
    const options = { entry: new URL(entry, DIST).href, dataRoot: dir.path, guest: guestPath('busybox') };
    const { stdout } = await promisify(execFile)(program, [...flags, PROGRAM, JSON.stringify(options)], {
      env: { PATH: process.env.PATH, HOME: process.env.HOME, NO_COLOR: '1' },
      timeout: 60_000,
    });
    expectTheSame(JSON.parse(stdout) as Built);
  },
  90_000,
);

it('pages of Chromium, with a guest in a worker and in the page', async () => {
  const executablePath = peer('chromium');
  const memfs = await bundleMemfs();
  if (executablePath === undefined || memfs === undefined) return;
  const guest = guestBytes('busybox');
  const server = await startPageServer({
    isolated: true,
    route({ url }, response) {
      if (url === '/memfs.js') response.setHeader('content-type', 'text/javascript').end(memfs);
      else if (url === '/guest.wasm') response.setHeader('content-type', 'application/wasm').end(guest);
      else return false;
      return true;
    },
  });
  const browser = await chromium.launch({ executablePath, args: ['--no-sandbox'] });
  try {
    for (const isolation of ['worker', 'inline']) {
      const page = await browser.newPage();
      await page.goto(server.origin);
      expectTheSame(
        await page.evaluate<Built>(
          `import('/test/runtimes/build-page.mjs').then((page) => page.buildInPage('${isolation}'))`,
        ),
      );
      await page.close();
    }
  } finally {
    await browser.close();
    await server.close();
  }
}, 120_000);
