// A build in a page whose RUN never ends. Loaded by build-cancel.test.ts.
import { Wctr } from '/dist/browser.js';

const DOCKERFILE = 'FROM scratch\nCOPY step /bin/step\nRUN ["/bin/step", "spin"]\n';
const SPINS_MS = 500;

/** How it ends when it is cancelled, and for how long the page got no turn meanwhile. */
export async function cancelInPage() {
  const step = new Uint8Array(await (await fetch('/step.wasm')).arrayBuffer());
  const wctr = await Wctr.open();
  const controller = new AbortController();
  let longestMs = 0;
  let last = performance.now();
  const onStatus = ({ logs = [] }) => {
    if (logs.length === 0) return;
    longestMs = 0;
    last = performance.now();
    setTimeout(() => controller.abort(), SPINS_MS);
  };
  const timer = setInterval(() => {
    longestMs = Math.max(longestMs, performance.now() - last);
    last = performance.now();
  }, 10);
  const { signal } = controller;
  const code = await wctr
    .build({ files: { step } }, { dockerfile: { text: DOCKERFILE, name: 'Dockerfile' }, signal, onStatus })
    .then(
      () => 'built',
      (error) => error.code,
    );
  clearInterval(timer);
  await wctr.close();
  return { code, longestMs };
}
