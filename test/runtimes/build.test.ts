/** The same build in every runtime gives the same image, also where its RUN has no process of its own. */
import { execFile } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { chromium } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { compileGuest, hasCompiler } from '../support/c-guest.ts';
import { tempDir } from '../support/image-store.ts';
import { bundleMemfs } from '../support/memfs-bundle.ts';
import { startPageServer } from '../support/page-server.ts';
import { peer } from '../support/peers.ts';

const PROGRAM = new URL('./build-program.mjs', import.meta.url).pathname;
const DIST = new URL('../../dist/', import.meta.url);
const DENO = existsSync(new URL('deno.js', DIST)) ? 'deno.js' : 'node.js';

interface Result {
  readonly digest: string;
  readonly imageId: string;
  readonly log: string;
  readonly ran: string;
}

const RUNTIMES: [string, string | undefined, string[], string, string][] = [
  ['Node, a process for each RUN', process.execPath, [], 'node.js', 'process'],
  ['Node, inline', process.execPath, [], 'node.js', 'inline'],
  ['the newest Node', peer('node'), [], 'node.js', 'process'],
  ['Deno', peer('deno'), ['run', '--allow-all', '--quiet'], DENO, 'process'],
  ['Bun', peer('bun'), ['run'], 'node.js', 'process'],
];

describe.skipIf(!hasCompiler())('a reproducible build', () => {
  let dir: ReturnType<typeof tempDir>;
  let step: string;
  const results = new Map<string, Result>();

  beforeAll(() => {
    dir = tempDir();
    step = join(dir.path, 'step.wasm');
    writeFileSync(step, compileGuest('step'));
  });

  afterAll(() => {
    dir[Symbol.dispose]();
    const digests = new Set([...results.values()].map(({ digest, imageId }) => `${digest} ${imageId}`));
    expect([...digests]).toHaveLength(1);
  });

  const expectGood = (runtime: string, result: Result) => {
    expect(result).toMatchObject({
      ran: 'made',
      log: expect.stringMatching(/^1700000000\n[0-9a-f]{16}\nhush\nfrom the context\n/),
    });
    results.set(runtime, result);
    const [first] = results.values();
    expect(result).toEqual(first);
  };

  it.each(RUNTIMES)('%s', { timeout: 60_000 }, async (name, program, flags, entry, isolation) => {
    if (program === undefined) return;
    const options = { entry: new URL(entry, DIST).href, step, dataRoot: join(dir.path, name), isolation };
    const { stdout } = await promisify(execFile)(program, [...flags, PROGRAM, JSON.stringify(options)], {
      env: { PATH: process.env.PATH, HOME: process.env.HOME, NO_COLOR: '1' },
    });
    expectGood(name, JSON.parse(stdout));
  });

  it('a page of Chromium', { timeout: 60_000 }, async (context) => {
    const executablePath = peer('chromium');
    const memfs = await bundleMemfs();
    if (executablePath === undefined || memfs === undefined) return context.skip();
    const program = compileGuest('step');
    const browser = await chromium.launch({ executablePath, args: ['--no-sandbox'] });
    const server = await startPageServer({
      isolated: true,
      route(request, response) {
        const body = { '/step.wasm': program, '/memfs.js': memfs }[request.url ?? ''];
        if (body === undefined) return false;
        response
          .setHeader('content-type', request.url === '/memfs.js' ? 'text/javascript' : 'application/wasm')
          .end(body);
        return true;
      },
    });
    try {
      for (const isolation of ['worker', 'inline']) {
        const page = await browser.newPage();
        await page.goto(server.origin);
        // As text: the test runner rewrites the imports it sees.
        const result = await page.evaluate<Result>(
          `import('/test/runtimes/build-page.mjs').then((page) => page.buildInPage('${isolation}'))`,
        );
        expectGood(`Chromium, ${isolation}`, result);
        await page.close();
      }
    } finally {
      await browser.close();
      await server.close();
    }
  });
});
