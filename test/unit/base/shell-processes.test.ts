// biome-ignore-all lint/suspicious/noTemplateCurlyInString: these are scripts of another language
/** The shell in a container that starts programs: Wasm programs of the image, background, pipelines that run at once. */
import { chmodSync, copyFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { HostContainer, ProcessSpec } from '../../../src/host/container/container.ts';
import { createContainerHost } from '../../../src/host/node/container-host.ts';
import { boxBin } from '../../support/box.ts';
import { guestPath } from '../../support/guests.ts';
import { guestSpec, text } from '../../support/sandbox-suite.ts';

const host = createContainerHost();
const opened: HostContainer[] = [];
let bin = '';
let programs = '';

beforeAll(async () => {
  bin = await boxBin();
  programs = mkdtempSync(join(tmpdir(), 'wctr-programs-'));
  copyFileSync(guestPath('busybox'), join(programs, 'guest'));
  chmodSync(join(programs, 'guest'), 0o755);
}, 300_000);

afterAll(() => rmSync(programs, { recursive: true }));

afterEach(async () => {
  await Promise.all(opened.splice(0).map((container) => container.close()));
});

async function open(): Promise<HostContainer> {
  const container = await host.open(
    guestSpec([], {
      mounts: [
        { type: 'bind', source: bin, destination: '/bin', readonly: true },
        { type: 'bind', source: programs, destination: '/p', readonly: true },
        { type: 'tmpfs', destination: '/tmp' },
      ],
    }),
    {},
  );
  opened.push(container);
  return container;
}

async function start(container: HostContainer, script: string, changes: Partial<ProcessSpec> = {}) {
  return container.start({
    args: ['sh', '-c', script],
    env: ['PATH=/bin', 'HOME=/root'],
    cwd: '/',
    user: { uid: 0, gid: 0, additionalGids: [] },
    terminal: false,
    program: { module: { path: join(bin, 'box') } },
    stdin: false,
    ...changes,
  });
}

async function run(script: string) {
  const guest = await start(await open(), script);
  const [out, err, exit] = await Promise.all([text(guest.stdout), text(guest.stderr), guest.wait()]);
  return { out, err, exitCode: exit.exitCode };
}

describe('a Wasm program of the image', () => {
  it.each([
    ['is run', '/p/guest hello', 'Hello from the guest\n'],
    ['is found in PATH', 'PATH=/p:$PATH; guest hello', 'Hello from the guest\n'],
    ['gives its status', '/p/guest exit 7; echo $?', '7\n'],
    ['gets its arguments as they are', "/p/guest args 'a b' '' c", '/p/guest\nargs\na b\n\nc\n'],
    ['gets what is exported', 'A=1 /p/guest env | grep ^A=; B=2; /p/guest env | grep ^B= || echo none', 'A=1\nnone\n'],
    ['is substituted', 'x=$(/p/guest hello); echo "[$x]"', '[Hello from the guest]\n'],
    ['reads a here-document', '/p/guest cat <<E\nhere $((1+1))\nE', 'here 2\n'],
    ['is redirected', '/p/guest hello > /tmp/o; /p/guest cat < /tmp/o', 'Hello from the guest\n'],
    ['has its errors redirected', 'x=$(/p/guest err oops 2>&1); echo $x; /p/guest err no 2>/dev/null', 'oops\n'],
    ['reads on where the shell stopped', 'printf "1\\n2\\n" > /tmp/f; { read a; /p/guest cat; } < /tmp/f', '2\n'],
    ['reads on in a pipe', '/p/guest args 1 | { read a; read b; /p/guest cat; }', '1\n'],
    ['replaces the shell', 'trap "echo no" EXIT; exec /p/guest hello', 'Hello from the guest\n'],
    ['may fail under set -e', 'set -e; /p/guest exit 3 || echo $?; echo on', '3\non\n'],
  ])('%s', async (_name, script, out) => {
    expect(await run(script)).toEqual({ out, err: '', exitCode: 0 });
  });
});

describe('a pipeline', () => {
  it.each([
    ['echo foo | /p/guest cat', 'foo\n'],
    ['/p/guest hello | cat', 'Hello from the guest\n'],
    ['/p/guest hello | tr a-z A-Z | /p/guest cat | tr A-Z a-z', 'hello from the guest\n'],
    ['/p/guest cat < /dev/null | true; /p/guest exit 3 | true; echo $?; true | /p/guest exit 4; echo $?', '0\n4\n'],
    ['set -o pipefail; /p/guest exit 3 | cat; echo $?', '3\n'],
    ['seq 100000 | /p/guest cat | tail -1', '100000\n'],
    ['seq 100000 | /p/guest cat | while read n; do echo $n; break; done', '1\n'],
    ['yes | head -2', 'y\ny\n'],
    ['yes | while read x; do echo $x; break; done', 'y\n'],
    ['x=$(yes | { read a; echo $a; }); echo $x', 'y\n'],
    ['(while :; do echo loop; done) | (read a; echo got $a)', 'got loop\n'],
    ['(while :; do echo tick; sleep 0.02; done) | { read a; read b; echo $a $b; }', 'tick tick\n'],
    ['f() { read a; echo "f $1 $v $a"; }; v="it\'s"; yes | f "x y"', "f x y it's y\n"],
    ['yes | nosuch 2>/dev/null; echo $?', '127\n'],
  ])('%s', async (script, out) => {
    expect(await run(script)).toEqual({ out, err: '', exitCode: 0 });
  });
});

describe('in the background', () => {
  it.each([
    ['sleep 0.05 & echo first; wait; echo last', 'first\nlast\n'],
    ['(exit 5) & wait $!; echo $?', '5\n'],
    ['/p/guest exit 6 & wait $!; echo $?', '6\n'],
    ['v=1; (v=2; echo $v) & wait; echo $v', '2\n1\n'],
    ['(echo $$) & wait; echo $$', '1\n1\n'],
    ['set -e; false || (echo "was $?") & wait', 'was 1\n'],
    ['f() { cat <<E\n$1 "q" \\$d $(echo sub) ${u:-"de } f"}\nE\n}; f "a b" & wait', 'a b "q" $d sub de } f\n'],
    ['set -- "p 1" p2; { shift; for i; do echo "<$i>"; done; case $1 in p?) echo "$#";; esac; } & wait', '<p2>\n1\n'],
    ['readonly R=1; (R=2) 2>/dev/null & wait $!; echo $?', '2\n'],
    ['sleep 10 & kill $!; wait $!; echo $?', '143\n'],
    ['echo in | { cat & wait; }', ''],
    ['nosuch 2>/dev/null & wait $!; echo $?', '127\n'],
  ])('%s', async (script, out) => {
    expect(await run(script)).toEqual({ out, err: '', exitCode: 0 });
  });
});

describe('a signal', () => {
  it('runs its trap between commands', async () => {
    const script = "trap 'echo caught; exit 3' TERM; (sleep 0.05; kill -TERM $$) & while :; do sleep 0.02; done";
    expect(await run(script)).toEqual({ out: 'caught\n', err: '', exitCode: 3 });
  });

  it('from outside ends a shell without one, and is ignored where it is told to be', async () => {
    const container = await open();
    const plain = await start(container, 'echo up; while :; do sleep 0.02; done');
    await upTo(plain.stdout, 'up\n');
    await plain.signal('SIGTERM');
    expect((await plain.wait()).exitCode).toBe(143);
    const deaf = await start(container, "trap '' TERM; echo up; sleep 0.3; echo still");
    await upTo(deaf.stdout, 'up\n');
    await deaf.signal('SIGTERM');
    expect(await text(deaf.stdout)).toBe('still\n');
    expect((await deaf.wait()).exitCode).toBe(0);
  });
});

/** Reads so far; the stream can be read on. */
async function upTo(stream: ReadableStream<Uint8Array>, wanted: string): Promise<void> {
  const reader = stream.getReader();
  let seen = '';
  while (!seen.includes(wanted)) {
    const { value, done } = await reader.read();
    if (done) throw new Error(`ended after ${JSON.stringify(seen)}`);
    seen += new TextDecoder().decode(value);
  }
  reader.releaseLock();
}
