/** `artifact`: Wasm modules as the CNCF's artifact, and files attached to images, at both registries. */
import { mkdirSync, readdirSync, readFileSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { guestBytes } from '../support/guests.ts';
import { tempDir } from '../support/image-store.ts';
import { REGISTRIES, type RegistryCli, registryCli } from '../support/registry-cli.ts';
import { buildImage, writeLayout } from '../support/registry-images.ts';
import { openPullStore } from '../support/registry-pull.ts';
import { sha256 } from '../support/registry-server.ts';

let dir: ReturnType<typeof tempDir>;
let wctr: RegistryCli['run'];
let done: RegistryCli['done'];
beforeEach(() => {
  dir = tempDir();
  ({ run: wctr, done } = registryCli(dir.path));
});
afterEach(() => dir[Symbol.dispose]());

function file(name: string, bytes: string | Uint8Array): string {
  const path = join(dir.path, name);
  writeFileSync(path, bytes);
  utimesSync(path, 1_700_000_000, 1_700_000_000);
  return path;
}

describe.each(REGISTRIES)('%s', (_name, start) => {
  let registry: { host: string; stop(): Promise<void> };
  beforeAll(async () => {
    registry = await start();
  });
  afterAll(() => registry?.stop());

  const at = (name: string) => `${registry.host}/${name}`;
  const inspect = async (name: string) => JSON.parse(await done('manifest', 'inspect', at(name)));

  it('keeps a module as an artifact that runs', async () => {
    const bytes = guestBytes('busybox');
    const path = file('busybox.wasm', bytes);
    const line = ['artifact', 'push', '--annotation', 'org.example=yes', '--author', 'me', at('box:1'), path];
    const digest = await done(...line);
    expect(await done(...line)).toBe(digest);
    const manifest = await inspect('box:1');
    expect(manifest).toEqual({
      schemaVersion: 2,
      mediaType: 'application/vnd.oci.image.manifest.v1+json',
      config: {
        mediaType: 'application/vnd.wasm.config.v0+json',
        digest: expect.any(String),
        size: expect.any(Number),
      },
      layers: [
        {
          mediaType: 'application/wasm',
          digest: sha256(bytes),
          size: bytes.length,
          annotations: { 'org.opencontainers.image.title': 'busybox.wasm' },
        },
      ],
      annotations: { 'org.example': 'yes' },
    });
    const store = openPullStore(join(dir.path, 'pulled'));
    const { record } = await store.pull(at('box:1'));
    expect(record.target.digest).toBe(digest);
    expect((await store.images.open(at('box:1'))).form).toMatchObject({ kind: 'module', name: 'busybox.wasm' });
    expect(JSON.parse(new TextDecoder().decode(await store.content.read(manifest.config.digest)))).toEqual({
      created: '2023-11-14T22:13:20Z',
      author: 'me',
      architecture: 'wasm',
      os: 'wasip1',
      layerDigests: [sha256(bytes)],
    });
  });

  it('gives the file back', async () => {
    const bytes = guestBytes('busybox');
    await done('artifact', 'push', at('back:1'), file('in.wasm', bytes));
    expect(await done('artifact', 'pull', '-o', 'out.wasm', at('back:1'))).toBe(join(dir.path, 'out.wasm'));
    expect(readFileSync(join(dir.path, 'out.wasm')).equals(bytes)).toBe(true);
    mkdirSync(join(dir.path, 'sub'));
    const again = await wctr('artifact', 'pull', '-q', '-o', dir.path, at('back:1'));
    expect([again.code, again.stderr]).toEqual([1, expect.stringContaining('in.wasm is there already')]);
    expect(readdirSync(dir.path).filter((name) => name.includes('partial'))).toEqual([]);
  });

  it('lists what is attached to an image', async () => {
    const image = buildImage({ layers: [{ f: 'attached to' }] });
    writeLayout(join(dir.path, 'layout'), '1', image);
    await done('image', 'copy', '-q', `oci:${dir.path}/layout`, `docker://${at('app:1')}`);
    expect(await done('artifact', 'referrers', '-q', at('app:1'))).toBe('');
    const spdx = await done(
      'artifact',
      'attach',
      '-q',
      '--type',
      'application/spdx+json',
      at('app:1'),
      file('sbom.json', '{"a":1}'),
    );
    const other = await done('artifact', 'attach', '-q', '--type', 'text/plain', at('app:1'), file('note.txt', 'x'));
    expect((await done('artifact', 'referrers', '-q', at('app:1'))).split('\n').sort()).toEqual([spdx, other].sort());
    expect(await done('artifact', 'referrers', '-q', '--type', 'text/plain', at(`app@${image.target.digest}`))).toBe(
      other,
    );
    const table = await done('artifact', 'referrers', at('app:1'));
    expect(table).toContain('application/spdx+json');
    expect(await inspect(`app@${spdx}`)).toMatchObject({
      artifactType: 'application/spdx+json',
      subject: image.target,
      config: { mediaType: 'application/vnd.oci.empty.v1+json', size: 2 },
    });
    await done('artifact', 'pull', '-q', '-o', 'got.json', at(`app@${spdx}`));
    expect(readFileSync(join(dir.path, 'got.json'), 'utf8')).toBe('{"a":1}');
  });

  it.each([
    ['no module', ['push', 'NAME', 'text.wasm'], 'text.wasm is no WebAssembly module or component'],
    ['no file', ['push', 'NAME', 'absent.wasm'], 'no such file: absent.wasm'],
    ['nothing to say what it is', ['attach', 'NAME', 'text.wasm'], 'has no --type'],
    ['a type that is none', ['attach', '--type', 'sbom', 'NAME', 'text.wasm'], '"sbom" is not a media type'],
  ])('is not asked with %s', async (_what, line, message) => {
    file('text.wasm', 'no module');
    const { code, stderr } = await wctr('artifact', ...line.map((word) => (word === 'NAME' ? at('none:1') : word)));
    expect(code).not.toBe(0);
    expect(stderr).toContain(message);
  });

  it('says that an image is one', async () => {
    writeLayout(join(dir.path, 'layout'), '1', buildImage());
    await done('image', 'copy', '-q', `oci:${dir.path}/layout`, `docker://${at('image:1')}`);
    const { stderr } = await wctr('artifact', 'pull', '-q', at('image:1'));
    expect(stderr).toBe(
      `wctr: ${at('image:1')} is an image without files of its own\nhint: pull it as an image: wctr pull ${at('image:1')}\n`,
    );
  });
});
