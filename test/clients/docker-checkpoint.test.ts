/** docker's experimental checkpoints, with the stock CLI. */
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { compileGuest, hasCompiler } from '../support/c-guest.ts';
import { moduleImage } from '../support/cli.ts';
import { startDaemon, type TestDaemon } from '../support/daemon.ts';
import { peer } from '../support/peers.ts';

describe.skipIf(peer('docker') === undefined || !hasCompiler())('docker checkpoint', () => {
  let daemon: TestDaemon;
  beforeAll(async () => {
    daemon = await startDaemon();
    const layout = await moduleImage(daemon.dir, 'warm', compileGuest('warm'), 'docker.io/library/warm:cold');
    await docker(`$ tar -C ${layout} -cf - . | docker load -q`);
    await docker('create --name one -e ROUNDS=1000000 warm:cold');
  }, 60_000);
  afterAll(() => daemon?.stop(), 60_000);

  /** Output of a line that must succeed; `$`: of a shell. */
  async function docker(line: string): Promise<string> {
    const { code, stdout, stderr } = await daemon.shell(line.startsWith('$ ') ? line.slice(2) : `docker ${line}`);
    expect({ line, code, stderr }).toMatchObject({ line, code: 0 });
    return stdout;
  }
  const fails = async (line: string) => (await daemon.shell(`docker ${line}`)).stderr.trim();

  it('creates, lists, starts from and removes one', async () => {
    expect(await docker('version -f {{.Server.Experimental}}')).toBe('true\n');
    expect(await docker('checkpoint create one ready')).toBe('ready\n');
    expect(await docker('checkpoint ls one')).toBe('CHECKPOINT NAME\nready\n');
    expect(await fails('checkpoint create one ready')).toMatch(
      /checkpoint with name ready already exists for container one/,
    );
    await docker('start --checkpoint ready one');
    expect(await docker('wait one')).toBe('0\n');
    expect(await docker('logs one')).toBe('sums 2999997, text 199999, operation 21, -, at 48\n');
    expect(await docker('$ docker logs one 2>&1 >/dev/null')).toBe('initialised\n');
    await docker('checkpoint rm one ready');
    expect(await docker('checkpoint ls one')).toBe('CHECKPOINT NAME\n');
    expect(await fails('checkpoint rm one ready')).toMatch(/checkpoint ready does not exist for container one/);
    expect(await fails('start --checkpoint ready one')).toMatch(/checkpoint ready does not exist for container one/);
    expect(await fails('checkpoint create --checkpoint-dir /tmp one ready')).toMatch(/no other directory/);
    // docker's client sends whole seconds: what happened in this one would come after them.
    expect(
      await docker('$ sleep 1.1; docker events --since 0 --until 0s -f event=checkpoint --format "{{.Action}}"'),
    ).toBe('checkpoint\n');
  }, 60_000);

  it('makes an image through wctr and the daemon', async () => {
    const wctr = `${process.execPath} ${join(import.meta.dirname, '../../dist/bin/wctr.cjs')}`;
    const id = await docker(`$ ${wctr} checkpoint create --image warm:ready one`);
    expect(await docker('image inspect -f {{.Id}} warm:ready')).toBe(id);
    expect(await docker('run --rm warm:ready argument')).toBe(
      'sums 2999997, text 199999, operation 21, argument, at 48\n',
    );
  }, 60_000);
});
