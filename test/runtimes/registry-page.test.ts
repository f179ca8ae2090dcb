/** The registry's page in headless Chromium, and the same registry inside a service worker's Request and Response. */
import { type Browser, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DistributionClient, describes, image, index, pushImage } from '../support/distribution-client.ts';
import { peer } from '../support/peers.ts';
import { type StartedRegistry, startRegistry } from '../support/wctr-registry.ts';

const executablePath = peer('chromium');
const NASTY = '<img src=x onerror="document.title=\'owned\'">';

describe.skipIf(!executablePath)("the registry's page", () => {
  let browser: Browser;
  let registry: StartedRegistry;
  const parts = image({ layers: 2, fields: { annotations: { nasty: NASTY } } });
  beforeAll(async () => {
    registry = await startRegistry({ storage: 'memory', page: true });
    const client = new DistributionClient(registry.url);
    await pushImage(client, 'team/app', parts, 'v1');
    const platform = { os: 'wasip1', architecture: 'wasm' };
    await client.pushManifest('team/app', 'all', index([{ ...describes(parts.manifest), platform }]));
    const signature = image({
      fields: { subject: describes(parts.manifest), artifactType: 'application/x-signature' },
    });
    await pushImage(client, 'team/app', signature);
    browser = await chromium.launch({ executablePath: executablePath!, args: ['--no-sandbox'] });
  });
  afterAll(async () => {
    await browser?.close();
    await registry.stop();
  });

  const open = async (hash: string): Promise<{ page: Page; problems: string[] }> => {
    const page = await browser.newPage();
    const problems: string[] = [];
    page.on('pageerror', (error) => problems.push(String(error)));
    page.on('console', (message) => message.type() === 'error' && problems.push(message.text()));
    await page.goto(`${registry.url}/${hash}`);
    await page.waitForSelector('main table');
    return { page, problems };
  };

  it('leads from the repositories to the layers of an image', async () => {
    const { page, problems } = await open('');
    await page.click('main a');
    await page.waitForSelector('text=127.0.0.1');
    expect(await page.locator('main tbody tr').allTextContents()).toHaveLength(2);
    await page.click('main a:text-is("v1")');
    await page.waitForSelector('text=Content');
    const text = (await page.textContent('body'))!;
    expect(text).toContain(parts.digest);
    expect(text).toContain('application/vnd.oci.image.layer.v1.tar');
    expect(text).toContain('application/x-signature');
    if (process.env.WCTR_TEST_SCREENSHOT) await page.screenshot({ path: process.env.WCTR_TEST_SCREENSHOT });
    await page.goto(`${registry.url}/#/team/app:all`);
    await page.waitForSelector('text=wasip1/wasm');
    expect(problems).toEqual([]);
    await page.close();
  });

  it('shows markup of others as text', async () => {
    const { page, problems } = await open('#/team/app:v1');
    expect(await page.textContent('body')).toContain(NASTY);
    expect(await page.title()).toBe('wctr registry');
    expect(await page.locator('main img').count()).toBe(0);
    expect(problems).toEqual([]);
    await page.close();
  });

  it('says what is wrong', async () => {
    const page = await browser.newPage();
    await page.goto(`${registry.url}/#/team/app:none`);
    await page.waitForSelector('text=The registry answered 404.');
    await page.close();
  });
});

describe('the page without a browser', () => {
  it('is allowed nothing but its own files', async () => {
    const registry = await startRegistry({ storage: 'memory', page: true });
    for (const path of ['/', '/page/browse.js', '/page/style.css']) {
      const answer = await fetch(registry.url + path);
      expect(answer.status).toBe(200);
      expect(answer.headers.get('content-security-policy')).toMatch(/^default-src 'none'; script-src 'self';/);
    }
    expect((await fetch(`${registry.url}/page/other`)).status).toBe(404);
    await registry.stop();
    const without = await startRegistry({ storage: 'memory' });
    expect((await fetch(`${without.url}/`)).status).toBe(404);
    await without.stop();
  });
});
