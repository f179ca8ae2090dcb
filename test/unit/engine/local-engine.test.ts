import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { isAlive } from '../../../src/host/node/engine-host.ts';
import { openEngine } from '../../../src/node.ts';
import type { HostConfig } from '../../../src/spec/engine-api.ts';
import { engineSuite } from '../../support/engine-suite.ts';
import { writeLayout } from '../../support/registry-images.ts';
import { removeTree } from '../../support/remove-tree.ts';
import { smokeImage } from '../../support/smoke-image.ts';

engineSuite('LocalEngine', openLocal);

async function openLocal() {
  const dataRoot = mkdtempSync(join(tmpdir(), 'wctr-engine-'));
  const layout = join(dataRoot, 'layout');
  writeLayout(layout, 'smoke:latest', smokeImage());
  const engine = await openEngine({ dataRoot, env: { HOME: dataRoot } });
  const [loaded] = await engine.images.load({ directory: layout });
  const image = loaded!.references[0]!;
  return {
    engine,
    image,
    close: async () => {
      await engine.close();
      removeTree(dataRoot);
    },
  };
}

describe('a container whose process is killed', () => {
  let opened: Awaited<ReturnType<typeof openLocal>>;
  beforeAll(async () => {
    opened = await openLocal();
  });
  afterAll(() => opened.close());

  async function killed(HostConfig: HostConfig) {
    const { containers } = opened.engine;
    const { Id } = await containers.create({
      Image: opened.image,
      Cmd: ['sleep', '600000'],
      HostConfig: { NetworkMode: 'none', ...HostConfig },
    });
    await containers.start(Id);
    const { Pid } = (await containers.inspect(Id)).State;
    process.kill(Pid, 'SIGKILL');
    await expect.poll(() => isAlive(Pid)).toBe(false);
    return { Id, Pid };
  }

  it('has exited with 137', async () => {
    const { Id } = await killed({});
    expect((await opened.engine.containers.inspect(Id)).State).toMatchObject({ Status: 'exited', ExitCode: 137 });
    expect(await opened.engine.containers.wait(Id)).toMatchObject({ StatusCode: 137 });
  });

  it('is started again by its policy', async () => {
    const { Id, Pid } = await killed({ RestartPolicy: { Name: 'always', MaximumRetryCount: 0 } });
    const { containers } = opened.engine;
    await expect
      .poll(async () => (await containers.inspect(Id)).State, { timeout: 5000 })
      .toMatchObject({ Running: true });
    const { State, RestartCount } = await containers.inspect(Id);
    expect(State.Pid).not.toBe(Pid);
    expect(RestartCount).toBe(1);
    await containers.remove(Id, { force: true });
  });

  it('is gone when it was to be removed', async () => {
    const { Id } = await killed({ AutoRemove: true });
    const { containers } = opened.engine;
    await expect.poll(async () => (await containers.list({ all: true })).some((one) => one.Id === Id)).toBe(false);
  });
});
