/** THREATS: media-type confusion (CVE-2021-41190), sizes, digests, hostile configs. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isWctrError } from '../../src/errors.ts';
import { parseImageConfig } from '../../src/images/config.ts';
import { type Index, parseManifest, rankManifests, resolveManifest } from '../../src/images/manifest.ts';
import { DEFAULT_PLATFORMS, parsePlatform } from '../../src/images/platform.ts';
import { type Descriptor, MEDIA_TYPE } from '../../src/spec/image-spec.ts';

const HEX = 'a'.repeat(64);
const encode = (value: unknown) => new TextEncoder().encode(typeof value === 'string' ? value : JSON.stringify(value));
const descriptor = (mediaType: string, extra: object = {}) => ({
  mediaType,
  digest: `sha256:${HEX}`,
  size: 10,
  ...extra,
});
const config = descriptor(MEDIA_TYPE.ociConfig);
const layer = descriptor(MEDIA_TYPE.ociLayerGzip);
const manifest = { schemaVersion: 2, mediaType: MEDIA_TYPE.ociManifest, config, layers: [layer] };
const index = { schemaVersion: 2, mediaType: MEDIA_TYPE.ociIndex, manifests: [descriptor(MEDIA_TYPE.ociManifest)] };

function parse(document: unknown, origin: { mediaType?: string; contentType?: string } = {}) {
  return parseManifest(encode(document), { what: 'manifest of x', ...origin });
}

describe('documents that could be read two ways are refused', () => {
  const table: [string, unknown, { mediaType?: string; contentType?: string }, RegExp][] = [
    ['manifests and layers', { ...manifest, manifests: index.manifests }, {}, /both manifests and layers/],
    ['index with layers', { ...index, layers: [layer] }, {}, /both manifests and layers/],
    ['index with config', { ...index, config }, {}, /both manifests and layers/],
    ['both, without a type', { schemaVersion: 2, config, layers: [], manifests: [] }, {}, /both manifests and layers/],
    ['Layers beside manifests', { ...index, Layers: [layer] }, {}, /"Layers" is spelled with the wrong case/],
    ['MANIFESTS beside layers', { ...manifest, MANIFESTS: [] }, {}, /"MANIFESTS" is spelled with the wrong case/],
    ['served as index, says manifest', manifest, { contentType: MEDIA_TYPE.ociIndex }, /in one place and/],
    ['served as manifest, says index', index, { contentType: MEDIA_TYPE.ociManifest }, /in one place and/],
    ['served as docker, says oci', manifest, { contentType: MEDIA_TYPE.dockerManifest }, /in one place and/],
    ['served as json', manifest, { contentType: 'application/json' }, /in one place and/],
    ['descriptor says index', manifest, { mediaType: MEDIA_TYPE.ociIndex }, /in one place and/],
    [
      'descriptor and header disagree',
      { ...manifest, mediaType: undefined },
      { mediaType: MEDIA_TYPE.ociIndex, contentType: MEDIA_TYPE.ociManifest },
      /in one place and/,
    ],
    [
      'typed index, shaped manifest',
      { ...manifest, mediaType: undefined },
      { contentType: MEDIA_TYPE.ociIndex },
      /has no manifests/,
    ],
    [
      'typed manifest, shaped index',
      { ...index, mediaType: undefined },
      { contentType: MEDIA_TYPE.ociManifest },
      /has no layers/,
    ],
  ];
  it.each(table)('%s', (_, document, origin, why) => {
    expect(() => parse(document, origin)).toThrow(
      expect.objectContaining({ code: 'invalid-manifest', message: expect.stringMatching(why) }),
    );
  });
});

describe('what is not a manifest is refused', () => {
  const table: [string, unknown, string, RegExp][] = [
    ['no JSON', '{"schemaVersion":2', 'invalid-manifest', /is not JSON/],
    ['not UTF-8', new Uint8Array([0x7b, 0xff, 0x7d]), 'invalid-manifest', /is not JSON in UTF-8/],
    ['an array', [], 'invalid-manifest', /not an object/],
    ['null', 'null', 'invalid-manifest', /not an object/],
    ['no schemaVersion', { ...manifest, schemaVersion: undefined }, 'invalid-manifest', /schemaVersion is not 2/],
    [
      'schema 1',
      { schemaVersion: 1, fsLayers: [], history: [] },
      'unsupported-media-type',
      /schema 1 manifest, a retired format$/,
    ],
    [
      'schema 1 by type',
      { schemaVersion: 2, mediaType: MEDIA_TYPE.dockerSchema1Signed },
      'unsupported-media-type',
      /schema 1/,
    ],
    [
      'an unknown type',
      { ...manifest, mediaType: 'application/x-evil' },
      'unsupported-media-type',
      /media type "application\/x-evil"/,
    ],
    ['a type that is no type', { ...manifest, mediaType: 'a/b\r\nX: y' }, 'invalid-manifest', /is not a media type/],
    ['no config', { ...manifest, config: undefined }, 'invalid-manifest', /config is not an object/],
    ['layers an object', { ...manifest, layers: {} }, 'invalid-manifest', /layers is not an array/],
    ['2000 layers', { ...manifest, layers: Array(2000).fill(layer) }, 'invalid-manifest', /layers has 2000 items/],
    [
      'a negative size',
      { ...manifest, layers: [{ ...layer, size: -1 }] },
      'invalid-manifest',
      /layers\[0\].size is negative/,
    ],
    [
      'a size of 2^63',
      JSON.stringify(manifest).replace('"size":10', '"size":9223372036854775808'),
      'invalid-manifest',
      /size is .* more than/,
    ],
    [
      'a size of 1e400',
      JSON.stringify(manifest).replace('"size":10', '"size":1e400'),
      'invalid-manifest',
      /not an integer/,
    ],
    ['half a byte', { ...manifest, layers: [{ ...layer, size: 1.5 }] }, 'invalid-manifest', /not an integer/],
    ['a size in text', { ...manifest, layers: [{ ...layer, size: '10' }] }, 'invalid-manifest', /not an integer/],
    ['no size', { ...manifest, layers: [{ ...layer, size: undefined }] }, 'invalid-manifest', /size is missing/],
    ['a config of 5 MiB', { ...manifest, config: { ...config, size: 5 * 2 ** 20 } }, 'invalid-manifest', /config.size/],
    [
      'a digest that is a path',
      { ...manifest, layers: [{ ...layer, digest: 'sha256:../../etc/passwd' }] },
      'invalid-manifest',
      /is no digest/,
    ],
    [
      'a short digest',
      { ...manifest, layers: [{ ...layer, digest: 'sha256:abc' }] },
      'invalid-manifest',
      /is no digest/,
    ],
    [
      'an upper-case digest',
      { ...manifest, layers: [{ ...layer, digest: `sha256:${'A'.repeat(64)}` }] },
      'invalid-manifest',
      /is no digest/,
    ],
    [
      'md5',
      { ...manifest, layers: [{ ...layer, digest: 'md5:d41d8cd98f00b204e9800998ecf8427e' }] },
      'invalid-manifest',
      /is no digest/,
    ],
    [
      'a platform with escapes',
      {
        ...index,
        manifests: [descriptor(MEDIA_TYPE.ociManifest, { platform: { os: '\u001b[2J', architecture: 'x' } })],
      },
      'invalid-manifest',
      /not a plain word/,
    ],
    ['5 MiB', { ...manifest, annotations: { a: 'x'.repeat(5 * 2 ** 20) } }, 'limit-exceeded', /more than 4194304$/],
  ];
  it.each(table)('%s', (_, document, code, why) => {
    const bytes = document instanceof Uint8Array ? document : encode(document);
    let error: unknown;
    try {
      parseManifest(bytes, { what: 'manifest of x' });
    } catch (thrown) {
      error = thrown;
    }
    expect(error).toMatchObject({ code, message: expect.stringMatching(why) });
    expect((error as Error).message).toMatch(/^manifest of x[^\p{Cc}]*$/u);
  });

  it('is not confused by __proto__ and constructor', () => {
    const text = JSON.stringify(manifest).replace(
      '{',
      '{"__proto__":{"manifests":[]},"annotations":{"__proto__":"x","constructor":"y"},',
    );
    const parsed = parse(text);
    expect(parsed.kind).toBe('manifest');
    expect(Object.getOwnPropertyNames(parsed.annotations)).toEqual(['__proto__', 'constructor']);
    expect(Object.getPrototypeOf(parsed.annotations)).toBe(Object.prototype);
  });

  it('never fails but with its own errors', () => {
    const mutated = fc.record({ at: fc.nat(400), byte: fc.integer({ min: 32, max: 126 }) });
    fc.assert(
      fc.property(fc.array(mutated, { minLength: 1, maxLength: 4 }), fc.boolean(), (changes, isIndex) => {
        const bytes = encode(isIndex ? index : manifest);
        for (const { at, byte } of changes) bytes[at % bytes.length] = byte;
        try {
          parseManifest(bytes, { what: 'manifest' });
        } catch (error) {
          if (!isWctrError(error)) throw error;
        }
      }),
      { numRuns: 3000 },
    );
  });
});

describe('indexes', () => {
  const nested = (depth: number, read: string[] = []) => {
    const documents = new Map<string, Uint8Array>();
    const digestAt = (i: number) => `sha256:${String(i).padStart(64, '0')}` as const;
    for (let i = 0; i < depth; i += 1) {
      documents.set(
        digestAt(i),
        encode({
          schemaVersion: 2,
          mediaType: MEDIA_TYPE.ociIndex,
          manifests: [
            {
              ...descriptor(MEDIA_TYPE.ociIndex),
              digest: digestAt(i + 1),
              mediaType: i + 1 < depth ? MEDIA_TYPE.ociIndex : MEDIA_TYPE.ociManifest,
              ...(i + 1 < depth ? {} : { platform: { os: 'wasip1', architecture: 'wasm' } }),
            },
          ],
        }),
      );
    }
    documents.set(digestAt(depth), encode(manifest));
    const target: Descriptor = { mediaType: MEDIA_TYPE.ociIndex, digest: digestAt(0), size: 1 };
    return resolveManifest('x', target, DEFAULT_PLATFORMS, async ({ digest }) => {
      read.push(digest);
      return { bytes: documents.get(digest) as Uint8Array };
    });
  };

  it('may be nested a little, not for ever', async () => {
    await expect(nested(3)).resolves.toMatchObject({ manifest: { kind: 'manifest' } });
    await expect(nested(4)).rejects.toMatchObject({
      code: 'invalid-manifest',
      message: 'image x: indexes are nested deeper than 3',
    });
  });

  it('that name themselves end', async () => {
    const loop = encode({ ...index, manifests: [descriptor(MEDIA_TYPE.ociIndex)] });
    const target: Descriptor = { mediaType: MEDIA_TYPE.ociIndex, digest: `sha256:${HEX}`, size: 1 };
    await expect(resolveManifest('x', target, DEFAULT_PLATFORMS, async () => ({ bytes: loop }))).rejects.toMatchObject({
      code: 'invalid-manifest',
    });
  });

  it('of Linux only say what they are and what would run', async () => {
    const of = (os: string, architecture: string, variant?: string) =>
      descriptor(MEDIA_TYPE.ociManifest, { platform: { os, architecture, ...(variant ? { variant } : {}) } });
    const linux = encode({
      ...index,
      manifests: [of('linux', 'amd64'), of('linux', 'arm64', 'v8'), of('unknown', 'unknown')],
    });
    const target: Descriptor = { mediaType: MEDIA_TYPE.ociIndex, digest: `sha256:${HEX}`, size: 1 };
    await expect(
      resolveManifest('debian', target, DEFAULT_PLATFORMS, async () => ({ bytes: linux })),
    ).rejects.toMatchObject({
      code: 'no-matching-platform',
      message:
        'image debian is for linux/amd64, linux/arm64/v8; none of them is wasip1/wasm, wasi/wasm, wasi/wasm32, wasip2/wasm',
    });
  });

  it('give the best wanted platform, then marked ones, then unlabelled ones', () => {
    const entry = (size: number, platform?: object, annotations?: object) => ({
      ...descriptor(MEDIA_TYPE.ociManifest),
      size,
      ...(platform ? { platform } : {}),
      ...(annotations ? { annotations } : {}),
    });
    const parsed = parse({
      ...index,
      manifests: [
        entry(1),
        entry(2, { os: 'linux', architecture: 'amd64' }),
        entry(3, { os: 'linux', architecture: 'amd64' }, { 'module.wasm.image/variant': 'compat-smart' }),
        entry(4, { os: 'wasi', architecture: 'wasm32' }),
        entry(5, { os: 'wasi', architecture: 'wasm' }),
        entry(6, { os: 'wasip2', architecture: 'wasm' }),
        entry(7, { os: 'wasip1', architecture: 'wasm' }),
        entry(8, { os: 'wasip1', architecture: 'wasm' }, { 'vnd.docker.reference.type': 'attestation-manifest' }),
        entry(9, { os: 'linux', architecture: 'arm64' }, { 'run.oci.handler': 'wasmedge' }),
      ],
    }) as Index;
    expect(rankManifests(parsed, DEFAULT_PLATFORMS).map(({ size }) => size)).toEqual([7, 5, 4, 6, 3, 9, 1]);
    expect(rankManifests(parsed, [parsePlatform('linux/x86_64')]).map(({ size }) => size)).toEqual([2, 3, 9, 1]);
  });
});

describe('hostile image configs', () => {
  const parseConfig = (process: unknown, extra: object = {}) =>
    parseImageConfig(
      encode({ architecture: 'wasm', os: 'wasi', rootfs: { type: 'layers', diff_ids: [] }, config: process, ...extra }),
      'config of x',
    );
  const table: [string, unknown, RegExp][] = [
    ['NUL in env', { Env: ['A=b\0LD_PRELOAD=/evil.so'] }, /config.Env\[0\] contains a NUL/],
    ['env without name', { Env: ['=x'] }, /is not NAME=value/],
    ['env without value', { Env: ['x'] }, /is not NAME=value/],
    ['env that is a number', { Env: [1] }, /not a string/],
    ['NUL in the command', { Cmd: ['a\0b'] }, /NUL/],
    ['a command that is text', { Cmd: 'rm -rf /' }, /not an array/],
    ['5000 arguments', { Entrypoint: Array(5000).fill('a') }, /5000 items/],
    ['3 MiB of arguments', { Entrypoint: Array(30).fill('a'.repeat(100_000)) }, /3000000 characters/],
    ['a user with a newline', { User: 'root\nevil:x:0:0' }, /is not a user/],
    ['a user that is a path', { User: '../../etc' }, /is not a user/],
    ['a volume that is a bind', { Volumes: { '/etc:/host-etc': {} } }, /Volumes key "\/etc:\/host-etc"/],
    ['a volume with ..', { Volumes: { '/data/../../etc': {} } }, /Volumes key/],
    ['a relative volume', { Volumes: { etc: {} } }, /Volumes key/],
    ['a port of 99999', { ExposedPorts: { '99999/tcp': {} } }, /ExposedPorts key/],
    ['a port that is an option', { ExposedPorts: { '--privileged': {} } }, /ExposedPorts key/],
    ['a stop signal with a space', { StopSignal: 'TERM; reboot' }, /StopSignal/],
    ['labels as a list', { Labels: ['a=b'] }, /not an object/],
    ['a label that is an object', { Labels: { a: {} } }, /not a string/],
    ['a negative health interval', { Healthcheck: { Interval: -1 } }, /Healthcheck.Interval is negative/],
    ['NUL in the working directory', { WorkingDir: '/a\0' }, /NUL/],
  ];
  it.each(table)('%s', (_, process, why) => {
    expect(() => parseConfig(process)).toThrow(
      expect.objectContaining({ code: 'invalid-manifest', message: expect.stringMatching(why) }),
    );
  });

  it.each([
    [
      'diff IDs that are no digests',
      { rootfs: { type: 'layers', diff_ids: ['sha256:x'] } },
      /diff_ids\[0\] is not a digest/,
    ],
    ['another kind of rootfs', { rootfs: { type: 'squashfs', diff_ids: [] } }, /rootfs.type/],
    ['an os with a slash', { os: '../../x' }, /not a plain word/],
  ])('%s', (_, extra, why) => {
    expect(() => parseConfig({}, extra)).toThrow(
      expect.objectContaining({ code: 'invalid-manifest', message: expect.stringMatching(why) }),
    );
  });

  it('what is well formed comes through as it is, unknown host options do not', () => {
    const parsed = parseConfig({
      Env: ['A=b=c'],
      Entrypoint: ['/a'],
      User: '1000:1000',
      ExposedPorts: { '80/tcp': {}, '8000-8010/udp': {} },
      Volumes: { '/data': {} },
      HostConfig: { Privileged: true },
      Binds: ['/:/host'],
    });
    expect(parsed.process).toEqual({
      Env: ['A=b=c'],
      Entrypoint: ['/a'],
      User: '1000:1000',
      ExposedPorts: { '80/tcp': {}, '8000-8010/udp': {} },
      Volumes: { '/data': {} },
    });
  });
});
