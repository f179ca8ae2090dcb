// A program that runs the test guest in a container process with its own stdio: node sandbox-parent.mjs <dist url>
// <spec as JSON>. Prints the container's pid on descriptor 4 when there is one, and exits as the guest did.
import { writeSync } from 'node:fs';

const [dist, json] = process.argv.slice(2);
const { createProcessSandbox } = await import(new URL('host/node/sandboxes.js', dist).href);
const sandbox = createProcessSandbox();
const handle = await sandbox.start(JSON.parse(json));
try {
  writeSync(4, `${handle.pid}\n`);
} catch {
  // Nobody asked.
}
const exit = await handle.wait();
if (exit.reason !== undefined) process.stderr.write(`${exit.reason}\n`);
process.exit(exit.exitCode);
