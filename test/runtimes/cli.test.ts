/** The `wctr` command in every runtime, without a daemon: it starts containers, and another command finds them. */
import { existsSync, mkdirSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { busyboxLayout, type Cli, openCli } from '../support/cli.ts';
import { guestBytes } from '../support/guests.ts';
import { BUN, DENO, NODE } from '../support/runtimes.ts';

describe.each([NODE, DENO, BUN])('wctr on $name', ({ command, executable }) => {
  let cli: Cli;
  beforeAll(() => {
    cli = openCli(command ?? undefined);
  });
  afterAll(async () => {
    const ids = (await cli.run(['ps', '-aq'])).stdout.split('\n').filter((id) => id !== '');
    if (ids.length > 0) await cli.run(['rm', '-f', ...ids]);
    cli.remove();
  }, 30_000);
  const out = async (...args: string[]) => {
    const { code, stdout, stderr } = await cli.run(args);
    expect({ args, code, stderr }).toEqual({ args, code: 0, stderr: '' });
    return stdout;
  };

  it.skipIf(command === null)('runs, keeps, execs, copies, stops and starts again', { timeout: 60_000 }, async () => {
    expect(await out('load', '-i', await busyboxLayout(cli.dir))).toContain('busybox:test');
    expect(await cli.run(['run', '--rm', '-i', 'busybox:test', 'cat'], { input: 'fast\n' })).toEqual({
      code: 0,
      stdout: 'fast\n',
      stderr: '',
    });
    expect(await cli.run(['run', '--name', 'c0', 'busybox:test', 'exit', '3'])).toMatchObject({ code: 3 });
    expect(await out('run', '-d', '--name', 'c1', 'busybox:test', 'sleep', '1000000')).toMatch(/^[0-9a-f]{64}\n$/);
    const pid = (await out('inspect', '-f', '{{.State.Pid}}', 'c1')).trim();
    if (existsSync('/proc/self/exe'))
      expect(readlinkSync(`/proc/${pid}/exe`)).toMatch(new RegExp(`/${executable}[^/]*$`));
    expect(await out('exec', 'c1', '/busybox.wasm', 'write', '/made', 'content')).toBe('');
    await out('cp', 'c1:/made', 'made');
    expect(existsSync(join(cli.dir, 'made'))).toBe(true);
    expect(await out('diff', 'c1')).toBe('A /made\n');
    expect(await out('commit', 'c1', 'kept:1')).toMatch(/^sha256:/);
    expect(await out('run', '--rm', 'kept:1', 'read', '/made')).toBe('content');
    expect(await out('stop', '-t', '1', 'c1')).toBe('c1\n');
    expect(await out('start', 'c1')).toBe('c1\n');
    expect(await out('exec', 'c1', '/busybox.wasm', 'read', '/made')).toBe('content');
    expect(await out('ps', '-a', '--format', '{{.Names}} {{.State}}')).toBe('c1 running\nc0 exited\n');
    expect(await out('rm', '-f', 'c0', 'c1')).toBe('c0\nc1\n');
  });

  it.skipIf(command === null)('shares a directory of the host between the processes of a container', async () => {
    const shared = join(cli.dir, 'shared');
    mkdirSync(shared);
    writeFileSync(join(shared, 'in'), 'from the host\n');
    writeFileSync(join(shared, 'program'), guestBytes('busybox'), { mode: 0o755 });
    const script = [
      'stat -c %F /shared',
      // Files that the shell opens, and its children read and write.
      '/shared/program cat < /shared/in > /shared/out',
      '/shared/program args appended >> /shared/out',
      'ls /shared && cat /shared/out',
    ];
    expect(await out('run', '--rm', '-v', `${shared}:/shared`, 'wctr/base', 'sh', '-ec', script.join('\n'))).toBe(
      'directory\nin\nout\nprogram\nfrom the host\n/shared/program\nargs\nappended\n',
    );
    expect(readFileSync(join(shared, 'out'), 'utf8')).toBe('from the host\n/shared/program\nargs\nappended\n');
  });
});
