/** What a person sees: wctr in a real terminal, which is tmux's. */
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { busyboxLayout, type Cli, openCli, WCTR } from '../support/cli.ts';
import { peer } from '../support/peers.ts';
import { buildImage, noise, serve } from '../support/registry-images.ts';
import { FakeRegistry, throttle } from '../support/registry-server.ts';

describe.skipIf(!peer('tmux'))('in a terminal', () => {
  let cli: Cli;
  let registry: FakeRegistry;
  const socket = `wctr-test-${process.pid}`;
  const tmux = (...args: string[]) => execFileSync(peer('tmux')!, ['-L', socket, ...args], { encoding: 'utf8' });

  beforeAll(async () => {
    cli = openCli();
    registry = await new FakeRegistry().listen();
    const image = buildImage({ layers: [{ noise: noise(3_000_000, 1) }, { noise: noise(2_000_000, 2) }] });
    serve(registry, 'app', 'latest', image);
    for (const { digest } of image.layers) {
      registry.plan(new RegExp(`blobs/${digest}`), throttle(image.blobs.get(digest)!.bytes, 100_000, 150));
    }
    await cli.run(['load', '-q', '-i', await busyboxLayout(cli.dir)]);
    // Bash without a prompt of its own, so that the screen holds what wctr wrote.
    tmux(
      '-f',
      '/dev/null',
      'new-session',
      '-d',
      '-s',
      'main',
      '-x',
      '90',
      '-y',
      '30',
      '-c',
      cli.dir,
      'env',
      'PS1=$ ',
      'bash',
      '--norc',
    );
    type(`export WCTR_DATA_ROOT='${join(cli.dir, 'store')}' HOME='${cli.dir}' TERM=tmux-256color`);
    type(`wctr() { '${process.execPath}' '${WCTR}' "$@"; }; clear`);
  });
  afterAll(async () => {
    tmux('kill-server');
    await registry.close();
    cli.remove();
  });

  function type(line: string): void {
    tmux('send-keys', '-t', 'main', '-l', line);
    tmux('send-keys', '-t', 'main', 'Enter');
  }

  const screen = (...flags: string[]) => tmux('capture-pane', '-t', 'main', '-p', ...flags).trimEnd();

  /** The screen, once it shows `pattern`. */
  async function shown(pattern: RegExp, ...flags: string[]): Promise<string> {
    for (let attempt = 0; attempt < 200; attempt++) {
      const text = screen(...flags);
      if (pattern.test(text)) return text;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    throw new Error(`never saw ${pattern}:\n${screen()}`);
  }

  it('pulls with a bar per layer, drawn in place', async () => {
    type(`clear; wctr pull ${registry.host}/app; echo done=$?`);
    const bar = /^[0-9a-f]{12}: Downloading +\[=+> *\] [\d.]+[kM]?B\/[\d.]+MB$/gm;
    const during = await shown(/(Downloading +\[=+>[\s\S]*){2}/);
    expect(during.match(bar)).toHaveLength(2);
    const after = await shown(/^done=\d$/m);
    const lines = after.split('\n').filter((line) => !line.includes('wctr pull'));
    expect(lines.map((line) => line.replace(/[0-9a-f]{64}/, 'HEX').replace(/^[0-9a-f]{12}:/, 'LAYER:'))).toEqual([
      'latest: Pulling from app',
      'LAYER: Pull complete',
      'LAYER: Pull complete',
      'Digest: sha256:HEX',
      `Status: Downloaded newer image for ${registry.host}/app:latest`,
      `${registry.host}/app:latest`,
      'done=0',
      '$',
    ]);
  });

  it('colours its errors, but not under NO_COLOR', async () => {
    // The screen still shows what came before until it is cleared.
    type('clear; wctr rnu; echo coloured=$?');
    expect(await shown(/^coloured=1$/m, '-e')).toContain('\u001b[31mwctr:');
    type('clear; NO_COLOR=1 wctr rnu; echo plain=$?');
    const plain = await shown(/^plain=1$/m, '-e');
    expect(plain).toContain("wctr: 'rnu' is not a wctr command");
    expect(plain).not.toContain('\u001b[31m');
  });

  it('lets a program talk to the terminal, and ends it by Ctrl-C with 130', async () => {
    for (const flags of ['--rm', '--rm -it']) {
      type(`clear; wctr run ${flags} busybox:test loop`);
      await shown(/^looping$/m);
      tmux('send-keys', '-t', 'main', 'C-c');
      await shown(/\^C(.*\n)*.*\$$/);
      type('echo ended=$?');
      await shown(/^ended=130$/m);
    }
    type('clear; echo ready; wctr run --rm -it busybox:test cat; echo ended=$?');
    await shown(/^ready$/m);
    type('typed here');
    await shown(/typed here\n(.*\n)*typed here/);
    // The first is the terminal's echo. End of input is 0 bytes read.
    tmux('send-keys', '-t', 'main', 'C-d');
    await shown(/^ended=0$/m);
  });

  it('leaves a container by ctrl-p ctrl-q and comes back to it', async () => {
    type('clear; wctr run -it --name shell busybox:test cat; echo ended=$?');
    await new Promise((resolve) => setTimeout(resolve, 1500));
    type('first');
    await shown(/^first\nfirst$/m);
    tmux('send-keys', '-t', 'main', 'C-p', 'C-q');
    await shown(/^read escape sequence\nended=0$/m);
    type('clear; wctr attach shell; echo ended=$?');
    await new Promise((resolve) => setTimeout(resolve, 1500));
    type('second');
    await shown(/^second\nsecond$/m);
    tmux('send-keys', '-t', 'main', 'C-d');
    await shown(/^ended=0$/m);
    type('clear; wctr logs shell; wctr rm shell');
    await shown(/^first\nfirst\nsecond\nsecond\nshell$/m);
  }, 30_000);

  it('does not save to a terminal', async () => {
    type('clear; wctr save busybox:test; echo ended=$?');
    expect(await shown(/ended=125$/m)).toContain('wctr: cowardly refusing to save to a terminal');
  });
});
