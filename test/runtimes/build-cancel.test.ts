/** A page goes on while the program of a RUN computes, and can end it. */
import { chromium } from 'playwright-core';
import { describe, expect, it } from 'vitest';
import { compileGuest, hasCompiler } from '../support/c-guest.ts';
import { bundleMemfs } from '../support/memfs-bundle.ts';
import { startPageServer } from '../support/page-server.ts';
import { peer } from '../support/peers.ts';

const executablePath = peer('chromium');
/** Half of how long the program computes before it is ended. */
const LONGEST_MS = 250;

describe.skipIf(!executablePath || !hasCompiler())('a build in a page', () => {
  it('can be cancelled', { timeout: 60_000 }, async (context) => {
    const memfs = await bundleMemfs();
    if (memfs === undefined) return context.skip();
    const files: Readonly<Record<string, readonly [string, string | Uint8Array]>> = {
      '/step.wasm': ['application/wasm', compileGuest('step')],
      '/memfs.js': ['text/javascript', memfs],
    };
    const browser = await chromium.launch({ executablePath: executablePath!, args: ['--no-sandbox'] });
    // Without shared memory: a page needs no special headers for it.
    const server = await startPageServer({
      isolated: false,
      route(request, response) {
        const file = files[request.url ?? ''];
        if (file === undefined) return false;
        response.setHeader('content-type', file[0]).end(file[1]);
        return true;
      },
    });
    try {
      const page = await browser.newPage();
      await page.goto(server.origin);
      // As text: the test runner rewrites the imports it sees.
      const { code, longestMs } = await page.evaluate<{ code: string; longestMs: number }>(
        `import('/test/runtimes/build-cancel.mjs').then((page) => page.cancelInPage())`,
      );
      expect(code).toBe('cancelled');
      expect(longestMs).toBeLessThan(LONGEST_MS);
    } finally {
      await browser.close();
      await server.close();
    }
  });
});
