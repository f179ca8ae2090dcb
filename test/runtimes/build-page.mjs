// The build in a page. Loaded by build.test.ts.
import { Wctr } from '/dist/browser.js';
import { buildHere } from './build.mjs';

export async function buildInPage(isolation) {
  const guest = new Uint8Array(await (await fetch('/guest.wasm')).arrayBuffer());
  const wctr = await Wctr.open({ isolation });
  const result = await buildHere(wctr, guest);
  await wctr.close();
  return result;
}
