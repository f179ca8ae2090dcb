// The engine under the library: containers in the background, each a process of its own that outlives this program, with
// the documents of docker's API. `wctr ps` lists them, and so does any other program that opens the store.
// In a checkout: npm ci && node examples/containers.mjs
import { dirname } from 'node:path';
import { Wctr } from 'wctr';
import { buildGuest } from './guest.mjs';

const wctr = await Wctr.open();
const { containers, exec } = wctr.engine;
const tools = dirname(await buildGuest());

// 1. Create, then start. The image is the one that ships with wctr; the program comes from a directory of the host.
await (await wctr.run('hello')).output();
const { Id } = await containers.create(
  {
    Image: 'hello',
    Entrypoint: ['/tools/upper.wasm'],
    Cmd: ['serve'],
    HostConfig: {
      Binds: [`${tools}:/tools:ro`, 'page:/data'],
      PortBindings: { '80/tcp': [{ HostIp: '127.0.0.1', HostPort: '' }] },
    },
  },
  { name: 'web' },
);
await containers.start(Id);
const { State, NetworkSettings } = await containers.inspect(Id);
console.log(`start: ${State.Status}`);

// 2. Exec: another program in the same container, on the same files.
const { Id: task } = await exec.create(Id, { Cmd: ['/tools/upper.wasm'], AttachStdin: true, AttachStdout: true });
const streams = await exec.start(task, { tty: false });
const input = streams.stdin.getWriter();
await input.write(new TextEncoder().encode('written by exec\n'));
await input.close();
for await (const chunk of streams.stdout) process.stdout.write(`exec: ${new TextDecoder().decode(chunk)}`);
console.log(`exec: exit code ${(await exec.inspect(task)).ExitCode}`);

// 3. The published port: the web server sees what exec wrote.
const [{ HostPort }] = NetworkSettings.Ports['80/tcp'];
process.stdout.write(`port: ${await (await fetch(`http://127.0.0.1:${HostPort}/`)).text()}`);

// 4. Logs, from the beginning; with `follow` until the container stops.
setTimeout(() => containers.stop(Id, { timeoutSeconds: 1 }), 200);
for await (const { stream, bytes } of containers.logs(Id, { follow: true, stdout: true, stderr: true })) {
  process.stdout.write(`${stream}: ${new TextDecoder().decode(bytes)}`);
}

// 5. How it ended; and nothing of it is left behind.
console.log(`wait: ${(await containers.wait(Id)).StatusCode}`);
await containers.remove(Id);
await wctr.engine.volumes.remove('page');
console.log(`list: ${(await containers.list({ all: true })).length}`);

await wctr.close();
