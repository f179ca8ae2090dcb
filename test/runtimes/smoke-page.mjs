// The smoke suite in a page. Loaded by browser.test.ts.
import { memfs } from 'memfs';
import { Wctr } from '/dist/browser.js';
import { smoke } from './smoke.mjs';

export async function smokeInPage(registry) {
  const wctr = await Wctr.open({ registries: { insecure: [registry] } });
  const results = await smoke({
    wctr,
    reference: `${registry}/test/busybox:1`,
    isolations: ['worker', 'inline'],
    fs: memfs({}).fs,
  });
  await wctr.close();
  return results;
}
