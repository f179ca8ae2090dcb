import { describe, expect, it } from 'vitest';
import { parseImageConfig } from '../../../src/images/config.ts';
import { type Manifest, parseManifest } from '../../../src/images/manifest.ts';
import { DEFAULT_PLATFORMS } from '../../../src/images/platform.ts';
import {
  assertMayRun,
  binaryKind,
  imageForm,
  isArtifact,
  parseArtifactConfig,
  planLayers,
  probeEntrypoint,
  rootfsDiffIds,
  splitEntry,
} from '../../../src/images/variants.ts';
import { MEDIA_TYPE } from '../../../src/spec/image-spec.ts';

const digest = (char: string) => `sha256:${char.repeat(64)}` as const;
const encode = (value: unknown) => new TextEncoder().encode(JSON.stringify(value));

function manifestOf(
  configType: string,
  layerTypes: string[],
  extra: { annotations?: object; layer?: object } = {},
): Manifest {
  const layers = layerTypes.map((mediaType, i) => ({ mediaType, digest: digest(String(i)), size: 1, ...extra.layer }));
  const document = {
    schemaVersion: 2,
    config: { mediaType: configType, digest: digest('c'), size: 1 },
    layers,
    annotations: extra.annotations,
  };
  return parseManifest(encode(document), { what: 'm' }) as Manifest;
}

function configOf(platform: string, diffIds: string[] = [], process: object = {}) {
  const [os, architecture] = platform.split('/');
  return parseImageConfig(
    encode({ os, architecture, config: process, rootfs: { type: 'layers', diff_ids: diffIds } }),
    'c',
  );
}

describe('the forms of Wasm images', () => {
  const gzip = [MEDIA_TYPE.ociLayerGzip];
  const cases: [string, Manifest, ReturnType<typeof configOf>, object][] = [
    [
      'platform wasip1/wasm',
      manifestOf(MEDIA_TYPE.ociConfig, gzip),
      configOf('wasip1/wasm', [digest('d')]),
      { kind: 'rootfs', wasmBy: 'platform' },
    ],
    [
      'platform wasi/wasm32',
      manifestOf(MEDIA_TYPE.dockerConfig, gzip),
      configOf('wasi/wasm32', [digest('d')]),
      { kind: 'rootfs', wasmBy: 'platform' },
    ],
    [
      'variant compat',
      manifestOf(MEDIA_TYPE.ociConfig, gzip, { annotations: { 'module.wasm.image/variant': 'compat' } }),
      configOf('linux/amd64', [digest('d')]),
      { kind: 'rootfs', wasmBy: 'annotation' },
    ],
    [
      'variant compat-smart',
      manifestOf(MEDIA_TYPE.ociConfig, gzip, { annotations: { 'module.wasm.image/variant': 'compat-smart' } }),
      configOf('linux/amd64', [digest('d')]),
      { kind: 'rootfs', wasmBy: 'annotation' },
    ],
    [
      'handler wasmedge',
      manifestOf(MEDIA_TYPE.ociConfig, gzip, { annotations: { 'run.oci.handler': 'wasmedge' } }),
      configOf('linux/amd64', [digest('d')]),
      { kind: 'rootfs', wasmBy: 'annotation' },
    ],
    [
      'handler krun is not Wasm',
      manifestOf(MEDIA_TYPE.ociConfig, gzip, { annotations: { 'run.oci.handler': 'krun' } }),
      configOf('linux/amd64', [digest('d')]),
      { kind: 'rootfs', wasmBy: 'unknown' },
    ],
    [
      'an entrypoint called .wasm',
      manifestOf(MEDIA_TYPE.ociConfig, gzip),
      configOf('linux/amd64', [digest('d')], { Entrypoint: ['/app.wasm#main'] }),
      { kind: 'rootfs', wasmBy: 'entrypoint-name' },
    ],
    [
      'a Linux image',
      manifestOf(MEDIA_TYPE.ociConfig, gzip),
      configOf('linux/amd64', [digest('d')], { Cmd: ['bash'] }),
      { kind: 'rootfs', wasmBy: 'unknown' },
    ],
    [
      'an artifact',
      manifestOf(MEDIA_TYPE.wasmConfig, [MEDIA_TYPE.wasmLayer], {
        layer: { annotations: { 'org.opencontainers.image.title': '../x/tool.wasm' } },
      }),
      configOf('wasip2/wasm'),
      { kind: 'module', name: 'tool.wasm' },
    ],
    [
      'an artifact with an odd title',
      manifestOf(MEDIA_TYPE.wasmConfig, [MEDIA_TYPE.wasmLayer], {
        layer: { annotations: { 'org.opencontainers.image.title': '..' } },
      }),
      configOf('wasip1/wasm'),
      { kind: 'module', name: 'module.wasm' },
    ],
    [
      'the old content layer',
      manifestOf('application/vnd.wasm.config.v1+json', [MEDIA_TYPE.wasmContentLayer]),
      configOf('wasip1/wasm'),
      { kind: 'module' },
    ],
    [
      "runwasi's component layer",
      manifestOf(MEDIA_TYPE.ociConfig, [MEDIA_TYPE.wasmComponentLayer]),
      configOf('wasip1/wasm', [digest('0')]),
      { kind: 'module' },
    ],
    [
      'a component layer beside files',
      manifestOf(MEDIA_TYPE.ociConfig, [...gzip, MEDIA_TYPE.wasmComponentLayer]),
      configOf('wasip1/wasm', [digest('a'), digest('1')]),
      { kind: 'module', layer: { digest: digest('1') } },
    ],
  ];
  it.each(cases)('%s', (_, manifest, config, expected) => {
    expect(imageForm('x', manifest, config)).toMatchObject(expected);
  });

  it('an artifact without a module is refused', () => {
    expect(() =>
      imageForm('x', manifestOf(MEDIA_TYPE.ociEmpty, [MEDIA_TYPE.ociLayerTar]), configOf('wasip1/wasm')),
    ).toThrow(
      expect.objectContaining({
        code: 'unsupported-media-type',
        message: 'x is an artifact with 0 Wasm layers, not 1',
      }),
    );
    expect(isArtifact(manifestOf(MEDIA_TYPE.ociEmpty, []))).toBe(true);
    expect(parseArtifactConfig(encode({ os: 'wasip2', architecture: 'wasm', layerDigests: [] }), 'c').platform).toEqual(
      { os: 'wasip2', architecture: 'wasm' },
    );
    expect(parseArtifactConfig(encode({}), 'c').platform).toEqual({ os: 'wasip1', architecture: 'wasm' });
  });

  it('a Linux image is refused before its layers are fetched, unless it was asked for', () => {
    const config = configOf('linux/arm64');
    const form = imageForm('x', manifestOf(MEDIA_TYPE.ociConfig, gzip), config);
    expect(() => assertMayRun('debian', form, config, DEFAULT_PLATFORMS, false)).toThrow(
      expect.objectContaining({
        code: 'no-matching-platform',
        message: 'image debian is for linux/arm64; none of them is wasip1/wasm, wasi/wasm, wasi/wasm32, wasip2/wasm',
      }),
    );
    expect(() => assertMayRun('debian', form, config, DEFAULT_PLATFORMS, true)).not.toThrow();
  });
});

describe('layers and diff IDs', () => {
  it('are paired, Wasm layers listed or not', () => {
    const types = [MEDIA_TYPE.ociLayerGzip, MEDIA_TYPE.wasmComponentLayer, MEDIA_TYPE.ociLayerZstd];
    const manifest = manifestOf(MEDIA_TYPE.ociConfig, types);
    const all = planLayers('x', manifest, configOf('wasip1/wasm', [digest('a'), digest('1'), digest('b')]));
    const tarsOnly = planLayers('x', manifest, configOf('wasip1/wasm', [digest('a'), digest('b')]));
    expect(rootfsDiffIds(all)).toEqual([digest('a'), digest('b')]);
    expect(tarsOnly).toEqual(all);
    expect(all.map(({ kind }) => kind)).toEqual(['tar', 'wasm', 'tar']);
  });

  it('that do not fit are refused', () => {
    const manifest = manifestOf(MEDIA_TYPE.ociConfig, [MEDIA_TYPE.ociLayerTar, MEDIA_TYPE.ociLayerTar]);
    expect(() => planLayers('x', manifest, configOf('wasip1/wasm', [digest('a')]))).toThrow(
      expect.objectContaining({ code: 'invalid-manifest', message: 'x: 2 layers but 1 rootfs.diff_ids' }),
    );
    expect(() =>
      planLayers('x', manifestOf(MEDIA_TYPE.ociConfig, ['application/x-evil']), configOf('wasip1/wasm')),
    ).toThrow(expect.objectContaining({ code: 'unsupported-media-type' }));
  });
});

describe('entrypoints', () => {
  it.each([
    ['app.wasm', 'app.wasm', undefined],
    ['app.wasm#run', 'app.wasm', 'run'],
    ['/a#b/app.wasm#run', '/a#b/app.wasm', 'run'],
    ['/bin/tool#x', '/bin/tool#x', undefined],
    ['app.wasm#', 'app.wasm#', undefined],
    ['app.wasm#a#b', 'app.wasm#a#b', undefined],
    ['/app.wasm#_start', '/app.wasm', '_start'],
  ])('%s', (entry, path, exportName) => {
    expect(splitEntry(entry)).toEqual({ path, exportName });
  });

  it.each([
    [[0, 0x61, 0x73, 0x6d, 1, 0, 0, 0], 'module'],
    [[0, 0x61, 0x73, 0x6d, 0x0d, 0, 1, 0], 'component'],
    [[0, 0x61, 0x73, 0x6d, 2, 0, 0, 0], 'unknown'],
    [[0, 0x61, 0x73, 0x6d], 'unknown'],
    [[0x7f, 0x45, 0x4c, 0x46, 2, 1, 1, 0], 'elf'],
    [[0x23, 0x21, 0x2f, 0x62], 'script'],
    [[], 'empty'],
  ])('%j is a %s', (bytes, kind) => {
    expect(binaryKind(Uint8Array.from(bytes))).toBe(kind);
  });

  it('are found as execvp does, and at the root where Wasm images put them', async () => {
    const wasm = Uint8Array.from([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0]);
    const files = new Map([
      ['/usr/bin/tool', wasm],
      ['/w/run.wasm', wasm],
      ['/app.wasm', wasm],
      ['/w/sub/x', wasm],
    ]);
    const probe = (command: string, env: string[] = []) =>
      probeEntrypoint(command, { env, workingDir: '/w' }, async (path) => files.get(path));
    expect(await probe('tool')).toEqual({ path: '/usr/bin/tool', exportName: undefined, kind: 'module' });
    expect(await probe('tool', ['PATH=/nowhere'])).toBeUndefined();
    expect(await probe('run.wasm#go')).toEqual({ path: '/w/run.wasm', exportName: 'go', kind: 'module' });
    expect((await probe('app.wasm'))?.path).toBe('/app.wasm');
    expect((await probe('./sub/x'))?.path).toBe(undefined);
    expect((await probe('sub/x'))?.path).toBe('/w/sub/x');
    expect(await probe('/missing')).toBeUndefined();
  });
});
