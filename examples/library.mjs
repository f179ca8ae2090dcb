// wctr as a library: run an image, talk to a program, give it files, bound it, end it.
// In a checkout: npm ci && node examples/library.mjs
import { createFsFromVolume, Volume } from 'memfs';
import { isWctrError, Wctr } from 'wctr';
import { buildGuest } from './guest.mjs';

// One object per store: by default WCTR_DATA_ROOT or ~/.local/share/wctr, as for the command.
const wctr = await Wctr.open();

// 1. Run an image and take what it writes. `hello` ships inside the package; others are pulled when they are missing.
const hello = await (await wctr.run('hello')).output();
console.log(`hello: exit code ${hello.exitCode}, "${hello.stdout.trim().split('\n')[0]}"`);

// 2. Streams: a container has web streams. A path (it begins with . or /) runs a module that is no image.
const upper = await buildGuest();
const talk = await wctr.run(upper, { stdin: true });
const input = talk.stdin.getWriter();
await input.write(new TextEncoder().encode('to capitals, please\n'));
await input.close();
for await (const chunk of talk.stdout) process.stdout.write(`streams: ${new TextDecoder().decode(chunk)}`);
await talk.stderr.cancel();
console.log(`streams: exit code ${(await talk.wait()).exitCode}`);

// 3. Mounts: directories of the host, empty file systems in memory, or anything shaped like node:fs. Here memfs, which
// lives in this thread; so the program has to as well, where else it gets a process of its own.
const volume = new Volume();
const mounts = { '/data': createFsFromVolume(volume) };
const mounted = await wctr.run(upper, { stdin: true, isolation: 'inline', mounts });
const writer = mounted.stdin.getWriter();
await writer.write(new TextEncoder().encode('kept in memory'));
await writer.close();
await mounted.output();
console.log(`mounts: ${volume.readFileSync('/copy', 'utf8')}`);

// 4. Limits: nothing a program does takes more than it was given.
const greedy = await wctr.run(upper, { args: ['grow'], resources: { memoryBytes: 32 * 1024 * 1024 } });
const { oomKilled, exitCode } = await greedy.output();
console.log(`limits: exit code ${exitCode}, out of memory: ${oomKilled}`);

// 5. Kill: also a program that never gives the control back.
const endless = await wctr.run(upper, { args: ['loop'] });
setTimeout(() => endless.kill(), 100);
console.log(`kill: exit code ${(await endless.output()).exitCode}`);

// 6. Errors have a code for programs, a message and a hint for people.
try {
  await wctr.run('no-such-image', { pull: 'never' });
} catch (error) {
  if (!isWctrError(error, 'no-such-image')) throw error;
  console.log(`errors: ${error.message}`);
}

await wctr.close();
