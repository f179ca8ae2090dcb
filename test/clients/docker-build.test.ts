/** The stock docker CLI's classic builder, docker-compose 1.29 and docker-py against `wctr daemon`. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startDaemon, type TestDaemon } from '../support/daemon.ts';
import { peer } from '../support/peers.ts';

const STAGES = `# escape=\\
ARG BASE=box
FROM \${BASE} AS made
ARG TEXT=default
ENV KEPT=yes
WORKDIR /work
COPY a.txt sub ./
RUN ["/busybox.wasm", "write", "/work/made", "by RUN"]
RUN ["/busybox.wasm", "args", \\
     "said", "by", "RUN"]

FROM scratch AS unused
COPY nothing /nothing

FROM scratch
LABEL of=file
COPY --from=made /work /work
COPY --from=box /busybox.wasm /busybox.wasm
ENTRYPOINT ["/busybox.wasm"]
CMD ["read", "/work/made"]
`;

/** In the directory of the daemon, which is where lines are run. */
const FILES: Readonly<Record<string, string>> = {
  'ctx/Dockerfile': STAGES,
  'ctx/a.txt': 'a',
  'ctx/sub/b.txt': 'b',
  'ctx/secret.txt': 'not sent',
  'ctx/.dockerignore': 'secret.txt\n',
  'ctx/Fails': 'FROM box\nRUN ["/busybox.wasm", "exit", "7"]\n',
  'ctx/Wrong': 'FROM box\nRUNN x\n',
  'ctx/Args': 'FROM box\nARG TEXT=default\nLABEL text=$TEXT\nUSER 7:8\n',
  'ctx/Ignored': 'FROM scratch\nCOPY secret.txt /\n',
  'ctx/Slow': 'FROM box\nRUN ["/busybox.wasm", "sleep", "1000000"]\n',
  'ctx/Context': 'FROM scratch\nCOPY . /\n',
  'compose.yml': `
version: "3.8"
services:
  app:
    build:
      context: ctx
      args: { TEXT: composed }
      dockerfile: Args
      labels: { by: compose }
    image: composed:1
    entrypoint: ["/busybox.wasm"]
    command: ["args", "from", "compose"]
`,
  'build.py': `
import docker
client = docker.from_env()
image, log = client.images.build(path='ctx', tag='py:1', buildargs={'TEXT': 'python'}, dockerfile='Args', rm=True)
print(image.tags, image.labels)
print([line['stream'].strip() for line in log if line.get('stream', '').startswith('Success')][-1])
try:
    client.images.build(path='ctx', dockerfile='Fails')
except docker.errors.BuildError as error:
    print('failed:', error.msg)
print(client.api.prune_builds()['SpaceReclaimed'] >= 0)
`,
};

/** What docker says of its own classic builder is said to standard error. */
const build = (line: string) => `DOCKER_BUILDKIT=0 docker build ${line} 2>&1`;
const ID = '[0-9a-f]{12}';

describe.skipIf(peer('docker') === undefined)('docker: the classic builder', () => {
  let daemon: TestDaemon;
  const sh = async (line: string, code = 0, input = '') => {
    const answer = await daemon.shell(line, { input, timeoutMs: 60_000 });
    const said = `${answer.stdout}${answer.stderr}`;
    expect({ line, code: answer.code, said }).toEqual({ line, code, said });
    return said;
  };
  beforeAll(async () => {
    daemon = await startDaemon();
    for (const [name, text] of Object.entries(FILES)) {
      mkdirSync(join(daemon.dir, name, '..'), { recursive: true });
      writeFileSync(join(daemon.dir, name), text);
    }
  }, 60_000);
  afterAll(() => daemon?.stop(), 60_000);

  it('builds stages', { timeout: 120_000 }, async () => {
    const said = await sh(build('-t app -t app:2 --label from=flag ctx'));
    for (const line of [
      `Step 1/\\d+ : ARG BASE=box\n`,
      `Step 2/\\d+ : FROM \\$\\{BASE\\} AS made\n ---> ${ID}\n`,
      `: RUN \\["/busybox.wasm", "write", "/work/made", "by RUN"\\]\n ---> Running in ${ID}\n`,
      `said\nby\nRUN\n ---> Removed intermediate container ${ID}\n ---> ${ID}\n`,
      ': FROM scratch\n ---> \nStep',
      `Successfully built ${ID}\nSuccessfully tagged app:latest\nSuccessfully tagged app:2\n`,
    ]) {
      expect(said).toMatch(new RegExp(line));
    }
    expect(said).not.toContain('nothing');
    expect(await sh('docker run --rm app')).toBe('by RUN');
    expect(await sh('docker run --rm app read /work/b.txt')).toBe('b');
    expect(await sh("docker image inspect app -f '{{json .Config.Labels}}'")).toBe('{"from":"flag","of":"file"}\n');
    expect(await sh("docker history --format '{{.CreatedBy}}' app")).toContain('COPY');
  });

  it('takes what did not change from the cache', { timeout: 120_000 }, async () => {
    const said = await sh(build('ctx'));
    expect(said.match(/ ---> Using cache/g)?.length).toBeGreaterThanOrEqual(4);
    expect(said).not.toContain('Running in');
    const id = (text: string) => /Successfully built (\w+)/.exec(text)?.[1];
    const again = await sh(build('--no-cache ctx'));
    expect(again).toContain('Running in');
    // The same files make the same image.
    expect(id(again)).toBe(id(said));
    // A cache that is not to be had is none.
    expect(await sh(build('--cache-from 127.0.0.1:1/nosuch:1 ctx'))).toContain(`Successfully built ${id(said)}`);
  });

  it('takes arguments, targets, labels and files of ids', { timeout: 120_000 }, async () => {
    await sh(build('-f ctx/Args --build-arg TEXT=given -t args ctx'));
    expect(await sh("docker image inspect args -f '{{.Config.Labels.text}} {{.Config.User}}'")).toBe('given 7:8\n');
    await sh(build('--target made --iidfile iid -q ctx'));
    expect(await sh('docker run --rm $(cat iid) env')).toContain('KEPT=yes');
    expect(await sh(build('-q -f ctx/Args ctx'))).toMatch(/\nsha256:[0-9a-f]{64}\n$/);
  });

  it('reads contexts from standard input', { timeout: 120_000 }, async () => {
    expect(await sh(build('-t piped -'), 0, 'FROM box\nENV A=piped\n')).toContain('Successfully tagged piped:latest');
    expect(await sh('docker run --rm piped env')).toContain('A=piped');
    expect(await sh(`tar -C ctx -c . | ${build('-f Args -')}`)).toContain('Successfully built');
    expect(await sh(`tar -C ctx -cz . | ${build('-f Args -')}`)).toContain('Successfully built');
    expect(await sh(build('--compress -f ctx/Args ctx'))).toContain('Successfully built');
    await sh('cp ctx/Args outside.Dockerfile');
    expect(await sh(build('-f outside.Dockerfile ctx'))).toContain('Successfully built');
  });

  it('leaves out what is ignored, and sends nothing of how it is built', { timeout: 120_000 }, async () => {
    expect(await sh(build('-f ctx/Ignored ctx'), 1)).toMatch(/secret\.txt/);
    await sh(build('-t context -f ctx/Context ctx'));
    await sh('docker create --name context context /x && docker export context > context.tar && docker rm context');
    expect((await sh('tar -tf context.tar')).split('\n')).toEqual(expect.arrayContaining(['a.txt', 'sub/b.txt']));
    expect(await sh('tar -tf context.tar')).not.toContain('secret');
  });

  it('says what is wrong', { timeout: 120_000 }, async () => {
    const failed = await sh(build('-f ctx/Fails ctx'), 7);
    expect(failed).toMatch(/The command '\/busybox.wasm exit 7' returned a non-zero code: 7\n$/);
    expect(await sh(build('-f ctx/Wrong ctx'), 1)).toMatch(
      /dockerfile parse error on line 2: unknown instruction: RUNN/,
    );
    expect(await sh(build('--target nosuch ctx'), 1)).toContain('nosuch');
    expect(await sh(build('-t UPPER ctx'), 125)).toMatch(/repository name must be lowercase|invalid reference/);
    expect(await sh(build('--squash ctx'), 1)).toContain('a build takes no squash');
    expect(await sh(build('--cpu-quota 5 ctx'), 1)).toContain('a build takes no cpuquota');
    expect(await sh(`head -c 2000 /dev/urandom | gzip | ${build('-')}`, 1)).toMatch(/tar|archive/);
  });

  it('stops when the client goes', { timeout: 120_000 }, async () => {
    await sh(
      'DOCKER_BUILDKIT=0 docker build -f ctx/Slow ctx > slow.log 2>&1 & client=$!; ' +
        "until grep -q 'Step 2' slow.log; do sleep 0.1; done; sleep 1; kill $client; wait $client || true",
    );
    // Neither a container nor a process of the RUN is left.
    expect(await sh('docker ps -aq')).toBe('');
    await expect.poll(() => sh('pgrep -f "[s]leep 1000000" || true'), { timeout: 20_000 }).toBe('');
  });

  it('shows and prunes its cache', { timeout: 120_000 }, async () => {
    expect(await sh("docker system df --format '{{.Type}} {{.TotalCount}}'")).toMatch(/Build Cache [1-9]/);
    expect(await sh('docker system df -v')).toContain('CACHE ID');
    expect(await sh('DOCKER_BUILDKIT=0 docker builder prune -af')).toContain('Total reclaimed space');
    expect(await sh("docker system df --format '{{.Type}} {{.TotalCount}}'")).toContain('Build Cache 0\n');
    expect(await sh('docker run --rm app')).toBe('by RUN');
  });

  it.skipIf(peer('docker-compose') === undefined)('builds for docker-compose', { timeout: 120_000 }, async () => {
    expect(await sh('docker-compose -f compose.yml build')).toContain('Successfully tagged composed:1');
    expect(await sh("docker image inspect composed:1 -f '{{.Config.Labels.text}} {{.Config.Labels.by}}'")).toBe(
      'composed compose\n',
    );
    expect(await sh('docker-compose -f compose.yml run --rm app 2> /dev/null')).toContain('from\ncompose');
    await sh('docker-compose -f compose.yml down');
  });

  it.skipIf(peer('docker-compose') === undefined)('builds for docker-py', { timeout: 120_000 }, async () => {
    const said = await sh('python3 build.py');
    expect(said.split('\n')).toEqual([
      expect.stringMatching(/^\['py:1'\] \{.*'text': 'python'.*\}$/),
      'Successfully tagged py:1',
      "failed: The command '/busybox.wasm exit 7' returned a non-zero code: 7",
      'True',
      '',
    ]);
  });
});
