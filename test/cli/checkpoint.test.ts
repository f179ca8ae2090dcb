/** Checkpoints from the command line, with a program in C that has an export to initialise it. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { compileGuest, hasCompiler } from '../support/c-guest.ts';
import { type Cli, moduleImage, openCli } from '../support/cli.ts';

const ROUNDS = 30_000_000;
const RESULT = `sums ${sumOf(ROUNDS)}, text 199999, operation 21, -, at 48\n`;

describe.skipIf(!hasCompiler())('a checkpoint of an initialised program', () => {
  let cli: Cli;
  beforeAll(async () => {
    cli = openCli();
    const layout = await moduleImage(cli.dir, 'warm', compileGuest('warm'), 'docker.io/library/cold:test');
    await out('load', '-q', '-i', layout);
    await out('create', '--name', 'one', '-e', `ROUNDS=${ROUNDS}`, 'cold:test');
  }, 60_000);
  afterAll(async () => {
    await cli.removeContainers();
    cli.remove();
  }, 30_000);

  const out = (...args: string[]) => cli.out(...args);
  const refused = async (...args: string[]) => (await cli.run(args)).stderr.split('\n')[0];

  it('is made of a container that does not run, listed, gone on from, and removed', async () => {
    expect(await out('checkpoint', 'create', 'one', 'ready')).toBe('ready\n');
    expect(await out('ps', '-a', '--filter', 'name=one', '--format', '{{.State}}')).toBe('exited\n');
    expect(await out('checkpoint', 'ls', 'one')).toBe('CHECKPOINT NAME\nready\n');
    expect(await refused('checkpoint', 'create', 'one', 'ready')).toBe(
      'wctr: checkpoint with name ready already exists for container one',
    );
    for (let again = 0; again < 2; again++) {
      expect(await cli.run(['start', '-a', '--checkpoint', 'ready', 'one'])).toEqual({
        code: 0,
        stdout: RESULT,
        stderr: '',
      });
    }
    const { stdout, stderr } = await cli.run(['start', '-a', 'one']);
    expect({ stdout, stderr }).toEqual({ stdout: RESULT, stderr: 'initialised\n' });
    await out('checkpoint', 'rm', 'one', 'ready');
    expect(await out('checkpoint', 'ls', 'one')).toBe('CHECKPOINT NAME\n');
    expect(await refused('start', '--checkpoint', 'ready', 'one')).toBe(
      'wctr: checkpoint ready does not exist for container one',
    );
  }, 60_000);

  it('becomes an image whose containers go on there, kept or in the foreground', async () => {
    const id = (await out('checkpoint', 'create', '--image', 'warm:test', '-c', 'LABEL by=test', 'one')).trim();
    expect(await out('checkpoint', 'ls', 'one')).toBe('CHECKPOINT NAME\n');
    expect(await out('image', 'inspect', '-f', '{{.Id}} {{json .Config.Labels}}', 'warm:test')).toBe(
      `${id} {"by":"test","wctr.checkpoint":"/.wctr/checkpoint"}\n`,
    );
    expect(await cli.run(['run', '--rm', 'warm:test'])).toEqual({ code: 0, stdout: RESULT, stderr: '' });
    const argument = await cli.run(['run', '--name', 'two', 'warm:test', 'late']);
    expect(argument).toEqual({ code: 0, stdout: RESULT.replace(' -,', ' late,'), stderr: '' });
    expect(await cli.run(['run', '--rm', '--label', 'wctr.checkpoint=', 'warm:test'])).toMatchObject({
      code: 0,
      stderr: 'initialised\n',
    });
    // Through an archive, as through a registry.
    await out('save', '-o', 'warm.tar', 'warm:test');
    await out('rmi', '-f', 'warm:test');
    await out('load', '-q', '-i', 'warm.tar');
    expect(await cli.run(['run', '--rm', '-m', '64m', 'warm:test'])).toEqual({ code: 0, stdout: RESULT, stderr: '' });
    await out('rm', 'two');
  }, 60_000);

  it('refuses what cannot be frozen, and what does not fit, in a line', async () => {
    expect(await refused('checkpoint', 'create', '--init', 'nope', 'one', 'failed')).toBe(
      'wctr: the module has no function export named nope',
    );
    expect(await refused('checkpoint', 'create', '--init', 'leaves', 'one', 'failed')).toBe(
      'wctr: the program exited with 3 before it could be frozen',
    );
    expect(await refused('checkpoint', 'create', '--init', 'loses_file', 'one', 'failed')).toBe(
      'wctr: the program cannot be frozen: /tmp-file (descriptor 5) was renamed or removed while it is open',
    );
    expect(await out('checkpoint', 'ls', 'one')).toBe('CHECKPOINT NAME\n');
    expect(await refused('checkpoint', 'create', 'one', '../escape')).toMatch(/^wctr: Invalid checkpoint ID/);
    await out('checkpoint', 'create', 'one', 'ready');
    writeFileSync(join(cli.dir, 'other.wasm'), compileGuest('warm', { asyncify: true }));
    await out('cp', 'other.wasm', 'one:/warm.wasm');
    expect(await refused('start', '-a', '--checkpoint', 'ready', 'one')).toBe(
      'wctr: the checkpoint was made from another /warm.wasm',
    );
    await out('create', '--name', 'elsewhere', '-w', '/etc', 'warm:test');
    expect(await refused('start', '-a', 'elsewhere')).toBe('wctr: the checkpoint was made in the working directory /');
  }, 60_000);
});

/** What the guest adds up. */
function sumOf(rounds: number): number {
  const whole = Math.floor(rounds / 7);
  let sum = whole * 21;
  for (let i = whole * 7; i < rounds; i++) sum += i % 7;
  return sum;
}
