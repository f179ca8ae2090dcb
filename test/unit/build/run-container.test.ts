/** RUN in a process of its own: the shim of dist/bin, real programs. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { hasCompiler } from '../../support/c-guest.ts';
import { openRunWorld, type RunWorld } from '../../support/run-executor.ts';

describe.skipIf(!hasCompiler())('RUN in a process', () => {
  let world: RunWorld;
  beforeAll(async () => {
    world = await openRunWorld();
  });
  afterAll(() => world?.close());

  it('streams what the program writes, and says how it ended', async () => {
    const ran = await world.step(['echo', 'to out', ',', 'err', 'to err', ',', 'exit', '3']);
    expect(ran).toMatchObject({ exitCode: 3, stdout: 'to out\n', stderr: 'to err\n', oomKilled: false });
    expect(ran.members).toEqual([]);
    expect(world.leftovers()).toEqual([]);
  });

  it('gives what the program changed as a layer, and nothing the engine put there', async () => {
    const ran = await world.step([
      ...['mkdir', '/app', ',', 'write', '/app/a', 'one', ',', 'symlink', 'a', '/app/b', ',', 'ln', '/app/a', '/app/c'],
      ...[',', 'rm', '/etc/motd', ',', 'append', '/etc/hosts', 'x', ',', 'write', '/etc/resolv.conf', ''],
    ]);
    expect(ran).toMatchObject({ exitCode: 0, stderr: '' });
    expect(ran.members).toEqual([
      '5 755 0:0 app/',
      '0 644 0:0 app/a one',
      '2 777 0:0 app/b -> a',
      '1 644 0:0 app/c -> app/a',
      '5 755 0:0 etc/',
      '0 0 0:0 etc/.wh.motd',
    ]);
  });
});
