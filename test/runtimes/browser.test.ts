/** The sandbox in a page of headless Chromium, with shared memory (COOP and COEP) and without. */
import { type Browser, chromium } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { guestBytes } from '../support/guests.ts';
import { bundleMemfs } from '../support/memfs-bundle.ts';
import { type PageServer, startPageServer } from '../support/page-server.ts';
import { peer } from '../support/peers.ts';
import { serve } from '../support/registry-images.ts';
import { startFakeRegistry } from '../support/registry-server.ts';
import { smokeImage } from '../support/smoke-image.ts';

const executablePath = peer('chromium');

describe.skipIf(!executablePath)('a page of Chromium', () => {
  let browser: Browser;

  beforeAll(async () => {
    browser = await chromium.launch({ executablePath: executablePath!, args: ['--no-sandbox'] });
  });

  afterAll(() => browser?.close());

  describe.each([
    ['with shared memory', true],
    ['without shared memory', false],
  ])('%s', (_name, isolated) => {
    let server: PageServer;

    beforeAll(async () => {
      const guest = guestBytes('busybox');
      server = await startPageServer({
        isolated,
        route(request, response) {
          if (request.url !== '/guest.wasm') return false;
          response.setHeader('content-type', 'application/wasm').end(guest);
          return true;
        },
      });
    });

    afterAll(() => server.close());

    it.each(['worker', 'inline'])('%s isolation keeps the port’s promises', async (isolation) => {
      const page = await browser.newPage();
      const messages: string[] = [];
      page.on('pageerror', (error) => messages.push(String(error)));
      await page.goto(server.origin);
      // As text: the test runner rewrites the imports it sees.
      const results = await page.evaluate<Record<string, unknown>>(
        `import('/test/runtimes/browser-sandbox.mjs').then((page) => page.sandboxInPage('${isolation}'))`,
      );
      await page.close();
      const fine = { exitCode: 0, oomKilled: false, stderr: '' };
      expect(messages).toEqual([]);
      expect(results).toEqual({
        crossOriginIsolated: isolated,
        hello: { ...fine, stdout: 'Hello from the guest\n' },
        args: 'busybox\nargs\na b\nü\n',
        exit: 7,
        trap: 134,
        recurse: 139,
        tmpfs: { ...fine, stdout: '' },
        bind: expect.objectContaining({ exitCode: 125, errorCode: 'unsupported' }),
        memory: expect.objectContaining({ exitCode: 137, oomKilled: true }),
        timeout: expect.objectContaining({ exitCode: 124, reason: 'timed out after 300 ms' }),
        storage: expect.stringMatching(/^errno (19|51)\n$/),
        flood: 1e7,
        cat: 'through the guest',
        ...(isolation === 'worker' ? { killed: { exitCode: 143, signal: 'SIGTERM', oomKilled: false } } : {}),
      });
    });
  });

  it('passes the smoke suite', async () => {
    const memfs = await bundleMemfs();
    if (memfs === undefined) return;
    const registry = await startFakeRegistry();
    serve(registry, 'test/busybox', '1', smokeImage());
    const server = await startPageServer({
      isolated: true,
      async route({ url = '', headers }, response) {
        if (url === '/memfs.js') {
          response.setHeader('content-type', 'text/javascript').end(memfs);
          return true;
        }
        if (!url.startsWith('/v2/')) return false;
        // A registry has to allow a page's origin; this one is the page's origin.
        const { accept, range } = headers;
        const answer = await fetch(`${registry.origin}${url}`, {
          headers: { ...(accept ? { accept } : {}), ...(range ? { range } : {}) },
        });
        response.writeHead(answer.status, Object.fromEntries(answer.headers));
        response.end(new Uint8Array(await answer.arrayBuffer()));
        return true;
      },
    });
    const page = await browser.newPage();
    await page.goto(server.origin);
    const results = await page.evaluate<{ name: string; problem?: string }[]>(
      `import('/test/runtimes/smoke-page.mjs').then((page) => page.smokeInPage(location.host))`,
    );
    await page.close();
    await server.close();
    await registry.close();
    expect(results.filter(({ problem }) => problem !== undefined)).toEqual([]);
    expect(results.length).toBeGreaterThanOrEqual(15);
  }, 120_000);
});
