// The build of build-smoke.mjs in a page. Loaded by build.test.ts.
import { Wctr } from '/dist/browser.js';
import { buildSmoke } from './build-smoke.mjs';

export async function buildInPage(isolation) {
  const step = new Uint8Array(await (await fetch('/step.wasm')).arrayBuffer());
  const wctr = await Wctr.open({ isolation });
  const result = await buildSmoke(wctr, step);
  await wctr.close();
  return result;
}
