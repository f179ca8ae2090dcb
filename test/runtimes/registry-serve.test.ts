/** `wctr registry serve` under the other runtimes, and the same registry inside a service worker. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { type Browser, chromium } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DISTRIBUTION_CASES } from '../conformance/distribution-cases.ts';
import { WCTR } from '../support/cli.ts';
import { DistributionClient } from '../support/distribution-client.ts';
import { type PageServer, startPageServer } from '../support/page-server.ts';
import { peer } from '../support/peers.ts';
import { removeTree } from '../support/remove-tree.ts';
import { BUN, DENO, NODE } from '../support/runtimes.ts';

describe.each([NODE, DENO, BUN])('wctr registry serve on $name', ({ command }) => {
  let child: ChildProcess;
  let root: string;
  let url: string;
  beforeAll(async () => {
    if (command === null) return;
    root = mkdtempSync(join(tmpdir(), 'wctr-runtime-registry-'));
    const [program, ...flags] = command;
    const args = [...flags, WCTR, 'registry', 'serve', '--listen', '127.0.0.1:0', '--root', root];
    child = spawn(program!, args, { stdio: ['ignore', 'ignore', 'pipe'] });
    url = await new Promise((resolve, reject) => {
      const seen: string[] = [];
      createInterface({ input: child.stderr! }).on('line', (line) => {
        seen.push(line);
        const found = /listens on (http:\S+)/.exec(line)?.[1];
        if (found !== undefined) resolve(found);
      });
      child.once('exit', () => reject(new Error(seen.join('\n'))));
    });
  });
  afterAll(async () => {
    if (child === undefined) return;
    const ended = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGTERM');
    expect(await ended).toBe(0);
    removeTree(root);
  });

  const some = DISTRIBUTION_CASES.filter((_, i) => i % 3 === 0);
  it.skipIf(command === null)(`keeps to the distribution spec, ${some.length} cases of it`, async () => {
    const failed: string[] = [];
    for (const [i, { chapter, says, run }] of some.entries()) {
      await run(new DistributionClient(url), `runtime/case-${i}`).catch((error: unknown) => {
        failed.push(`${chapter}: ${says}: ${String(error).split('\n')[0]}`);
      });
    }
    expect(failed).toEqual([]);
  });
});

const executablePath = peer('chromium');

describe.skipIf(!executablePath)('a registry in a service worker', () => {
  let browser: Browser;
  let server: PageServer;
  beforeAll(async () => {
    const worker = readFileSync(new URL('./registry-worker.mjs', import.meta.url));
    server = await startPageServer({
      isolated: false,
      // At the root, so that /v2/ is in its reach.
      route: (request, response) => {
        if (request.url !== '/worker.mjs') return false;
        response.setHeader('content-type', 'text/javascript').end(worker);
        return true;
      },
    });
    browser = await chromium.launch({ executablePath: executablePath!, args: ['--no-sandbox'] });
  });
  afterAll(async () => {
    await browser?.close();
    await server?.close();
  });

  it('takes a push and gives it back', async () => {
    const page = await browser.newPage();
    await page.goto(server.origin);
    const result = await page.evaluate(async () => {
      await navigator.serviceWorker.register('/worker.mjs', { type: 'module' });
      await navigator.serviceWorker.ready;
      if (navigator.serviceWorker.controller === null) {
        await new Promise((resolve) => navigator.serviceWorker.addEventListener('controllerchange', resolve));
      }
      const hex = async (bytes: Uint8Array<ArrayBuffer>) =>
        [...new Uint8Array(await crypto.subtle.digest('SHA-256', bytes))]
          .map((byte) => byte.toString(16).padStart(2, '0'))
          .join('');
      const push = async (bytes: Uint8Array<ArrayBuffer>) => {
        const digest = `sha256:${await hex(bytes)}`;
        const begun = await fetch('/v2/in/worker/blobs/uploads/', { method: 'POST' });
        const closed = await fetch(`${begun.headers.get('location')}?digest=${digest}`, { method: 'PUT', body: bytes });
        return { digest, status: closed.status, size: bytes.length };
      };
      const config = await push(new TextEncoder().encode('{}'));
      const layer = await push(new Uint8Array(3_000_000).fill(5));
      const mediaType = 'application/vnd.oci.image.manifest.v1+json';
      const manifest = JSON.stringify({
        schemaVersion: 2,
        mediaType,
        config: { mediaType: 'application/vnd.oci.image.config.v1+json', digest: config.digest, size: config.size },
        layers: [{ mediaType: 'application/x', digest: layer.digest, size: layer.size }],
      });
      const headers = { 'content-type': mediaType };
      const put = await fetch('/v2/in/worker/manifests/v1', { method: 'PUT', body: manifest, headers });
      const got = await (await fetch('/v2/in/worker/manifests/v1')).text();
      const blob = new Uint8Array(await (await fetch(`/v2/in/worker/blobs/${layer.digest}`)).arrayBuffer());
      const tags = await (await fetch('/v2/in/worker/tags/list')).json();
      return {
        statuses: [config.status, layer.status, put.status],
        same: got === manifest,
        blob: `sha256:${await hex(blob)}` === layer.digest,
        tags,
      };
    });
    await page.close();
    expect(result).toEqual({
      statuses: [201, 201, 201],
      same: true,
      blob: true,
      tags: { name: 'in/worker', tags: ['v1'] },
    });
  });
});
