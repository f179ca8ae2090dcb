// The Sandbox port in a page, for both of its isolations there. Loaded by browser.test.ts.
import { createInlineSandbox, createWorkerSandbox } from '/dist/host/browser/sandboxes.js';

const guest = new Uint8Array(await (await fetch('/guest.wasm')).arrayBuffer());

function spec(args, changes = {}) {
  return {
    id: 'c0ffee'.padEnd(64, '0'),
    hostname: 'page',
    process: {
      args: ['busybox', ...args],
      env: ['A=1'],
      cwd: '/',
      user: { uid: 0, gid: 0, additionalGids: [] },
      terminal: false,
    },
    root: { readonly: false, layers: [] },
    program: { module: { bytes: guest } },
    mounts: changes.mounts ?? [],
    resources: changes.resources ?? {},
    stdio: { stdin: changes.stdin ?? 'null', stdout: 'pipe', stderr: 'pipe' },
  };
}

async function text(stream) {
  return await new Response(stream).text();
}

async function outcome(handle) {
  const [stdout, stderr, exit] = await Promise.all([text(handle.stdout), text(handle.stderr), handle.wait()]);
  return { ...exit, stdout, stderr };
}

/** Every case by name, with what it gave. */
export async function sandboxInPage(isolation) {
  const sandbox = isolation === 'worker' ? createWorkerSandbox() : createInlineSandbox();
  const run = async (args, changes) => outcome(await sandbox.start(spec(args, changes)));
  const results = { crossOriginIsolated };
  results.hello = await run(['hello']);
  results.args = (await run(['args', 'a b', 'ü'])).stdout;
  results.exit = (await run(['exit', '7'])).exitCode;
  results.trap = (await run(['trap'])).exitCode;
  results.recurse = (await run(['recurse'])).exitCode;
  results.tmpfs = await run(['write', '/t/x', 'y'], { mounts: [{ type: 'tmpfs', destination: '/t' }] });
  results.bind = await run(['hello'], { mounts: [{ type: 'bind', destination: '/m', source: '/etc' }] });
  results.memory = await run(['grow', 'abort'], { resources: { memoryBytes: 32 * 1024 * 1024 } });
  results.timeout = await run(['loop'], { resources: { timeoutMs: 300 } });
  results.storage = (await run(['fill', '/big', '3e6'], { resources: { storageBytes: 1e6 } })).stderr;
  results.flood = (await run(['flood', '1e7'])).stdout.length;
  const fed = await sandbox.start(spec(['cat'], { stdin: 'pipe' }));
  const output = outcome(fed);
  const writer = fed.stdin.getWriter();
  await writer.write(new TextEncoder().encode('through the '));
  await writer.write(new TextEncoder().encode('guest'));
  await writer.close();
  results.cat = (await output).stdout;
  if (isolation === 'worker') {
    const looping = await sandbox.start(spec(['loop']));
    const reader = looping.stdout.getReader();
    await reader.read();
    await looping.signal('SIGTERM');
    results.killed = await looping.wait();
  }
  await sandbox.close?.();
  return results;
}
