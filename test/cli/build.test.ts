/** Builds from the command line, with the real binary: contexts, outputs, secrets, the cache, and how they fail. */
import { execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { busyboxLayout, type Cli, openCli, WCTR } from '../support/cli.ts';

const FILES: Readonly<Record<string, string>> = {
  'app/Dockerfile': `FROM busybox:test AS made
WORKDIR /work
COPY a.txt .
RUN ["/busybox.wasm", "write", "/work/made", "made"]
RUN --mount=type=secret,id=token,target=/token ["/busybox.wasm", "read", "/token"]
FROM scratch
LABEL kept=yes
COPY --from=made /work /work
`,
  'app/a.txt': 'a',
  'app/Fails': 'FROM busybox:test\nRUN ["/busybox.wasm", "err", "out of luck"]\nRUN ["/busybox.wasm", "exit", "7"]\n',
  'app/Slow': 'FROM busybox:test\nRUN ["/busybox.wasm", "sleep", "1000000000000"]\n',
  'app/Evil': 'FROM busybox:test\nRUN ["/busybox.wasm", "args", "\\u001b[2Jcleared\\u001b]0;title\\u0007"]\n',
  'app/Wrong': 'FROM busybox:test\nRUNN true\n',
  'app/Shell': 'FROM busybox:test\nRUN echo hi\n',
  'app/Context': 'FROM scratch\nCOPY --from=more x /x\n',
  'more/x': 'from more',
  token: 'hush hush',
};

let cli: Cli;
beforeAll(async () => {
  cli = openCli();
  expect((await cli.run(['load', '-q', '-i', await busyboxLayout(cli.dir)])).code).toBe(0);
  for (const [name, text] of Object.entries(FILES)) {
    mkdirSync(join(cli.dir, name, '..'), { recursive: true });
    writeFileSync(join(cli.dir, name), text);
  }
});
afterAll(async () => {
  await cli.removeContainers();
  cli.remove();
}, 30_000);

const BUILD = ['build', '--secret', 'id=token,src=token'];
const at = (...path: string[]) => join(cli.dir, ...path);

describe('a build', { timeout: 40_000 }, () => {
  it('is shown, kept, and taken from the cache', async () => {
    const first = await cli.run([...BUILD, '-t', 'app:1', 'app']);
    expect(first).toMatchObject({ code: 0, stdout: '' });
    expect(first.stderr).toMatch(/^#1 \[internal\] load build definition from Dockerfile\n#1 DONE 0\.\ds\n\n#2 /);
    expect(first.stderr).toMatch(
      /#\d+ \[made 4\/5\] RUN \["\/busybox.wasm", "write", "\/work\/made", "made"\]\n#\d+ DONE/,
    );
    expect(first.stderr).toMatch(/^#\d+ naming to docker\.io\/library\/app:1 done$/m);
    expect(await cli.out('image', 'inspect', '-f', '{{json .Config.Labels}}', 'app:1')).toBe('{"kept":"yes"}\n');
    const again = await cli.run([...BUILD, '--iidfile', 'id', '--metadata-file', 'meta.json', 'app']);
    expect(again.stderr.match(/ CACHED$/gm)?.length).toBeGreaterThanOrEqual(6);
    const id = await cli.out('image', 'inspect', '-f', '{{.Id}}', 'app:1');
    expect(readFileSync(at('id'), 'utf8')).toBe(id.trimEnd());
    expect(JSON.parse(readFileSync(at('meta.json'), 'utf8'))).toMatchObject({
      'containerimage.config.digest': id.trimEnd(),
    });
    expect(await cli.out(...BUILD, '-q', '--no-cache', 'app')).toBe(id);
  });

  it('writes files and archives', async () => {
    const out = await cli.run([...BUILD, '-q', '-o', 'out/deep', 'app']);
    expect(out).toMatchObject({ code: 0, stderr: '' });
    expect(readdirSync(at('out', 'deep', 'work')).sort()).toEqual(['a.txt', 'made']);
    expect(readFileSync(at('out', 'deep', 'work', 'made'), 'utf8')).toBe('made');
    const mode = statSync(at('out')).mode;
    await cli.run([...BUILD, '-q', '-o', 'type=local,dest=out', 'app']);
    expect(statSync(at('out')).mode).toBe(mode);
    expect((await cli.run([...BUILD, '-q', '-o', 'type=tar,dest=files.tar', 'app'])).code).toBe(0);
    expect(execFileSync('tar', ['-tf', at('files.tar')], { encoding: 'utf8' })).toContain('work/made\n');
    for (const type of ['oci', 'docker']) {
      expect((await cli.run([...BUILD, '-t', 'app:2', '-o', `type=${type},dest=${type}.tar`, 'app'])).code).toBe(0);
      expect((await cli.run(['load', '-i', `${type}.tar`])).stdout).toMatch(/^Loaded image: app:2\n$/);
    }
    expect(await cli.run([...BUILD, '-o', 'app/a.txt', 'app'])).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/^wctr: cannot write files to .*app\/a\.txt: it is no directory$/m),
    });
  });

  it('takes contexts and Dockerfiles from where they are', async () => {
    const input = 'FROM busybox:test\nENV PIPED=yes\n';
    expect(await cli.run(['build', '-q', '-t', 'piped', '-'], { input })).toMatchObject({ code: 0, stderr: '' });
    expect(await cli.out('run', '--rm', 'piped', 'env')).toContain('PIPED=yes');
    expect(await cli.run(['build', '-q', '-f', '-', 'app'], { input: 'FROM scratch\nCOPY a.txt /\n' })).toMatchObject({
      code: 0,
    });
    const tar = execFileSync('tar', ['-C', at('app'), '-cz', '.']);
    expect(
      await cli.run(['build', '-q', '-f', 'Context', '--build-context', 'more=more', '-'], { input: tar }),
    ).toMatchObject({
      code: 0,
      stderr: '',
    });
    writeFileSync(at('Elsewhere'), 'FROM scratch\nCOPY . /\n');
    writeFileSync(at('Elsewhere.dockerignore'), '*\n!a.txt\n');
    expect((await cli.run(['build', '-q', '-f', 'Elsewhere', '-o', 'picked', 'app'])).code).toBe(0);
    expect(readdirSync(at('picked'))).toEqual(['a.txt']);
  });

  it('keeps secrets out of everything it keeps', async () => {
    const { stderr } = await cli.run([...BUILD, '--no-cache', '-t', 'secret', 'app']);
    // The program printed it, and so it is seen here.
    expect(stderr).toContain('hush hush');
    expect((await cli.run(['build', '--no-cache', 'app'])).code).toBe(1);
    const grep = () => execFileSync('grep', ['-rl', 'hush hush', at('store')], { encoding: 'utf8' });
    expect(grep).toThrow();
  });

  it('shows what a guest prints, and obeys none of it', async () => {
    for (const progress of ['plain', 'rawjson']) {
      const { stderr, code } = await cli.run(['build', '--no-cache', '--progress', progress, '-f', 'app/Evil', 'app']);
      expect(code).toBe(0);
      // biome-ignore lint/suspicious/noControlCharactersInRegex: what a terminal obeys
      expect(stderr).not.toMatch(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/);
    }
  });
});

describe('a build that fails', { timeout: 40_000 }, () => {
  it('shows its last output, the place and the reason', async () => {
    const { code, stdout, stderr } = await cli.run(['build', '-f', 'app/Fails', 'app']);
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toMatch(/^#\d+ \d+\.\d+ out of luck$/m);
    expect(stderr.slice(stderr.indexOf('------')).split('\n')).toEqual([
      '------',
      ' > [3/3] RUN ["/busybox.wasm", "exit", "7"]:',
      '------',
      'wctr: process "/busybox.wasm exit 7" did not complete successfully: exit code: 7',
      'Fails:3',
      '   1 | FROM busybox:test',
      '   2 | RUN ["/busybox.wasm", "err", "out of luck"]',
      '   3 | RUN ["/busybox.wasm", "exit", "7"]',
      '     | ^^^',
      '',
    ]);
  });

  it.each([
    ['a mistake', ['-f', 'app/Wrong', 'app'], /unknown instruction: RUNN\nWrong:2\n(.*\n)+hint: did you mean RUN\?\n$/],
    ['no shell', ['-q', '-f', 'app/Shell', 'app'], /no shell for RUN.*\nShell:2\n(.*\n)+hint: RUN \[/],
    ['no target', ['--target', 'nosuch', 'app'], /nosuch/],
    ['no file to copy', ['-q', '-f', '-', 'app'], /"\/nosuch": not found/, 'FROM scratch\nCOPY nosuch /\n'],
    ['no image', ['-q', '-'], /127\.0\.0\.1:1/, 'FROM 127.0.0.1:1/nosuch\n'],
    ['no tag', ['-t', 'UPPER', 'app'], /lowercase/],
  ])('%s', async (_, args, said, input = '') => {
    const { code, stderr } = await cli.run(['build', ...args], { input });
    expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringMatching(said) });
    expect(stderr).not.toContain('internal error');
  });

  it('leaves nothing when it is interrupted', async () => {
    const child = spawn(process.execPath, [WCTR, 'build', '-f', 'app/Slow', 'app'], {
      cwd: cli.dir,
      env: { PATH: process.env.PATH, HOME: cli.dir, WCTR_DATA_ROOT: at('store') },
    });
    let said = '';
    const ended = new Promise((resolve) => child.once('exit', resolve));
    child.stderr.on('data', (chunk) => {
      said += String(chunk);
    });
    await expect.poll(() => said, { timeout: 20_000 }).toContain('RUN ["/busybox.wasm", "sleep"');
    await new Promise((resolve) => setTimeout(resolve, 500));
    child.kill('SIGINT');
    expect(await ended).toBe(130);
    expect(said).toContain('CANCELED');
    const runs = at('store', 'build', 'runs');
    expect(existsSync(runs) ? readdirSync(runs) : []).toEqual([]);
    expect(await cli.out('ps', '-aq')).toBe('');
  });
});

describe('the cache', { timeout: 40_000 }, () => {
  it('is taken along in a directory', async () => {
    expect((await cli.run([...BUILD, '--cache-to', 'type=local,dest=cache,mode=max', 'app'])).code).toBe(0);
    const env = { WCTR_DATA_ROOT: at('another') };
    expect((await cli.run(['load', '-q', '-i', await busyboxLayout(cli.dir)], { env })).code).toBe(0);
    const taken = await cli.run([...BUILD, '--cache-from', 'type=local,src=cache', 'app'], { env });
    expect(taken.code).toBe(0);
    expect(taken.stderr).toMatch(/RUN \["\/busybox.wasm", "write", "\/work\/made", "made"\]\n#\d+ CACHED\n/);
    const none = await cli.run([...BUILD, '-q', '--cache-from', 'type=local,src=nosuch', 'app'], { env });
    expect(none).toMatchObject({ code: 0, stderr: '' });
  });

  it('is listed, counted and pruned', async () => {
    const du = await cli.out('builder', 'du', '--format', '{{.ID}} {{.Type}}');
    expect(du).toMatch(/^\w+ regular$/m);
    expect(await cli.out('buildx', 'du')).toMatch(/^ID +RECLAIMABLE +SIZE +LAST ACCESSED\n[\s\S]*^Total: +\d/m);
    expect(await cli.out('builder', 'du', '--verbose')).toMatch(/^Description: +.*RUN \["\/busybox.wasm"/m);
    expect(await cli.out('system', 'df', '--format', '{{.Type}} {{.TotalCount}}')).toMatch(/^Build Cache [1-9]\d*$/m);
    expect(await cli.out('system', 'df', '-v')).toMatch(/^CACHE ID +CACHE TYPE/m);
    expect(await cli.out('builder', 'prune', '-af')).toMatch(
      /^Deleted build cache objects:\n[\s\S]*\nTotal reclaimed space: \d/,
    );
    expect(await cli.out('builder', 'du', '--format', '{{.ID}}')).toBe('');
    expect(await cli.out('image', 'inspect', '-f', '{{.RepoTags}}', 'app:1')).toContain('app:1');
    expect((await cli.run(['builder', 'prune', '-f', '--filter', 'nosuch=x'])).stderr).toMatch(/^wctr: invalid filter/);
  });
});
