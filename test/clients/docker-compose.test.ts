/** Debian's docker-compose 1.29 and Docker's Python SDK, unchanged, against `wctr daemon`. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startDaemon, type TestDaemon } from '../support/daemon.ts';
import { peer } from '../support/peers.ts';

const COMPOSE = `
version: "3.8"
services:
  db:
    image: box
    command: ["sleep", "1000000"]
    volumes: ["data:/data"]
    networks: [back]
    healthcheck:
      test: ["CMD", "/busybox.wasm", "args"]
      interval: 1s
      timeout: 5s
      retries: 3
  init:
    image: box
    command: ["write", "/data/greeting", "from-the-volume"]
    volumes: ["data:/data"]
    networks: [back]
    depends_on: [db]
  web:
    image: web
    command: ["served", "/data/greeting"]
    volumes: ["data:/data"]
    networks: [back]
    depends_on: [init]
    ports: ["127.0.0.1::80"]
networks:
  back: {}
volumes:
  data: {}
`;

const PYTHON = `
import docker
client = docker.from_env()
print(client.ping(), client.version()['ApiVersion'])
print(client.containers.run('box', ['args', 'python'], remove=True))
box = client.containers.run('box', ['sleep', '1000000'], detach=True, name='py', labels={'a': 'b'})
print(box.exec_run(['/busybox.wasm', 'exit', '3']).exit_code, box.exec_run(['/busybox.wasm', 'args']).output)
print([c.name for c in client.containers.list(filters={'label': 'a=b'})], box.top()['Titles'][0], box.stats(stream=False)['name'])
box.pause(); box.reload(); print(box.status); box.unpause()
box.stop(timeout=0); print(box.wait()['StatusCode'], box.logs())
box.remove()
try:
    client.containers.get('py')
except docker.errors.NotFound as error:
    print('gone:', error.explanation)
volume = client.volumes.create('pv'); print(volume.name); volume.remove()
network = client.networks.create('pn'); print(network.name); network.remove()
print(sorted(tag for image in client.images.list() for tag in image.tags))
`;

const compose = peer('docker-compose');

describe.skipIf(compose === undefined)('clients of Debian', () => {
  let daemon: TestDaemon;
  beforeAll(async () => {
    daemon = await startDaemon();
    mkdirSync(join(daemon.dir, 'app'));
    writeFileSync(join(daemon.dir, 'app', 'docker-compose.yml'), COMPOSE);
    writeFileSync(join(daemon.dir, 'client.py'), PYTHON);
  }, 60_000);
  afterAll(() => daemon?.stop(), 60_000);

  it('docker-compose: three services up, healthy, talked to, and down', { timeout: 90_000 }, async () => {
    const line = (text: string) => daemon.shell(`cd app && docker-compose ${text}`, { timeoutMs: 60_000 });
    expect(await line('up -d')).toMatchObject({ code: 0 });
    await expect.poll(async () => (await line('ps')).stdout, { timeout: 20_000 }).toMatch(/db_1.*Up \(healthy\)/);
    expect((await line('ps')).stdout).toMatch(/init_1.*Exit 0/);
    const { stdout: address } = await line('port web 80');
    expect(await (await fetch(`http://${address.trim()}/`)).text()).toBe('served from-the-volume\n');
    expect((await line('logs --no-color web')).stdout).toMatch(/web_1\s+\| listening/);
    expect((await line('exec -T db /busybox.wasm args inside')).stdout).toContain('inside');
    expect((await line('exec -T db /busybox.wasm exit 9')).code).toBe(9);
    expect(await line('restart -t 0 web')).toMatchObject({ code: 0 });
    expect(await line('stop -t 1 web')).toMatchObject({ code: 0 });
    expect(await line('start web')).toMatchObject({ code: 0 });
    expect(await line('down -v -t 1')).toMatchObject({ code: 0 });
    expect((await daemon.shell('docker ps -aq; docker volume ls -q; docker network ls -q | wc -l')).stdout.trim()).toBe(
      '3',
    );
  });

  it('the Python SDK', { timeout: 60_000 }, async () => {
    const { stdout, stderr, code } = await daemon.shell('python3 client.py', { timeoutMs: 50_000 });
    expect({ code, stderr, lines: stdout.trim().split('\n') }).toEqual({
      code: 0,
      stderr: '',
      lines: [
        'True 1.51',
        "b'/busybox.wasm\\nargs\\npython\\n'",
        "3 b'/busybox.wasm\\nargs\\n'",
        "['py'] UID /py",
        'paused',
        expect.stringMatching(/^(137|143) b''$/),
        'gone: No such container: py',
        'pv',
        'pn',
        "['box:latest', 'web:latest']",
      ],
    });
  });
});
