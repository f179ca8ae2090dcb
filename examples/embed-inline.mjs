// Inline isolation: the program runs in this very thread, and starts in well under a millisecond once it is compiled.
// For programs you trust: one that never ends or takes all memory is this process's problem. Output is collected, since
// nothing can read a stream while the program has the thread.
// In a checkout: npm ci && node examples/embed-inline.mjs
import { Wctr } from 'wctr';
import { buildGuest } from './guest.mjs';

const wctr = await Wctr.open({ isolation: 'inline' });
const upper = await buildGuest();

for (const name of ['ada', 'grace']) {
  const started = performance.now();
  const container = await wctr.run(upper, { stdin: true, env: { NAME: name }, mounts: { '/data': { tmpfs: true } } });
  const input = container.stdin.getWriter();
  await input.write(new TextEncoder().encode(`${name}\n`));
  await input.close();
  const { stdout, exitCode } = await container.output();
  console.log(`${stdout.trim()} (exit code ${exitCode}, ${(performance.now() - started).toFixed(1)} ms)`);
}

await wctr.close();
