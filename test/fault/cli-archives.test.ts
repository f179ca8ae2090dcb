/** Archives and files that are not what they should be: the message, the code, and a store that is as it was. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { busyboxLayout, type Cli, openCli } from '../support/cli.ts';
import { noise, tarOf } from '../support/registry-images.ts';
import { storeFiles } from '../support/store-files.ts';

let cli: Cli;
let archive: Buffer;
let unknown: Buffer;
beforeAll(async () => {
  cli = openCli();
  const layout = await busyboxLayout(cli.dir);
  expect(await cli.run(['load', '-q', '-i', layout])).toMatchObject({ code: 0 });
  expect(await cli.run(['save', '-o', 'good.tar', 'busybox:test'])).toMatchObject({ code: 0, stderr: '' });
  archive = readFileSync(join(cli.dir, 'good.tar'));
  const other = openCli();
  writeFileSync(join(other.dir, 'fs.tar'), tarOf({ 'unknown.txt': 'x'.repeat(2000) }));
  expect(await other.run(['import', 'fs.tar', 'unknown:1'])).toMatchObject({ code: 0 });
  expect(await other.run(['save', '-o', 'unknown.tar', 'unknown:1'])).toMatchObject({ code: 0, stderr: '' });
  unknown = readFileSync(join(other.dir, 'unknown.tar'));
  other.remove();
});
afterAll(() => cli.remove());

const file = (name: string, bytes: Uint8Array | string) => writeFileSync(join(cli.dir, name), bytes);

async function fails(args: readonly string[], input?: Uint8Array) {
  const before = storeFiles(cli.dir);
  const result = await cli.run(args, input === undefined ? {} : { input });
  expect((await cli.run(['image', 'prune', '-f'])).stderr).toBe('');
  expect(storeFiles(cli.dir)).toEqual(before);
  return { ...result, stderr: result.stderr.replaceAll(cli.dir, 'DIR') };
}
const failure = (stderr: string | RegExp, code = 1) => ({
  code,
  stdout: '',
  stderr: typeof stderr === 'string' ? stderr : expect.stringMatching(stderr),
});

/** An archive of an image this store has not, with one bit of its layer flipped. */
function flippedLayer(): Buffer {
  const copy = Buffer.from(unknown);
  const at = copy.indexOf('unknown.txt\0');
  copy[at + 700]! ^= 1;
  return copy;
}

describe('wctr load', () => {
  it.each([
    ['noise', () => noise(50_000), 'wctr: FILE is no tar, or damaged at byte 0\n'],
    ['nothing', () => '', 'wctr: FILE is empty\n'],
    ['text', () => 'not an archive\n'.repeat(100), 'wctr: FILE is no tar, or damaged at byte 0\n'],
    [
      'a file system',
      () => tarOf({ 'etc/passwd': 'root' }),
      'wctr: FILE is neither an OCI layout nor a docker archive\nhint: a file system tar without image documents is taken by wctr import\n',
    ],
    [
      'half an archive',
      () => archive.subarray(0, archive.length >> 1),
      /^wctr: FILE ends inside the member at byte \d+\n$/,
    ],
    [
      'half a gzip',
      () => gzipSync(archive).subarray(0, 4000),
      'wctr: the archive is damaged: its gzip data is broken\n',
    ],
    [
      'a layer with a flipped bit',
      flippedLayer,
      /^wctr: blob (sha256:[0-9a-f]{64}): the bytes received are sha256:[0-9a-f]{64}\nhint: the registry or archive is damaged or has been tampered with; nothing was stored\n$/,
    ],
    [
      'an index.json that is none',
      () => tarOf({ 'oci-layout': '{"imageLayoutVersion":"1.0.0"}', 'index.json': '[]' }),
      'wctr: index.json of FILE: the document is not an object\n',
    ],
    [
      'a layout of another version',
      () => tarOf({ 'oci-layout': '{"imageLayoutVersion":"2.0.0"}', 'index.json': '{}' }),
      'wctr: FILE: image layout version "2.0.0" is not 1.x\n',
    ],
    [
      'an index that names what is not there',
      () =>
        tarOf({
          'oci-layout': '{"imageLayoutVersion":"1.0.0"}',
          'index.json': JSON.stringify({
            schemaVersion: 2,
            manifests: [
              {
                mediaType: 'application/vnd.oci.image.manifest.v1+json',
                digest: `sha256:${'0'.repeat(64)}`,
                size: 100,
              },
            ],
          }),
        }),
      `wctr: FILE does not hold blob sha256:${'0'.repeat(64)}\n`,
    ],
  ])('%s', async (name, bytes, message) => {
    const path = `${name.replaceAll(' ', '-')}.tar`;
    file(path, bytes());
    const { stderr, ...result } = await fails(['load', '-i', path]);
    expect({ ...result, stderr: stderr.replaceAll(path, 'FILE') }).toEqual(failure(message));
  });

  it('standard input, files that are not there, directories', async () => {
    expect(await fails(['load'], noise(2000))).toEqual(
      failure('wctr: standard input is no tar, or damaged at byte 0\n'),
    );
    expect(await fails(['load', '-i', 'nowhere.tar'])).toEqual(
      failure('wctr: no such file or directory: nowhere.tar\n'),
    );
    mkdirSync(join(cli.dir, 'empty'));
    expect(await fails(['load', '-i', 'empty'])).toEqual(
      failure(
        'wctr: DIR/empty is neither an OCI layout nor a docker archive\n' +
          'hint: a file system tar without image documents is taken by wctr import\n',
      ),
    );
  });
});

describe('wctr import', () => {
  const HEADER = 'the tar has a header that is damaged or that tar programs read differently';
  it.each([
    ['noise', () => noise(5000), new RegExp(`^wctr: layer sha256:[0-9a-f]{64}: ${HEADER}\n$`)],
    [
      'a tar that ends early',
      () => tarOf({ 'a.bin': noise(20_000) }).subarray(0, 9000),
      /^wctr: layer sha256:[0-9a-f]{64}: the tar ends early, at entry "a\.bin"\n$/,
    ],
    [
      'a gzip that ends early',
      () => gzipSync(tarOf({ 'a.bin': noise(20_000) })).subarray(0, 9000),
      /^wctr: layer sha256:[0-9a-f]{64}: the compressed data ends early\n$/,
    ],
  ])('%s', async (name, bytes, message) => {
    const path = `${name.replaceAll(' ', '-')}.import`;
    file(path, bytes());
    expect(await fails(['import', path, 'broken:1'])).toEqual(failure(message));
  });

  it('wrong words', async () => {
    file('fine.tar', tarOf({ a: 'x' }));
    expect(await fails(['import', '-c', 'RUN make', 'fine.tar', 'x:1'])).toEqual(
      failure(
        'wctr: cannot apply the change "RUN make"\n' +
          'hint: a change is one of CMD, ENTRYPOINT, ENV, LABEL, WORKDIR, USER, STOPSIGNAL, EXPOSE, VOLUME with its arguments\n',
        1,
      ),
    );
    expect(await fails(['import', 'fine.tar', 'UPPER:1'])).toEqual(
      failure('wctr: invalid image reference "UPPER:1": the repository name must be lowercase\nhint: try upper:1\n'),
    );
    expect(await fails(['import', 'nowhere.tar'])).toEqual(failure('wctr: no such file: nowhere.tar\n'));
  });
});

describe('names and formats', () => {
  it.each([
    [
      ['save', '-o', 'out.tar', 'busybox:tset'],
      'wctr: no such image: busybox:tset\nhint: did you mean busybox:test?\n',
      1,
    ],
    [
      ['save', '-o', 'empty-dir', 'busybox:test'],
      'wctr: cannot write to empty-dir: it is a directory\nhint: name a regular file\n',
      1,
    ],
    [
      ['save', '-o', '/dev/full', 'busybox:test'],
      'wctr: cannot write to /dev/full: it is a device or pipe\nhint: name a regular file\n',
      1,
    ],
    [['save', '-o', 'no/where.tar', 'busybox:test'], 'wctr: no such file or directory: no/where.tar\n', 1],
    [
      ['rmi', 'nothing-like-it'],
      'wctr: no such image: nothing-like-it\nhint: pull it with wctr pull nothing-like-it\n',
      1,
    ],
    [['tag', 'busybox:test', 'a:b:c'], /^wctr: invalid image reference "a:b:c": /, 1],
    [
      ['images', '--format', '{{.Id'],
      "wctr: template parsing error in \"{{.Id\": unclosed action\nhint: write a Go template such as '{{.ID}}' or 'json'\n",
      1,
    ],
    [
      ['images', '--format', '{{.Name}}'],
      "wctr: template parsing error in \"{{.Name}}\": can't evaluate field Name\nhint: write a Go template such as '{{.ID}}' or 'json'\n",
      1,
    ],
    [
      ['images', '--format', '{{constructor .}}'],
      'wctr: template parsing error in "{{constructor .}}": function "constructor" not defined\nhint: write a Go template such as \'{{.ID}}\' or \'json\'\n',
      1,
    ],
    [['inspect', 'nothing-like-it'], /^wctr: no such object: nothing-like-it\n/, 1],
  ] as const)('%j', async (args, message, code) => {
    mkdirSync(join(cli.dir, 'empty-dir'), { recursive: true });
    const result = await fails(args);
    expect({ ...result, stdout: result.stdout.replace('[]\n', '') }).toEqual(failure(message, code));
  });

  it('output that cannot be written', () => {
    const run = (args: string) =>
      execFileSync('sh', ['-c', `'${process.execPath}' dist/bin/wctr.cjs ${args} 2>&1 >/dev/full; echo "code $?"`], {
        env: { PATH: process.env.PATH, WCTR_DATA_ROOT: join(cli.dir, 'store') },
        encoding: 'utf8',
      });
    const message = 'wctr: cannot write the output: no space left on device\ncode 1\n';
    expect(run('images')).toBe(message);
    expect(run('save busybox:test')).toBe(message);
    expect(run('run --rm busybox:test hello')).toMatch(/code 1\n$/);
  });
});
