/** The docker CLI with buildx, unchanged, against `wctr daemon`: BuildKit's door from the client's side. */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Answer, startDaemon, type TestDaemon } from '../support/daemon.ts';
import { peer } from '../support/peers.ts';

const docker = peer('docker');
const buildx = peer('docker-buildx');

/** Where the client looks for its plugins. */
function installBuildx(daemon: TestDaemon): void {
  const plugins = join(daemon.env.DOCKER_CONFIG!, 'cli-plugins');
  mkdirSync(plugins, { recursive: true });
  symlinkSync(buildx!, join(plugins, 'docker-buildx'));
}

describe.skipIf(docker === undefined || buildx === undefined)('docker build with buildx', () => {
  let daemon: TestDaemon;

  beforeAll(async () => {
    daemon = await startDaemon();
    installBuildx(daemon);
  }, 60_000);

  afterAll(() => daemon?.stop());

  /** A context of its own, made of these files. */
  function context(name: string, files: Readonly<Record<string, string>>): string {
    const dir = join(daemon.dir, name);
    for (const [path, text] of Object.entries(files)) {
      mkdirSync(join(dir, path, '..'), { recursive: true });
      writeFileSync(join(dir, path), text);
    }
    return dir;
  }

  const build = (line: string): Promise<Answer> => daemon.shell(`docker build --progress=plain ${line}`);

  it('finds one builder of the platform wasi/wasm', async () => {
    const { stdout, stderr } = await daemon.shell('docker buildx inspect');
    expect(stderr).toBe('');
    expect(stdout).toMatch(/Driver: +docker/);
    expect(stdout).toMatch(/Platforms: +wasi\/wasm/);
  });

  it('builds a directory, without what .dockerignore leaves out, and runs the image', async () => {
    const dir = context('plain', {
      Dockerfile:
        'FROM box AS one\nRUN ["/busybox.wasm", "write", "/made", "by RUN"]\nFROM box\nCOPY --from=one /made /\nCOPY . /app\nENV A=b\n',
      '.dockerignore': 'secret*\n!secret-not\n',
      'secret-key': 'no',
      'secret-not': 'yes',
      'deep/er/file': 'found',
    });
    const { code, stderr } = await build(`-t plain ${dir}`);
    expect(stderr).toMatch(/\[internal\] load build definition from Dockerfile/);
    expect(stderr).toMatch(/transferring context: /);
    expect(stderr).toMatch(/naming to docker.io\/library\/plain:latest/);
    expect(code).toBe(0);
    const run = async (path: string) => (await daemon.shell(`docker run --rm plain read ${path}`)).stdout;
    expect(await run('/made')).toBe('by RUN');
    expect(await run('/app/deep/er/file')).toBe('found');
    expect(await run('/app/secret-not')).toBe('yes');
    expect((await daemon.shell('docker run --rm plain ls /app')).stdout).not.toContain('secret-key');
    const again = await build(`-t plain ${dir}`);
    expect(again.stderr.match(/^#\d+ CACHED$/gm)?.length).toBeGreaterThanOrEqual(3);
  });

  it('sees a file that has changed', async () => {
    const dir = context('changed', { Dockerfile: 'FROM box\nCOPY file /file\n', file: 'before' });
    expect((await build(`-t changed ${dir}`)).code).toBe(0);
    writeFileSync(join(dir, 'file'), 'behind');
    expect((await build(`-t changed ${dir}`)).code).toBe(0);
    expect((await daemon.shell('docker run --rm changed read /file')).stdout).toBe('behind');
  });

  it('takes arguments, labels, targets and named contexts', async () => {
    const other = context('other', { 'a file': 'of the other' });
    const dir = context('options', {
      'sub/Dockerfile.x':
        'FROM box AS wanted\nARG WHO=nobody\nENV WHO=$WHO\nCOPY --from=other ["a file", "/file"]\nFROM nowhere-at-all\n',
    });
    const options = `--build-arg WHO=me --label a.b=c --target wanted --build-context other=${other} --no-cache`;
    const { code, stderr } = await build(`${options} -f ${dir}/sub/Dockerfile.x -t options -t options:two ${dir}`);
    expect(stderr).toContain('[context other] load from client');
    expect(code).toBe(0);
    expect((await daemon.shell('docker run --rm options:two read /file')).stdout).toBe('of the other');
    const config = JSON.parse((await daemon.shell('docker image inspect options')).stdout)[0].Config;
    expect(config.Env).toContain('WHO=me');
    expect(config.Labels).toEqual({ 'a.b': 'c' });
  });

  it('mounts a secret of the client, and keeps it nowhere', async () => {
    const dir = context('secrets', {
      Dockerfile:
        'FROM box\nRUN --mount=type=secret,id=token ["/busybox.wasm", "read", "/run/secrets/token"]\nRUN --mount=type=secret,id=other,required ["/busybox.wasm", "read", "/run/secrets/other"]\n',
      token: 'hush-hush-4711',
    });
    const { code, stderr } = await build(`--secret id=token,src=${dir}/token ${dir}`);
    // Shown because the program printed it.
    expect(stderr).toContain('hush-hush-4711');
    expect(stderr).toMatch(/other.*(not found|no secret)|secret.*other/i);
    expect(code).not.toBe(0);
    const { stdout } = await daemon.shell('grep -rl hush-hush-4711 "$WCTR_DATA_ROOT" || true');
    const found = stdout.trim();
    expect(found).toBe('');
  });

  it('shows the place of a mistake, and of a program that failed', async () => {
    const dir = context('mistakes', {
      Dockerfile: 'FROM box\nRUNN x\n',
      Failing: 'FROM box\n\nRUN ["/busybox.wasm", "exit", "3"]\n',
    });
    const mistake = await build(dir);
    expect(mistake.code).toBe(1);
    expect(mistake.stderr).toContain('>>> RUNN x');
    expect(mistake.stderr).toContain('unknown instruction: RUNN');
    const failing = await build(`-f ${dir}/Failing ${dir}`);
    expect(failing.code).toBe(1);
    expect(failing.stderr).toContain('>>> RUN ["/busybox.wasm", "exit", "3"]');
    expect(failing.stderr).toContain('exit code: 3');
    const missing = await build(`-f ${dir}/nothing ${dir}`);
    expect(missing.code).toBe(1);
    expect(missing.stderr).toMatch(/no such file or directory/);
  });

  it('checks a Dockerfile without building it', async () => {
    const dir = context('checked', { Dockerfile: 'FROM box as Base\nENV a b\n' });
    const { code, stdout } = await daemon.shell(`docker build --check ${dir}`);
    expect(code).toBe(1);
    expect(stdout).toContain('Check complete, 3 warnings have been found!');
    expect(stdout).toContain(
      'WARNING: LegacyKeyValueFormat - https://docs.docker.com/go/dockerfile/rule/legacy-key-value-format/',
    );
    expect(stdout).toContain('>>> ENV a b');
    writeFileSync(join(dir, 'Dockerfile'), 'FROM box\nENV a=b\n');
    expect((await daemon.shell(`docker build --check ${dir}`)).stdout).toBe('Check complete, no warnings found.\n');
  });

  it('writes what was built to the client: a directory, a tar, an OCI layout', async () => {
    const dir = context('outputs', {
      Dockerfile: 'FROM scratch\nCOPY --chmod=640 a /one/two/a\nCOPY b /b\n',
      a: 'the file a',
      b: 'x'.repeat(300_000),
    });
    const out = join(daemon.dir, 'out');
    const local = await build(`--output type=local,dest=${out} ${dir}`);
    expect(local.stderr).toContain('DONE');
    expect(local.code).toBe(0);
    expect(readFileSync(join(out, 'one/two/a'), 'utf8')).toBe('the file a');
    expect(statSync(join(out, 'one/two/a')).mode & 0o777).toBe(0o640);
    expect(readFileSync(join(out, 'b'), 'utf8')).toBe('x'.repeat(300_000));
    expect(readdirSync(out).sort()).toEqual(['b', 'one']);
    expect((await build(`--output type=tar,dest=${out}.tar ${dir}`)).code).toBe(0);
    expect(execFileSync('tar', ['-xOf', `${out}.tar`, 'one/two/a'], { encoding: 'utf8' })).toBe('the file a');
    expect((await build(`--output type=oci,dest=${out}.oci -t outputs ${dir}`)).code).toBe(0);
    expect(
      JSON.parse(execFileSync('tar', ['-xOf', `${out}.oci`, 'index.json'], { encoding: 'utf8' })).schemaVersion,
    ).toBe(2);
  });

  it('ends a build whose client goes', async () => {
    const dir = context('endless', { Dockerfile: 'FROM box\nRUN ["/busybox.wasm", "sleep", "1000000000000"]\n' });
    const { code, stderr } = await daemon.shell(`timeout -s INT 5 docker build --progress=plain ${dir}`);
    expect(stderr).toContain('RUN ["/busybox.wasm", "sleep", "1000000000000"]');
    expect(code).not.toBe(0);
    const left = async () =>
      (await daemon.shell('ps -eo args')).stdout.split('\n').filter((line) => line.includes('1000000000000'));
    await expect.poll(left, { timeout: 10_000 }).toEqual([]);
  });

  it('tells ids, digests and names of what it built', async () => {
    const dir = context('told', { Dockerfile: 'FROM scratch\nCOPY Dockerfile /\n' });
    const { stdout } = await daemon.shell(
      `docker build -q --iidfile ${dir}/id --metadata-file ${dir}/meta -t told ${dir}`,
    );
    const id = (await daemon.shell('docker image inspect -f {{.Id}} told')).stdout.trim();
    expect(stdout.trim()).toBe(id);
    expect(readFileSync(join(dir, 'id'), 'utf8')).toBe(id);
    const metadata = JSON.parse(readFileSync(join(dir, 'meta'), 'utf8'));
    expect(metadata['containerimage.config.digest']).toBe(id);
    expect(metadata['containerimage.digest']).toMatch(/^sha256:/);
  });

  it('reads a Dockerfile, or a whole context, from standard input', async () => {
    const dir = context('piped', { Dockerfile: 'FROM box\nCOPY file /file\n', file: 'through a pipe' });
    const tar = await daemon.shell(`tar -C ${dir} -c . | docker build --progress=plain -t piped -`);
    expect(tar.stderr).toContain('piped');
    expect(tar.code).toBe(0);
    expect((await daemon.shell('docker run --rm piped read /file')).stdout).toBe('through a pipe');
    const alone = await daemon.shell('docker build --progress=plain -t alone -', {
      input: 'FROM box\nLABEL alone=yes\n',
    });
    expect(alone.code).toBe(0);
  });

  it('bakes several targets at once', async () => {
    const dir = context('baked', {
      Dockerfile: 'FROM scratch\nARG X\nENV X=$X\nCOPY Dockerfile /\n',
      'bake.hcl':
        'group "default" { targets = ["x", "y"] }\ntarget "x" { tags = ["baked-x"] }\ntarget "y" {\n tags = ["baked-y"]\n args = { X = "2" }\n}\n',
    });
    const { code, stderr } = await daemon.shell(`cd ${dir} && docker buildx bake -f bake.hcl`);
    // Its session goes through a call.
    expect(stderr).not.toContain('http2:');
    expect(code).toBe(0);
    const [config] = JSON.parse((await daemon.shell('docker image inspect baked-y')).stdout);
    expect(config.Config.Env).toContain('X=2');
    expect((await daemon.shell('docker image inspect baked-x')).code).toBe(0);
  });

  it('shows and prunes the cache', async () => {
    const dir = context('pruned', { Dockerfile: 'FROM scratch\nCOPY Dockerfile /pruned\n' });
    await build(`-t pruned ${dir}`);
    const usage = await daemon.shell('docker buildx du');
    expect(usage.stdout).toMatch(/RECLAIMABLE/);
    expect(usage.stdout).not.toMatch(/Total:\s+0B/);
    expect((await daemon.shell('docker builder prune -af')).code).toBe(0);
    expect((await daemon.shell('docker buildx du')).stdout).toMatch(/Total:\s+0B/);
  });

  it('falls back to the classic builder where there is no buildx', async () => {
    const dir = context('classic', { Dockerfile: 'FROM scratch\nCOPY Dockerfile /\n' });
    const { code, stderr } = await daemon.shell(`DOCKER_CONFIG=${dir} docker build -t classic ${dir}`);
    expect(stderr).toContain('Install the buildx component');
    expect(code).toBe(0);
  });

  it('leaves no spooled file behind', () => {
    const tmp = join(daemon.env.WCTR_DATA_ROOT!, 'tmp');
    expect(existsSync(tmp) ? readdirSync(tmp).filter((name) => name.startsWith('spool-')) : []).toEqual([]);
  });
});

describe.each([
  ['deno', ['run', '-A']],
  ['bun', []],
])('docker build with buildx and a daemon of %s', (name, flags) => {
  const runtime = peer(name);

  it.skipIf(docker === undefined || buildx === undefined || runtime === undefined)(
    'builds, copies to the client, and shows a mistake',
    { timeout: 60_000 },
    async () => {
      const daemon = await startDaemon([], [runtime!, ...flags]);
      try {
        installBuildx(daemon);
        const dir = join(daemon.dir, 'context');
        mkdirSync(join(dir, 'deep'), { recursive: true });
        writeFileSync(join(dir, 'deep/file'), 'found');
        writeFileSync(join(dir, 'Dockerfile'), 'FROM scratch\nCOPY deep /copied\n');
        const built = await daemon.shell(`docker build -t tagged -o type=local,dest=${dir}/out ${dir}`);
        expect(built.stderr).toContain('COPY deep /copied');
        expect(readFileSync(join(dir, 'out/copied/file'), 'utf8')).toBe('found');
        writeFileSync(join(dir, 'Dockerfile'), 'FROM scratch\nCOPPY deep /copied\n');
        expect((await daemon.shell(`docker build ${dir}`)).stderr).toContain('>>> COPPY deep /copied');
      } finally {
        await daemon.stop();
      }
    },
  );
});
