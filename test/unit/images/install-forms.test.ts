/** Layouts of every form of image: indexes with several platforms, artifacts, component layers. */
import { describe, expect, it } from 'vitest';
import { collect } from '../../../src/images/archive/files.ts';
import { inspectImage } from '../../../src/images/image-views.ts';
import { loadStream } from '../../../src/images/load.ts';
import { parsePlatform } from '../../../src/images/platform.ts';
import { parseReference } from '../../../src/images/reference.ts';
import { saveImages } from '../../../src/images/save.ts';
import { type Descriptor, MEDIA_TYPE } from '../../../src/spec/image-spec.ts';
import { chunks, memoryStore, openImages, sha256, tarOf } from '../../support/image-store.ts';

const WASM = Uint8Array.from([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0]);

/** Builds the files of a layout bit by bit. */
class Layout {
  readonly files: Record<string, string | Uint8Array> = { 'oci-layout': '{"imageLayoutVersion":"1.0.0"}' };

  add(mediaType: string, content: unknown): Descriptor {
    const bytes = content instanceof Uint8Array ? content : new TextEncoder().encode(JSON.stringify(content));
    const digest = sha256(bytes);
    this.files[`blobs/sha256/${digest.slice(7)}`] = bytes;
    return { mediaType, digest, size: bytes.length };
  }

  async image(platform: string, extra: object = {}): Promise<Descriptor> {
    const [os, architecture] = platform.split('/');
    const tar = await tarOf({ 'app.wasm': platform });
    const layer = this.add(MEDIA_TYPE.ociLayerTar, tar);
    const config = this.add(MEDIA_TYPE.ociConfig, {
      os,
      architecture,
      rootfs: { type: 'layers', diff_ids: [sha256(tar)] },
    });
    const manifest = this.add(MEDIA_TYPE.ociManifest, {
      schemaVersion: 2,
      mediaType: MEDIA_TYPE.ociManifest,
      config,
      layers: [layer],
    });
    return { ...manifest, platform: { os: os ?? '', architecture: architecture ?? '' }, ...extra };
  }

  tar(manifests: readonly object[]): Promise<Uint8Array> {
    this.files['index.json'] = JSON.stringify({ schemaVersion: 2, manifests });
    return tarOf(this.files);
  }
}

const named = (descriptor: Descriptor, name = 'docker.io/library/app:1') => ({
  ...descriptor,
  annotations: { 'io.containerd.image.name': name },
});

describe('an index with several platforms', () => {
  async function multi(...platforms: string[]) {
    const layout = new Layout();
    const manifests = await Promise.all(platforms.map((platform) => layout.image(platform)));
    const index = layout.add(MEDIA_TYPE.ociIndex, { schemaVersion: 2, mediaType: MEDIA_TYPE.ociIndex, manifests });
    return { tar: await layout.tar([named(index)]), index };
  }

  it.each([
    [['linux/amd64', 'wasi/wasm32', 'wasip1/wasm'], undefined, 'wasip1/wasm'],
    [['linux/amd64', 'wasi/wasm32'], undefined, 'wasi/wasm32'],
    [['linux/amd64', 'wasip1/wasm'], 'linux/amd64', 'linux/amd64'],
    [['linux/amd64', 'linux/arm64'], undefined, 'linux/amd64'],
  ])('%j, wanted %s: takes %s', async (platforms, wanted, expected) => {
    const { tar, index } = await multi(...platforms);
    const store = openImages(memoryStore());
    const options = wanted === undefined ? {} : { platforms: [parsePlatform(wanted)] };
    const [record] = await loadStream(store, chunks(tar), options);
    const { os, architecture } = record?.platform ?? {};
    expect(`${os}/${architecture}`).toBe(expected);
    expect(record?.target.digest).toBe(index.digest);
    // the other platforms' blobs are left out, the index itself is kept for push
    expect(await store.content.list()).toHaveLength(4);
    const saved = await collect(await saveImages(store.images, ['app:1']));
    const again = openImages(memoryStore());
    expect((await loadStream(again, chunks(saved)))[0]).toMatchObject({ id: record?.id, platform: record?.platform });
  });

  it('without the one that was asked for', async () => {
    const { tar } = await multi('linux/amd64', 'wasip1/wasm');
    const store = openImages(memoryStore());
    await expect(loadStream(store, chunks(tar), { platforms: [parsePlatform('linux/riscv64')] })).rejects.toMatchObject(
      {
        code: 'no-matching-platform',
        message: 'image docker.io/library/app:1 is for linux/amd64, wasip1/wasm; none of them is linux/riscv64',
      },
    );
    expect(await store.images.records()).toEqual([]);
  });
});

describe('artifacts', () => {
  async function artifact(
    configType: string,
    layerType: string,
    config: unknown = { os: 'wasip2', architecture: 'wasm', layerDigests: [] },
  ) {
    const layout = new Layout();
    const layer = { ...layout.add(layerType, WASM), annotations: { 'org.opencontainers.image.title': 'tool.wasm' } };
    const manifest = layout.add(MEDIA_TYPE.ociManifest, {
      schemaVersion: 2,
      config: layout.add(configType, config),
      layers: [layer],
    });
    const store = openImages(memoryStore());
    await loadStream(
      store,
      chunks(await layout.tar([{ ...manifest, annotations: { 'org.opencontainers.image.ref.name': 'v1' } }])),
      { name: parseReference('tool') },
    );
    return { store, manifest, layer };
  }

  it('of the CNCF layout', async () => {
    const { store, manifest, layer } = await artifact(MEDIA_TYPE.wasmConfig, MEDIA_TYPE.wasmLayer);
    const image = await store.images.open('tool:v1');
    expect(image.form).toMatchObject({ kind: 'module', name: 'tool.wasm', layer: { digest: layer.digest } });
    // two artifacts may share a config that says nothing, so that is not what they are called by
    expect(image.id).toBe(manifest.digest);
    expect(image.record).toMatchObject({ sizeBytes: 8, diffIds: [], platform: { os: 'wasip2', architecture: 'wasm' } });
    expect(await inspectImage(store.images, 'tool:v1')).toMatchObject({
      Os: 'wasip2',
      Wasm: { Form: 'module', Name: 'tool.wasm' },
    });
    const saved = await collect(await saveImages(store.images, ['tool:v1']));
    const again = openImages(memoryStore());
    expect((await loadStream(again, chunks(saved)))[0]).toMatchObject({
      id: manifest.digest,
      reference: 'docker.io/library/tool:v1',
    });
  });

  it('of the older content layer and of an empty config', async () => {
    expect(
      (
        await (
          await artifact('application/vnd.wasm.config.v1+json', MEDIA_TYPE.wasmContentLayer)
        ).store.images.open('tool:v1')
      ).form.kind,
    ).toBe('module');
    expect(
      (await (await artifact(MEDIA_TYPE.ociEmpty, MEDIA_TYPE.wasmLayer, {})).store.images.open('tool:v1')).config
        .platform,
    ).toEqual({ os: 'wasip1', architecture: 'wasm' });
  });

  it("of runwasi: an image config whose diff IDs list the module's layer", async () => {
    const config = {
      os: 'wasip1',
      architecture: 'wasm',
      config: { Entrypoint: ['tool.wasm'] },
      rootfs: { type: 'layers', diff_ids: [sha256(WASM)] },
    };
    const { store, layer } = await artifact(MEDIA_TYPE.ociConfig, MEDIA_TYPE.wasmComponentLayer, config);
    const image = await store.images.open('tool:v1');
    expect(image).toMatchObject({ diffIds: [], form: { kind: 'module', layer: { digest: layer.digest } } });
    expect(image.id).toBe(image.manifest.config.digest);
  });

  it('that are no Wasm are refused before their name is given', async () => {
    await expect(
      artifact('application/vnd.cncf.helm.config.v1+json', 'application/vnd.cncf.helm.chart.content.v1.tar+gzip'),
    ).rejects.toMatchObject({
      code: 'unsupported-media-type',
      message: expect.stringMatching(
        /nothing here reads a layer of type "application\/vnd.cncf.helm.chart.content.v1.tar\+gzip"$/,
      ),
    });
  });
});
