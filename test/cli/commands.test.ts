/** The commands around `run`: what they print, with which code they end, and that other tools read what they write. */
import { execFile, execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { COMMANDS, type CommandEntry } from '../../src/cli/commands.ts';
import { busyboxLayout, type Cli, openCli } from '../support/cli.ts';
import { guestBytes } from '../support/guests.ts';
import { peer } from '../support/peers.ts';
import { buildImage, serve, tarOf } from '../support/registry-images.ts';
import { FakeRegistry } from '../support/registry-server.ts';

let cli: Cli;
let registry: FakeRegistry;
beforeAll(async () => {
  cli = openCli();
  registry = await new FakeRegistry().listen();
  serve(registry, 'team/app', '1', buildImage({ layers: [{ 'a.txt': 'one' }, { 'b.txt': 'two' }] }));
  const layout = await busyboxLayout(cli.dir);
  expect(await cli.run(['load', '-i', layout])).toEqual({
    code: 0,
    stdout: 'Loaded image: busybox:test\n',
    stderr: '',
  });
});
afterAll(async () => {
  await registry.close();
  cli.remove();
});

const out = (...args: string[]) => cli.out(...args);
const lines = async (...args: string[]) => (await out(...args)).trimEnd().split('\n');

describe('wctr pull', () => {
  it('prints plain lines without a terminal, and the name on standard output', async () => {
    const { code, stdout, stderr } = await cli.run(['pull', `${registry.host}/team/app:1`]);
    expect({ code, stdout }).toEqual({ code: 0, stdout: `${registry.host}/team/app:1\n` });
    const told = stderr.trimEnd().split('\n');
    expect(told[0]).toBe('1: Pulling from team/app');
    expect(told.filter((line) => /^[0-9a-f]{12}: Pull complete$/.test(line))).toHaveLength(2);
    expect(told.at(-2)).toMatch(/^Digest: sha256:[0-9a-f]{64}$/);
    expect(told.at(-1)).toBe(`Status: Downloaded newer image for ${registry.host}/team/app:1`);
    expect(stderr).not.toContain('\u001b');
  });

  it('says so when there is nothing new, and nothing with -q', async () => {
    const again = await cli.run(['pull', `${registry.host}/team/app:1`]);
    expect(again.stderr.trimEnd().split('\n').at(-1)).toBe(
      `Status: Image is up to date for ${registry.host}/team/app:1`,
    );
    expect(await out('pull', '-q', `${registry.host}/team/app:1`)).toBe(`${registry.host}/team/app:1\n`);
  });
});

describe('wctr images', () => {
  it('prints a table', async () => {
    const [head, ...rows] = await lines('images');
    expect(head).toMatch(/^REPOSITORY {3,}TAG {3,}IMAGE ID {3,}CREATED {3,}SIZE$/);
    expect(rows.find((row) => row.startsWith('busybox'))).toMatch(
      /^busybox {3,}test {3,}[0-9a-f]{12} {3,}\d+ months ago {3,}[\d.]+[kM]B$/,
    );
    expect((await lines('images', '--digests'))[0]).toMatch(/TAG {3,}DIGEST {3,}IMAGE ID/);
    expect(await lines('image', 'ls', '-q')).toEqual(await lines('images', '-q'));
  });

  it('filters by repository, tag and pattern', async () => {
    const names = (...args: string[]) => lines('images', '--format', '{{.Repository}}:{{.Tag}}', ...args);
    expect(await names('busybox')).toEqual(['busybox:test']);
    expect(await names('busybox:test')).toEqual(['busybox:test']);
    expect(await names('busybox:other')).toEqual(['']);
    expect(await names('busy*')).toEqual(['busybox:test']);
  });

  it('prints ids, JSON and templates', async () => {
    const [id] = await lines('images', '-q', 'busybox');
    const [whole] = await lines('images', '-q', '--no-trunc', 'busybox');
    expect(whole).toMatch(new RegExp(`^sha256:${id}[0-9a-f]{52}$`));
    const row = JSON.parse(await out('images', '--format', 'json', 'busybox'));
    expect(row).toMatchObject({ Repository: 'busybox', Tag: 'test', ID: id, Platform: 'wasip1/wasm' });
    expect(await out('images', '--format', '{{.Repository | upper}}\\t{{printf "%6s" .Tag}}', 'busybox')).toBe(
      'BUSYBOX\t  test\n',
    );
  });
});

describe('wctr image inspect, history, tag, rm, prune', () => {
  it('inspects by name and by the start of the id', async () => {
    const [document] = JSON.parse(await out('image', 'inspect', 'busybox:test'));
    expect(document).toMatchObject({
      RepoTags: ['busybox:test'],
      Architecture: 'wasm',
      Os: 'wasip1',
      Config: { Entrypoint: ['/busybox.wasm'] },
      RootFS: { Type: 'layers', Layers: [expect.stringMatching(/^sha256:/)] },
    });
    const [id] = await lines('images', '-q', 'busybox');
    expect(await out('inspect', '-f', '{{.Id}} {{index .Config.Entrypoint 0}}', id!)).toBe(
      `${document.Id} /busybox.wasm\n`,
    );
  });

  it('prints what it found and fails for what is missing', async () => {
    const { code, stdout, stderr } = await cli.run([
      'image',
      'inspect',
      '-f',
      '{{.Os}}',
      'busybox:test',
      'busbox:test',
    ]);
    expect({ code, stdout }).toEqual({ code: 1, stdout: 'wasip1\n' });
    expect(stderr).toBe('wctr: no such image: busbox:test\nhint: did you mean busybox:test?\n');
  });

  it('shows the history', async () => {
    const rows = await lines('image', 'history', 'busybox:test');
    expect(rows[0]).toMatch(/^IMAGE +CREATED +CREATED BY +SIZE +COMMENT$/);
    expect(rows[1]).toContain('COPY busybox.wasm /busybox.wasm');
    expect(await out('history', '--format', '{{.CreatedBy}}', 'busybox:test')).toBe(
      'COPY busybox.wasm /busybox.wasm\n',
    );
  });

  it('tags, untags, and deletes with the last name', async () => {
    await out('tag', 'busybox:test', 'team/box:1');
    await out('tag', 'busybox:test', 'team/box');
    expect(await out('rmi', 'team/box:1', 'team/box')).toBe('Untagged: team/box:1\nUntagged: team/box:latest\n');
    const tar = join(cli.dir, 'one.tar');
    writeFileSync(tar, tarOf({ 'a.txt': 'only here' }));
    const [id] = await lines('import', tar, 'single:1');
    const removed = await lines('image', 'rm', 'single:1');
    expect(removed[0]).toBe('Untagged: single:1');
    expect(removed).toContain(`Deleted: ${id}`);
    expect(await cli.run(['run', '--rm', '--pull', 'never', 'single:1'])).toMatchObject({ code: 125 });
  });

  it('refuses to remove what a container uses', async () => {
    await out('run', '--name', 'user', 'busybox:test', 'hello');
    const { code, stderr } = await cli.run(['rmi', 'busybox:test']);
    expect(code).toBe(1);
    expect(stderr).toMatch(/^wctr: .*busybox:test.*container/);
    expect((await lines('images', '-q', 'busybox')).length).toBe(1);
  });

  it('forgets a container with --rm whose wctr was killed', async () => {
    const args = [...wctr(), 'run', '--rm', '--cidfile', join(cli.dir, 'killed'), 'busybox:test', 'loop'];
    const child = spawn(process.execPath, args, { env: env(), stdio: ['ignore', 'pipe', 'inherit'] });
    await new Promise((resolve) => child.stdout.once('data', resolve));
    const id = readFileSync(join(cli.dir, 'killed'), 'utf8');
    expect(await out('inspect', '-f', '{{.Id}}', id)).toBe(`${id}\n`);
    child.kill('SIGKILL');
    await new Promise((resolve) => child.once('exit', resolve));
    expect(await out('ps', '-aq', '--no-trunc')).not.toContain(id);
    expect(await cli.run(['inspect', id])).toMatchObject({ code: 1 });
  });

  it('prunes images without a name, and asks first', async () => {
    const tar = join(cli.dir, 'dangling.tar');
    writeFileSync(tar, tarOf({ 'a.txt': 'nameless' }));
    const [id] = await lines('import', tar);
    expect(await lines('images', '-aq', '--no-trunc')).toContain(id);
    const asked = await cli.run(['image', 'prune'], { input: 'n\n' });
    expect(asked.stderr).toBe('This removes all images without a name. Continue? [y/N] ');
    expect(await lines('images', '-aq', '--no-trunc')).toContain(id);
    const answered = await cli.run(['image', 'prune'], { input: 'y\n' });
    expect(answered.stdout).toMatch(new RegExp(`Deleted: ${id}\n(.*\n)*Total reclaimed space: [\\d.]+k?B\n$`));
    expect(await lines('images', '-aq', '--no-trunc')).not.toContain(id);
  });
});

describe('wctr save, load, import', () => {
  it('round trip by file and by pipe, byte for byte', async () => {
    const digest = () => out('images', '--format', '{{.ID}} {{.Digest}}', '--no-trunc', 'busybox:test');
    const before = await digest();
    await out('save', '-o', 'busybox.tar', 'busybox:test');
    const piped = execFileSync(process.execPath, [...wctr(), 'save', 'busybox:test'], {
      env: env(),
      maxBuffer: 1 << 26,
    });
    expect(piped.equals(readFileSync(join(cli.dir, 'busybox.tar')))).toBe(true);
    const other = openCli();
    try {
      const loaded = await other.run(['load'], { input: piped });
      expect(loaded).toEqual({ code: 0, stdout: 'Loaded image: busybox:test\n', stderr: '' });
      const after = await other.run(['images', '--format', '{{.ID}} {{.Digest}}', '--no-trunc', 'busybox:test']);
      expect(after.stdout).toBe(before);
      expect((await other.run(['run', '--rm', 'busybox:test', 'hello'])).stdout).toBe('Hello from the guest\n');
    } finally {
      other.remove();
    }
  });

  it.skipIf(!peer('skopeo'))(
    'skopeo reads the archive as docker-archive and oci-archive, and wctr what it makes',
    async () => {
      await out('save', '-o', 'for-skopeo.tar', 'busybox:test');
      const skopeo = (...args: string[]) =>
        promisify(execFile)(peer('skopeo')!, ['--insecure-policy', ...args], { cwd: cli.dir });
      const id = (await out('images', '-q', '--no-trunc', 'busybox:test')).trim();
      for (const from of ['docker-archive:for-skopeo.tar:busybox:test', 'oci-archive:for-skopeo.tar']) {
        const { stdout } = await skopeo('inspect', '--raw', '--config', from);
        expect(JSON.parse(stdout).config.Entrypoint).toEqual(['/busybox.wasm']);
      }
      await skopeo('copy', '-q', 'oci-archive:for-skopeo.tar', 'docker-archive:copied.tar:copied:1');
      await skopeo('copy', '-q', 'docker-archive:for-skopeo.tar:busybox:test', 'oci:copied-layout:two');
      expect(await out('load', '-i', 'copied.tar')).toBe('Loaded image: copied:1\n');
      expect(await out('load', '-i', 'copied-layout')).toMatch(/^Loaded image( ID)?: /);
      expect(await out('run', '--rm', 'copied:1', 'hello')).toBe('Hello from the guest\n');
      expect(id).toMatch(/^sha256:/);
    },
  );

  it('imports a root file system with changes', async () => {
    const dir = join(cli.dir, 'rootfs');
    mkdirSync(join(dir, 'etc'), { recursive: true });
    writeFileSync(join(dir, 'app.wasm'), guestBytes('busybox'));
    writeFileSync(join(dir, 'etc', 'passwd'), 'app:x:1000:50::/:/bin/sh\n');
    execFileSync('tar', ['-cf', 'rootfs.tar', '-C', dir, '.'], { cwd: cli.dir });
    const changes = [
      'ENTRYPOINT ["/app.wasm"]',
      'CMD ["args", "by default"]',
      'ENV A=1 B="2 3"',
      'LABEL x=y',
      'USER app',
    ];
    await out('import', ...changes.flatMap((change) => ['-c', change]), '-m', 'made here', 'rootfs.tar', 'imported:1');
    expect(await out('run', '--rm', 'imported:1')).toBe('/app.wasm\nargs\nby default\n');
    expect(await lines('run', '--rm', 'imported:1', 'env')).toEqual(expect.arrayContaining(['A=1', 'B=2 3']));
    expect(
      await out('image', 'inspect', '-f', '{{.Config.User}} {{.Comment}} {{json .Config.Labels}}', 'imported:1'),
    ).toBe('app made here {"x":"y"}\n');
  });
});

describe('wctr version, info, system df', () => {
  it('version', async () => {
    const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'));
    expect(await out('--version')).toBe(`wctr version ${version}\n`);
    expect(await out('version', '-f', '{{.Version}}')).toBe(`${version}\n`);
    expect(JSON.parse(await out('version', '-f', 'json'))).toMatchObject({ Version: version });
    expect(await out('version', '-f', '{{.Client.Version}} {{.Server.ApiVersion}}')).toBe(`${version} 1.51\n`);
    const head = `Client: wctr\n Version:           ${version}\n API version:       1.51\n\nServer: wctr\n Engine:\n`;
    expect(await out('version')).toContain(
      `${head}  Version:          ${version}\n  API version:      1.51 (minimum version 1.24)\n`,
    );
  });

  it('info', async () => {
    expect(await out('info', '-f', '{{.DockerRootDir}}')).toBe(`${join(cli.dir, 'store')}\n`);
    const images = new Set(await lines('images', '-aq'));
    expect(JSON.parse(await out('info', '-f', 'json')).Images).toBe(images.size);
    const shown = await out('info');
    expect(shown).toMatch(
      /^Client: wctr\n Version: [\d.]+\n\nServer:\n Containers: \d+\n {2}Running: 0\n {2}Paused: 0\n/,
    );
    expect(shown).toMatch(/\n Plugins:\n {2}Volume: local memfs\n {2}Network: bridge host null\n/);
    expect(shown).toMatch(/\n Total Memory: [\d.]+[MGT]iB\n/);
    expect(shown).toContain(`\n Docker Root Dir: ${join(cli.dir, 'store')}\n`);
  });

  it('system df', async () => {
    const rows = await lines('system', 'df');
    expect(rows[0]).toMatch(/^TYPE +TOTAL +ACTIVE +SIZE +RECLAIMABLE$/);
    expect(rows.slice(1).map((row) => row.split(/ {2,}/)[0])).toEqual([
      'Images',
      'Containers',
      'Local Volumes',
      'Build Cache',
    ]);
    const [images] = await lines('system', 'df', '--format', '{{.Type}} {{.TotalCount}}');
    expect(images).toBe(`Images ${new Set(await lines('images', '-aq')).size}`);
  });
});

const ALL: [string, CommandEntry][] = Object.entries(COMMANDS).flatMap(([name, entry]) =>
  typeof entry.load === 'function'
    ? [[name, entry as CommandEntry] as [string, CommandEntry]]
    : Object.entries(entry as Record<string, CommandEntry>).map(
        ([inner, command]) => [`${name} ${inner}`, command] as [string, CommandEntry],
      ),
);

describe('help', () => {
  it.each(ALL.map(([name]) => name))('%s --help shows its usage, flags and examples', async (name) => {
    const help = await out(...name.split(' '), '--help');
    const { flags, examples } = await ALL.find(([other]) => other === name)![1].load();
    expect(help).toContain(`wctr ${name}`);
    expect(examples.length).toBeGreaterThan(0);
    for (const example of examples) expect(help).toContain(`$ ${example}`);
    // Those that are refused are in no help.
    for (const { name: flag, isHidden = false } of flags) expect(help.includes(`--${flag} `)).toBe(!isHidden);
    expect(help).toMatch(/Examples:\n/);
  });

  it('lists every command, for `help`, `--help` and nothing at all', async () => {
    const help = await out('--help');
    for (const name of Object.keys(COMMANDS)) expect(help).toMatch(new RegExp(`^ {2}${name} +\\S`, 'm'));
    expect(await out('help')).toBe(help);
    expect(await out()).toBe(help);
    expect(await out('help', 'pull')).toBe(await out('pull', '--help'));
    expect(await out('image')).toMatch(/^ {2}prune +Remove unused images$/m);
  });

  it.each([
    [['rnu'], "wctr: 'rnu' is not a wctr command\nhint: did you mean 'wctr run'?\n"],
    [['image', 'inspet'], "wctr: 'inspet' is not a wctr image command\nhint: did you mean 'wctr image inspect'?\n"],
    [['frobnicate'], "wctr: 'frobnicate' is not a wctr command\nhint: see 'wctr --help'\n"],
    [['images', '--digest'], 'wctr: unknown flag: --digest\nhint: did you mean --digests?\n'],
    [
      ['images', 'a', 'b'],
      'wctr: "wctr images" requires at most 1 argument\nhint: usage: wctr images [REPOSITORY[:TAG]]\n',
    ],
    [
      ['tag', 'a'],
      'wctr: "wctr tag" requires exactly 2 arguments\nhint: usage: wctr tag SOURCE_IMAGE[:TAG] TARGET_IMAGE[:TAG]\n',
    ],
  ])('%j', async (args, stderr) => {
    // docker's: a flag nobody knows is 125, an unknown command or a wrong number of arguments 1.
    expect(await cli.run(args)).toEqual({ code: stderr.includes('unknown flag') ? 125 : 1, stdout: '', stderr });
  });
});

describe('wctr completion', () => {
  it('completes commands, flags and images in bash', async () => {
    writeFileSync(join(cli.dir, 'completion.bash'), await out('completion', 'bash'));
    const bin = join(cli.dir, 'bin');
    mkdirSync(bin);
    writeFileSync(join(bin, 'wctr'), `#!/bin/sh\nexec '${process.execPath}' '${wctr()[0]}' "$@"\n`, { mode: 0o755 });
    const complete = async (...words: string[]) => {
      const script = `source completion.bash
        COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)); COMP_LINE="$*" COMP_POINT=\${#COMP_LINE}
        _wctr; printf '%s\\n' "\${COMPREPLY[@]}"`;
      const { stdout } = await promisify(execFile)('bash', ['-c', script, 'bash', 'wctr', ...words], {
        cwd: cli.dir,
        env: { ...env(), PATH: `${bin}:${process.env.PATH}` },
      });
      return stdout.trimEnd().split('\n');
    };
    expect(await complete('im')).toEqual(['images', 'image', 'import']);
    expect(await complete('image', 'pr')).toEqual(['prune']);
    expect(await complete('run', '--read')).toEqual(['--read-only']);
    expect(await complete('run', '--rm', 'busy')).toEqual(['busybox:test']);
    expect(await complete('image', 'rm', 'busy')).toEqual(['busybox:test']);
  });

  it.each(['bash', 'zsh', 'fish'])('writes a script for %s', async (shell) => {
    const script = await out('completion', shell);
    expect(script).toContain('prune');
    expect(script).not.toContain('undefined');
  });

  it('knows no other shell', async () => {
    expect(await cli.run(['completion', 'tcsh'])).toEqual({
      code: 125,
      stdout: '',
      stderr: 'wctr: no completion for "tcsh"\nhint: write bash, zsh or fish\n',
    });
  });
});

function wctr(): [string] {
  return [new URL('../../dist/bin/wctr.cjs', import.meta.url).pathname];
}

function env(): Record<string, string> {
  expect(existsSync(join(cli.dir, 'store'))).toBe(true);
  return { PATH: process.env.PATH!, HOME: cli.dir, WCTR_DATA_ROOT: join(cli.dir, 'store') };
}
