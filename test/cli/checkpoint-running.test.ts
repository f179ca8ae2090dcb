/** Checkpoints of programs that run: built with Asyncify, their stack is kept with their memory. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { compileGuest, hasCompiler } from '../support/c-guest.ts';
import { type Cli, moduleImage, openCli } from '../support/cli.ts';

describe.skipIf(!hasCompiler())('a checkpoint of a program that runs', () => {
  let cli: Cli;
  beforeAll(async () => {
    cli = openCli();
    for (const asyncify of [true, false]) {
      const name = asyncify ? 'ticks' : 'plain';
      const module = compileGuest('ticks', { asyncify });
      const layout = await moduleImage(cli.dir, name, module, `docker.io/library/${name}:test`);
      await out('load', '-q', '-i', layout);
    }
  }, 60_000);
  afterAll(async () => {
    await cli.removeContainers();
    cli.remove();
  }, 30_000);

  const out = (...args: string[]) => cli.out(...args);
  const refused = async (...args: string[]) => (await cli.run(args)).stderr.split('\n')[0];
  const ticks = async (name: string) =>
    (await cli.run(['logs', name])).stdout
      .split('\n')
      .filter((line) => line.startsWith('tick '))
      .map((line) => Number(line.slice(5)));
  async function untilTicks(name: string, count: number): Promise<void> {
    while ((await ticks(name)).length < count) await new Promise((resolve) => setTimeout(resolve, 50));
  }
  const state = async (name: string) =>
    (await out('inspect', '-f', '{{.State.Status}} {{.State.ExitCode}}', name)).trim();

  it('ends it, and goes on where it was, with its frames and files', async () => {
    await out('run', '-d', '--name', 'one', '--restart', 'always', 'ticks:test', '5');
    await untilTicks('one', 3);
    expect(await out('checkpoint', 'create', 'one', 'here')).toBe('here\n');
    expect(await state('one')).toBe('exited 137');
    const before = await ticks('one');
    await out('start', '--checkpoint', 'here', 'one');
    await untilTicks('one', before.length + 3);
    await out('stop', '-t', '0', 'one');
    const all = await ticks('one');
    expect(all).toEqual(all.map((_, i) => 5 + i));
    const { stdout: notes } = await cli.run(['cp', 'one:/notes', '-']);
    expect(notes).toContain(`5\n6\n7\n`);
    expect(notes).toContain(`\n${before.length + 5}\n${before.length + 6}\n`);
  }, 60_000);

  it('lets it go on', async () => {
    await out('run', '-d', '--name', 'two', 'ticks:test', '0');
    await untilTicks('two', 2);
    await out('checkpoint', 'create', '--leave-running', 'two', 'first');
    expect(await state('two')).toBe('running 0');
    await untilTicks('two', (await ticks('two')).length + 3);
    await out('checkpoint', 'create', '--leave-running', 'two', 'second');
    await untilTicks('two', (await ticks('two')).length + 3);
    const before = await ticks('two');
    expect(before).toEqual(before.map((_, i) => i));
    expect(await out('checkpoint', 'ls', 'two')).toBe('CHECKPOINT NAME\nfirst\nsecond\n');
    await out('kill', 'two');
    await out('start', '--checkpoint', 'second', 'two');
    await untilTicks('two', (await ticks('two')).length + 3);
    await out('kill', 'two');
    // It went on, was killed, and went on again from where it was frozen: it counted twice what lies between.
    const all = await ticks('two');
    const breaks = all.flatMap((tick, i) => (i === 0 || tick === all[i - 1]! + 1 ? [] : [tick]));
    expect(breaks).toHaveLength(1);
    expect(breaks[0]).toBeGreaterThan(3);
  }, 60_000);

  it('wakes it from a read, and becomes an image that waits for the rest', async () => {
    await out('create', '-i', '--name', 'three', 'ticks:test', '40', 'read');
    await out('start', 'three');
    while (!(await cli.run(['logs', 'three'])).stderr.includes('begun')) {
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    expect(await refused('checkpoint', 'create', '--leave-running', '--image', 'waiting:test', 'three')).toBe(
      'wctr: a program that goes on changes the files its image is to have',
    );
    await out('checkpoint', 'create', '--image', 'waiting:test', 'three');
    expect(await cli.run(['run', '--rm', '-i', 'waiting:test'], { input: '2\n3\n' })).toEqual({
      code: 0,
      stdout: 'count 42\ncount 45\n',
      stderr: '',
    });
    expect(await cli.run(['run', '-i', '--name', 'four', 'waiting:test'], { input: '60\n' })).toMatchObject({
      stdout: 'count 100\n',
    });
    expect(await refused('run', '--rm', 'waiting:test', '41', 'read')).toBe(
      'wctr: a program that was frozen while it ran takes no other arguments',
    );
  }, 60_000);

  it('is refused for what cannot be frozen, which goes on', async () => {
    await out('run', '-d', '--name', 'plain', 'plain:test', '0');
    await untilTicks('plain', 1);
    expect(await refused('checkpoint', 'create', 'plain', 'no')).toBe(
      'wctr: the program cannot be frozen: it runs, and was not built so that its frames can be kept',
    );
    expect(await refused('checkpoint', 'create', '--init', 'any', 'plain', 'no')).toBe(
      'wctr: container plain runs: an export that initialises it would come too late',
    );
    await untilTicks('plain', (await ticks('plain')).length + 2);
    await out('kill', 'plain');
    await out('run', '-d', '--name', 'two-of-them', 'ticks:test', '0');
    await out('exec', '-d', 'two-of-them', '/ticks.wasm', '7');
    expect(await refused('checkpoint', 'create', 'two-of-them', 'no')).toBe(
      'wctr: the container has 1 other processes, which cannot be frozen with it',
    );
    await untilTicks('two-of-them', (await ticks('two-of-them')).length + 2);
    await out('kill', 'two-of-them');
  }, 60_000);
});
