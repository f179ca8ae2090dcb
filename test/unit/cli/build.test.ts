/** `wctr build`: what a line asks the engine for, what it prints, and what is wrong with a line. */
import { describe, expect, it } from 'vitest';
import { BUILD_FLAGS } from '../../../src/cli/build/flags.ts';
import { readBuildLine } from '../../../src/cli/build/request.ts';
import { parseFlags } from '../../../src/cli/flags.ts';
import type { BuildRequest } from '../../../src/engine/builds.ts';
import { WctrError } from '../../../src/errors.ts';
import type { SolveStatus } from '../../../src/spec/build-progress.ts';
import { type CliSetup, runLine, testContext } from '../../support/cli-context.ts';
import { fakeEngine } from '../../support/fake-engine.ts';

const FILES = {
  '/cwd/app/Dockerfile': 'FROM scratch\nCOPY a /a\n',
  '/cwd/app/docker/Other': 'FROM scratch\n',
  '/cwd/app/.dockerignore': 'b\n',
  '/cwd/Outside': 'FROM scratch\n',
  '/cwd/Outside.dockerignore': 'c\n',
  '/cwd/token': 'hush',
};
const DIRECTORIES = new Set(['/cwd/app', '/cwd/app/docker', '/cwd/empty']);

function setup(more: CliSetup = {}): CliSetup {
  const absolute = (path: string) => (path.startsWith('/') ? path : `/cwd/${path}`).replace(/\/$/, '');
  return {
    files: FILES,
    ...more,
    host: {
      kind: async (path) => {
        const at = absolute(path);
        return DIRECTORIES.has(at) ? 'directory' : Object.hasOwn(FILES, at) ? 'file' : undefined;
      },
      realPath: async (path) => absolute(path),
      readFile: async (path) => new TextEncoder().encode((FILES as Record<string, string>)[absolute(path)]),
      ...more.host,
    },
  };
}

async function* chunks(...texts: (string | Uint8Array)[]): AsyncGenerator<Uint8Array> {
  for (const text of texts) yield typeof text === 'string' ? new TextEncoder().encode(text) : text;
}

async function requestOf(line: readonly string[], more: CliSetup = {}): Promise<BuildRequest> {
  const { flags, args } = parseFlags(line, BUILD_FLAGS, true);
  return (await readBuildLine(testContext(setup(more)), args[0]!, flags)).request;
}

const ASKED: readonly (readonly [line: string, expected: Partial<BuildRequest>, more?: CliSetup])[] = [
  ['app', { context: { directory: '/cwd/app' }, dockerfile: { path: 'Dockerfile' }, tags: [], pull: false }],
  ['-f app/docker/Other app', { dockerfile: { path: 'docker/Other' } }],
  ['-f docker/Other app', { dockerfile: { path: 'docker/Other' } }],
  ['-f Outside app', { dockerfile: { text: 'FROM scratch\n', name: 'Outside' }, ignore: 'c\n' }],
  ['-f- app', { dockerfile: { text: 'FROM x\n', name: 'Dockerfile' } }, { stdin: chunks('FROM', ' x\n') }],
  ['-', { dockerfile: { text: 'FROM y\n', name: 'Dockerfile' } }, { stdin: chunks('FROM y\n') }],
  ['https://example.org/a.git#main:sub', { context: { address: 'https://example.org/a.git#main:sub' } }],
  ['git@example.org:a/b.git', { context: { address: 'git@example.org:a/b.git' } }],
  ['-t a -t b:1 --tag=c app', { tags: ['a', 'b:1', 'c'] }],
  ['--build-arg A=1 --build-arg B --build-arg C= app', { buildArgs: { A: '1', B: 'b', C: '' } }, { env: { B: 'b' } }],
  ['--build-arg NONE app', { buildArgs: { NONE: null } }],
  ['app', { buildArgs: { SOURCE_DATE_EPOCH: '7' } }, { env: { SOURCE_DATE_EPOCH: '7' } }],
  [
    '--build-arg SOURCE_DATE_EPOCH=8 app',
    { buildArgs: { SOURCE_DATE_EPOCH: '8' } },
    { env: { SOURCE_DATE_EPOCH: '7' } },
  ],
  ['--label a=b=c --label d app', { labels: { a: 'b=c', d: '' } }],
  ['--annotation index:a=b --annotation c=d app', { annotations: { 'index:a': 'b', c: 'd' } }],
  ['--target t --pull --reproducible app', { target: 't', pull: true, reproducible: true }],
  ['--no-cache app', { noCache: true }],
  ['--no-cache-filter a,b --no-cache-filter c app', { noCache: ['a', 'b', 'c'] }],
  ['--platform wasi/wasm,wasip1/wasm app', { platforms: ['wasi/wasm', 'wasip1/wasm'] }],
  ['--network none app', { network: 'none' }],
  ['-m 64m app', { memoryBytes: 64 << 20 }],
  ['--add-host a:1.2.3.4 --add-host b=[::1] app', { extraHosts: ['a:1.2.3.4', 'b:::1'] }],
  [
    '--build-context d=app --build-context i=docker-image://x:1 --build-context u=https://e.org/a.tar app',
    { contexts: { d: { directory: '/cwd/app' }, i: { image: 'x:1' }, u: { address: 'https://e.org/a.tar' } } },
  ],
  [
    '--cache-from x/y --cache-from type=local,src=cache --cache-to type=registry,ref=x/z,mode=max app',
    {
      cacheFrom: [
        { type: 'registry', reference: 'x/y' },
        { type: 'local', directory: '/cwd/cache' },
      ],
      cacheTo: [{ type: 'registry', reference: 'x/z', mode: 'max' }],
    },
  ],
  ['--provenance=true app', { provenance: 'min' }],
  ['--attest type=provenance,mode=max app', { provenance: 'max' }],
  ['--provenance=mode=max app', { provenance: 'max' }],
  ['--compression gzip app', { compression: 'gzip' }],
  ['-t a --push app', { outputs: [{ type: 'image', push: true }] }],
  ['-t a -o type=registry app', { outputs: [{ type: 'image', push: true }] }],
  ['-o type=image,"name=a,b",push=false app', { outputs: [{ type: 'image' }], tags: ['a', 'b'] }],
  ['-o type=docker app', { outputs: [{ type: 'image' }] }],
  ['-o type=cacheonly --load app', { outputs: [{ type: 'none' }, { type: 'image' }] }],
  ['--squash=false --rm --force-rm --compress app', { tags: [] }],
];

describe('what a line asks for', () => {
  for (const [line, expected, more] of ASKED) {
    it(line, async () => {
      expect(await requestOf(line.split(' '), more)).toMatchObject(expected);
    });
  }

  it('leaves out what would be nothing', async () => {
    const request = await requestOf(['--provenance=false', 'app']);
    for (const name of ['provenance', 'secret', 'outputs', 'network', 'platforms', 'target', 'memoryBytes']) {
      expect(request).not.toHaveProperty(name);
    }
  });

  it('takes a tar on standard input for the context, plain or compressed', async () => {
    for (const head of [
      [0x1f, 0x8b, 0x08],
      [0x42, 0x5a, 0x68],
      [0x28, 0xb5, 0x2f, 0xfd],
    ]) {
      const bytes = Uint8Array.from([...head, 1, 2, 3]);
      const { context, dockerfile } = await requestOf(['-f', 'x/Dockerfile', '-'], {
        stdin: chunks(bytes.slice(0, 2), bytes.slice(2)),
      });
      const read: number[] = [];
      for await (const chunk of (context as { tar: AsyncIterable<Uint8Array> }).tar) read.push(...chunk);
      expect(read).toEqual([...bytes]);
      expect(dockerfile).toEqual({ path: 'x/Dockerfile' });
    }
  });

  it('reads secrets when they are asked for', async () => {
    const more = { env: { TOKEN: 'from env', plain: 'by its name' } };
    const line = '--secret id=a,src=token --secret type=env,id=b,env=TOKEN --secret id=plain app';
    const { secret } = await requestOf(line.split(' '), more);
    const read = async (id: string) => new TextDecoder().decode(await secret?.(id));
    expect([await read('a'), await read('b'), await read('plain')]).toEqual(['hush', 'from env', 'by its name']);
    expect(await secret?.('other')).toBeUndefined();
  });
});

/** Each one line (and a hint), and docker's exit code. */
const WRONG: readonly (readonly [line: string, code: number, said: RegExp, more?: CliSetup])[] = [
  ['build', 1, /"wctr build" requires exactly 1 argument/],
  ['build a b', 1, /requires exactly 1 argument/],
  ['build nowhere', 1, /unable to prepare context: path "nowhere" not found/],
  ['build app/Dockerfile', 125, /is not a directory\nhint: did you mean: wctr build -f app\/Dockerfile \./],
  ['build empty', 1, /there is no Dockerfile in empty/],
  ['build -f none app', 1, /cannot locate Dockerfile: none: no such file/],
  ['build -f app/docker app', 125, /the Dockerfile is a directory/],
  ['build -f - -', 125, /can't use stdin for both build context and dockerfile/],
  ['build -f x -', 125, /standard input is no tar/, { stdin: chunks('FROM scratch\n') }],
  ['build -', 125, /the Dockerfile on standard input is empty/, { stdin: chunks() }],
  ['build -f https://example.org/Dockerfile app', 1, /the Dockerfile cannot be an address/],
  ['build --tagg x app', 125, /unknown flag: --tagg\nhint: did you mean --tag\?/],
  ['build -t', 125, /flag needs an argument: -t/],
  ['build --ssh default app', 1, /--ssh is not supported: no agent/],
  ['build --allow network.host app', 1, /--allow is not supported/],
  ['build --ulimit nofile=1 app', 1, /--ulimit is not supported/],
  ['build --squash app', 1, /--squash is not supported/],
  ['build -c 512 app', 1, /--cpu-shares is not supported/],
  ['build --progress fancy app', 125, /invalid progress mode "fancy"/],
  ['build --progress tty app', 125, /progress=tty needs a terminal/],
  ['build -q --progress plain app', 125, /cannot be used together/],
  ['build --network mynet app', 1, /network mode "mynet" is not supported by a build/],
  ['build -m lots app', 125, /invalid size "lots" for --memory/],
  ['build --add-host nope app', 125, /invalid value for --add-host: "nope"/],
  ['build --build-arg =x app', 125, /invalid build argument: "=x"/],
  ['build --build-context x app', 125, /invalid build context: "x"/],
  ['build --build-context x=oci-layout://y app', 1, /oci-layout: is not supported/],
  ['build --annotation x app', 125, /invalid annotation: "x"/],
  ['build --secret src=x app', 125, /--secret: id is missing/],
  ['build --secret id=x,src=gone app', 1, /secret "x": no such file: gone/],
  ['build --secret id=x,env=GONE app', 1, /the environment has no variable GONE/],
  ['build --secret id=x,foo=1 app', 125, /--secret: unknown field "foo"/],
  ['build --secret id=x,type=vault app', 125, /unsupported secret type "vault"/],
  ['build -o type=squashfs,dest=x app', 1, /type "squashfs" is not supported/],
  ['build -o type=local app', 125, /dest is required for local output/],
  ['build -o dest=x app', 125, /--output: type is required/],
  ['build -o type=oci,foo=bar app', 125, /--output: unknown field "foo"/],
  ['build -o type=oci,tar=maybe app', 125, /tar must be true or false/],
  ['build -o type=image,dest=x app', 125, /dest is not for image output/],
  ['build -o - -o type=oci app', 125, /only one output can go to standard output/],
  ['build -o type=oci,"dest=x app', 125, /a quote is not closed/],
  ['build --push app', 125, /tag is needed when pushing to registry/],
  ['build -t x --push -o dir app', 125, /push and "local" output can't be used together/],
  ['build --compression zstd app', 1, /--compression "zstd" is not supported/],
  ['build --cache-from type=gha app', 1, /type "gha" is not supported/],
  ['build --cache-from type=local app', 125, /src is required for type=local/],
  ['build --cache-to type=registry,ref=x,mode=all app', 125, /unknown mode "all"/],
  ['build --provenance=mode=some app', 125, /unknown mode "some"/],
  ['build --attest type=sbom app', 1, /type "sbom" is not supported/],
  ['build --call outline app', 1, /--call outline is not supported/],
  ['builder', 0, /^$/],
  ['builder prune --filter x', 125, /invalid filter "x"/],
];

describe('what is wrong with a line', () => {
  for (const [line, code, said, more] of WRONG) {
    it(line, async () => {
      const answer = await runLine(line.split(' '), setup(more));
      expect({ code: answer.code, stderr: answer.stderr }).toEqual({ code, stderr: expect.stringMatching(said) });
      const lines = answer.stderr.split('\n').filter((text) => text !== '');
      expect(lines.length).toBeLessThanOrEqual(2);
    });
  }

  it('refuses a terminal for what it reads and writes', async () => {
    const terminal = { height: 24, width: 80 };
    expect((await runLine(['build', '-'], setup({ terminal }))).stderr).toContain('standard input is a terminal');
    const tar = await runLine(['build', '-o', '-', 'app'], setup({ terminal }));
    expect(tar).toMatchObject({ code: 125, stderr: expect.stringContaining('cowardly refusing') });
  });
});

const ID = `sha256:${'ab'.repeat(32)}`;

function builds(build: (request: BuildRequest) => Promise<unknown>) {
  return fakeEngine({ builds: { build } }).engine;
}

const at = (ms: number) => new Date(1_700_000_000_000 + ms).toISOString();

describe('a build', () => {
  it('shows progress and warnings on standard error, and prints nothing else', async () => {
    const engine = builds(async ({ onStatus }) => {
      const name = '[1/1] RUN true';
      onStatus?.({ vertexes: [{ digest: 'sha256:1', name, started: at(0) }] });
      onStatus?.({
        logs: [{ vertex: 'sha256:1', stream: 1, data: new TextEncoder().encode('hi\n'), timestamp: at(5) }],
      });
      onStatus?.({ vertexes: [{ digest: 'sha256:1', name, started: at(0), completed: at(200) }] });
      onStatus?.({ warnings: [{ vertex: 'sha256:1', short: 'Rule: wrong (line 1)' }] });
      return { imageId: ID, references: ['x:latest'] };
    });
    const answer = await runLine(['build', 'app'], setup({ engine }));
    expect(answer.stdout).toBe('');
    expect(answer.stderr.split('\n')).toEqual([
      '#1 [1/1] RUN true',
      '#1 0.005 hi',
      '#1 DONE 0.2s',
      '',
      ' 1 warning found (see them with --check):',
      ' - Rule: wrong (line 1)',
      '',
    ]);
  });

  it('prints the id alone with -q, and writes it and what it made to files', async () => {
    const written: Record<string, string> = {};
    const engine = builds(async () => ({ imageId: ID, digest: 'sha256:m', references: ['x:latest', 'y:1'] }));
    const host = {
      writeFile: async (path: string, data: Uint8Array) => {
        written[path] = new TextDecoder().decode(data);
      },
    };
    const line = ['build', '-q', '--iidfile', 'id', '--metadata-file', 'meta.json', 'app'];
    expect(await runLine(line, setup({ engine, host }))).toMatchObject({ code: 0, stdout: `${ID}\n`, stderr: '' });
    expect(written.id).toBe(ID);
    expect(JSON.parse(written['meta.json']!)).toEqual({
      'containerimage.config.digest': ID,
      'containerimage.digest': 'sha256:m',
      'image.name': 'x:latest,y:1',
    });
  });

  it('leaves no id of another build', async () => {
    const removed: string[] = [];
    const engine = builds(async () => {
      throw new WctrError('build-failed', 'no');
    });
    const host = { removeFile: async (path: string) => void removed.push(path) };
    expect((await runLine(['build', '--iidfile', 'id', 'app'], setup({ engine, host }))).code).toBe(1);
    expect(removed).toEqual(['id']);
  });

  it('shows where a Dockerfile is wrong', async () => {
    const engine = builds(async () => {
      throw new WctrError('invalid-dockerfile', 'dockerfile parse error on line 1: unknown instruction: RUNN', {
        hint: 'did you mean RUN?',
        data: { frame: '   1 | RUNN x\u001b[2J\n     | ^^^^' },
      });
    });
    const answer = await runLine(['build', 'app'], setup({ engine }));
    expect(answer.code).toBe(1);
    expect(answer.stderr.split('\n')).toEqual([
      'wctr: dockerfile parse error on line 1: unknown instruction: RUNN',
      '   1 | RUNN x\\u001b[2J',
      '     | ^^^^',
      'hint: did you mean RUN?',
      '',
    ]);
  });

  it('exits with 130 when it is stopped', async () => {
    const engine = builds(async ({ signal }) => {
      throw new WctrError('cancelled', signal === undefined ? 'no signal' : 'the build was cancelled');
    });
    expect(await runLine(['build', 'app'], setup({ engine }))).toMatchObject({
      code: 130,
      stderr: 'wctr: the build was cancelled\n',
    });
  });

  it('writes its outputs where they are wanted', async () => {
    const engine = builds(async ({ outputs }) => {
      for (const output of outputs ?? []) if ('write' in output) await output.write(chunks(`${output.type} `, 'tar'));
      return { imageId: ID, references: [] };
    });
    const written: Record<string, string> = {};
    const host = {
      writeStream: async (path: string, tar: AsyncIterable<Uint8Array>) => {
        written[path] = '';
        for await (const chunk of tar) written[path] += new TextDecoder().decode(chunk);
      },
    };
    const line = ['build', '-o', 'type=oci,dest=a.tar', '-o', 'type=tar,dest=b.tar', '-o', '-', 'app'];
    const answer = await runLine(line, setup({ engine, host }));
    expect(answer).toMatchObject({ code: 0, stdout: 'files tar' });
    expect(written).toEqual({ 'a.tar': 'oci tar', 'b.tar': 'files tar' });
  });
});

describe('--check', () => {
  const check = (text: string) => {
    return runLine(
      ['build', '--check', '-f', '-', 'app'],
      setup({ stdin: chunks(text), engine: fakeEngine({}).engine }),
    );
  };

  it('says what docker says, and fails where something was found', async () => {
    const answer = await check('FROM scratch AS Base\nCOPY b /b\n');
    expect(answer.code).toBe(1);
    expect(answer.stdout).toBe(`Check complete, 2 warnings have been found!

WARNING: StageNameCasing - https://docs.docker.com/go/dockerfile/rule/stage-name-casing/
Stage name 'Base' should be lowercase
Dockerfile:1
--------------------
   1 | >>> FROM scratch AS Base
   2 |     COPY b /b
   3 |
--------------------

WARNING: CopyIgnoredFile - https://docs.docker.com/go/dockerfile/rule/copy-ignored-file/
Attempting to Copy file "b" that is excluded by .dockerignore
Dockerfile:2
--------------------
   1 |     FROM scratch AS Base
   2 | >>> COPY b /b
   3 |
--------------------
`);
  });

  it('is content with what is right', async () => {
    expect(await check('FROM scratch\n')).toMatchObject({ code: 0, stdout: 'Check complete, no warnings found.\n' });
  });

  it('shows what stops the build', async () => {
    const answer = await check('FROM scratch\nCPOY a b\n');
    expect(answer.code).toBe(1);
    expect(answer.stderr).toContain('   2 | CPOY a b\n     | ^^^^\nhint: did you mean COPY?\n');
  });
});

describe('rawjson', () => {
  it('is one event a line, bytes in base64', async () => {
    const status: SolveStatus = {
      vertexes: [{ digest: 'sha256:1', name: 'a', started: at(0) }],
      logs: [{ vertex: 'sha256:1', stream: 2, data: Uint8Array.of(0xff, 10), timestamp: at(1) }],
      warnings: [{ vertex: 'sha256:1', short: 'é', sourceInfo: { filename: 'D', data: Uint8Array.of(65) } }],
    };
    const engine = builds(async ({ onStatus }) => {
      onStatus?.(status);
      return { imageId: ID, references: [] };
    });
    const { stderr } = await runLine(['build', '--progress=rawjson', 'app'], setup({ engine }));
    expect(stderr.endsWith('}\n')).toBe(true);
    expect(JSON.parse(stderr)).toEqual({
      vertexes: [{ digest: 'sha256:1', name: 'a', started: at(0) }],
      logs: [{ vertex: 'sha256:1', stream: 2, data: '/wo=', timestamp: at(1) }],
      warnings: [{ vertex: 'sha256:1', short: 'w6k=', sourceInfo: { filename: 'D', data: 'QQ==' } }],
    });
  });
});
