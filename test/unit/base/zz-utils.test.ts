import { it } from 'vitest';
import { appendFileSync } from 'node:fs';
import { boxFile, runShell } from '../../support/box.ts';
it('x', async () => {
  await boxFile();
  for (const s of (process.env.SCRIPTS ?? '').split('@@')) {
    const t = performance.now();
    appendFileSync('/tmp/utils/zz.log', `start ${s}\n`);
    const r = await runShell(s);
    appendFileSync('/tmp/utils/zz.log', `${Math.round(performance.now() - t)} ${r.exitCode} ${JSON.stringify(r.out.slice(0, 300))} ${r.err.slice(0, 300)} ${r.reason}\n`);
  }
}, 100000);
