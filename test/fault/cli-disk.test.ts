/** A full disk and a read-only store, for real: file systems of a mount namespace that ends with the script in it. */
import { execFile, spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { busyboxLayout, type Cli, type CliResult, openCli, WCTR } from '../support/cli.ts';
import { peer } from '../support/peers.ts';
import { buildImage, noise, serve, tarOf } from '../support/registry-images.ts';
import { FakeRegistry } from '../support/registry-server.ts';

const unshare = peer('unshare');
const UNSHARE = process.getuid?.() === 0 ? ['-m'] : ['-rm'];
/** Root, or a kernel that gives everyone a user namespace. */
const canMount =
  unshare !== undefined &&
  spawnSync(unshare, [...UNSHARE, 'sh', '-c', 'mount -t tmpfs -o size=64k none /mnt'], { stdio: 'ignore' }).status ===
    0;

describe.skipIf(!canMount)('the disk', () => {
  let cli: Cli;
  let registry: FakeRegistry;
  beforeAll(async () => {
    cli = openCli();
    registry = await new FakeRegistry().listen();
    await busyboxLayout(cli.dir);
    mkdirSync(join(cli.dir, 'disk'));
    mkdirSync(join(cli.dir, 'store'));
    writeFileSync(join(cli.dir, 'rootfs.tar'), tarOf({ noise: noise(3_000_000) }));
    serve(registry, 'big', 'latest', buildImage({ layers: [{ noise: noise(3_000_000) }] }));
  });
  afterAll(async () => {
    await registry.close();
    cli.remove();
  });

  /** Runs a shell script in a mount namespace of its own, `wctr` being the command. */
  const script = (text: string) =>
    new Promise<CliResult>((resolve) => {
      const head = `set -u; wctr() { '${process.execPath}' '${WCTR}' "$@"; }`;
      const env = { PATH: process.env.PATH, HOME: cli.dir, WCTR_DATA_ROOT: join(cli.dir, 'disk', 'store') };
      execFile(
        unshare!,
        [...UNSHARE, 'sh', '-c', `${head}\n${text}`],
        { cwd: cli.dir, env },
        (error, stdout, stderr) => {
          const code = error === null ? 0 : typeof error.code === 'number' ? error.code : 128;
          resolve({ code, stdout, stderr: stderr.replaceAll(registry.host, 'REGISTRY').replaceAll(cli.dir, 'DIR') });
        },
      );
    });
  const FULL = 'mount -t tmpfs -o size=2m none disk';
  /** What is in the store, garbage aside, besides directories, locks, the code cache and what happened. */
  const REST = `wctr images -aq; wctr image prune -f >/dev/null; find disk/store -type f ! -path '*/code/*' ! -path '*/locks/*' ! -name events.jsonl`;

  const NO_SPACE =
    'no space left in DIR/disk/store\nhint: free some space, for example with wctr image prune, and try again\n';

  it.each([
    ['pull', 'wctr pull -q $REGISTRY/big', /^wctr: cannot store blob sha256:[0-9a-f]{64}: $/],
    ['load', 'wctr load -i big.tar', /^wctr: cannot keep the archive while it is read: $/],
    ['import', 'wctr import rootfs.tar big:1', /^wctr: cannot keep the archive while it is read: $/],
  ])('full: %s', async (_, command, message) => {
    const made = await cli.run(['pull', '-q', `${registry.host}/big`]);
    expect(made.code).toBe(0);
    await cli.run(['save', '-o', 'big.tar', `${registry.host}/big`]);
    const result = await script(`${FULL}; REGISTRY=${registry.host}; ${command}; echo "code $?"; ${REST}`);
    expect({ ...result, stderr: result.stderr.replace(NO_SPACE, '') }).toEqual({
      code: 0,
      stdout: 'code 1\n',
      stderr: expect.stringMatching(message),
    });
  });

  it('full: save leaves no half archive', async () => {
    const result = await script(
      `export WCTR_DATA_ROOT=$PWD/store; ${FULL}; wctr import rootfs.tar big:2 >/dev/null
      wctr save -o disk/big.tar big:2; echo "code $?"; ls -A disk
      wctr save big:2 > disk/piped.tar; echo "code $?"`,
    );
    expect(result).toEqual({
      code: 0,
      stdout: 'code 1\ncode 1\n',
      stderr: 'wctr: no space left on device: disk/big.tar\nwctr: cannot write the output: no space left on device\n',
    });
  });

  it('full: a guest sees it, and wctr goes on', async () => {
    const result = await script(
      `${FULL}; export WCTR_DATA_ROOT=$PWD/store; wctr load -q -i busybox
      wctr run --rm -v "$PWD/disk":/data busybox:test write /data/file "$(head -c 100000 /dev/zero | tr '\\0' x)"; echo "code $?"`,
    );
    expect(result).toMatchObject({ code: 0, stdout: 'code 0\n' });
  });

  it('read-only: what is there is shown, what writes is refused', async () => {
    const result = await script(
      `mount -t tmpfs none disk; wctr load -q -i busybox; wctr run --rm busybox:test hello; mount -o remount,ro disk
      wctr images --format '{{.Repository}}:{{.Tag}}'; echo "code $?"
      wctr pull -q ${registry.host}/big; echo "code $?"
      wctr load -i busybox; echo "code $?"
      wctr import rootfs.tar big:1; echo "code $?"
      wctr tag busybox:test other; echo "code $?"
      wctr rmi busybox:test; echo "code $?"
      wctr run --rm busybox:test hello; echo "code $?"
      wctr run --name kept busybox:test hello; echo "code $?"`,
    );
    const refused = (doing: string, what = 'disk/store') =>
      `wctr: cannot ${doing}: DIR/${what} is a read-only file system\n` +
      'hint: use another store with WCTR_DATA_ROOT, or make this one writable\n';
    expect(result.stderr).toBe(
      [
        refused('lock the store', 'disk/store/locks'),
        refused('lock the store', 'disk/store/locks'),
        refused('keep the archive while it is read'),
        refused('lock the store', 'disk/store/locks'),
        refused('lock the store', 'disk/store/locks'),
        refused('record the container'),
        refused('record the container'),
      ].join(''),
    );
    expect(result.stdout.split('\n')).toEqual([
      'Hello from the guest',
      'busybox:test',
      'code 0',
      ...Array(5).fill('code 1'),
      ...Array(2).fill('code 125'),
      '',
    ]);
  });
});
