/** What `wctr pull` says when a registry hands out what is wrong, and that nothing of it stays. */
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { MEDIA_TYPE } from '../../src/spec/image-spec.ts';
import { type Cli, openCli } from '../support/cli.ts';
import { peer } from '../support/peers.ts';
import { buildImage, noise, serve, tarOf } from '../support/registry-images.ts';
import { body, FakeRegistry, resetAfter, sha256, status } from '../support/registry-server.ts';
import { storeFiles } from '../support/store-files.ts';

let cli: Cli;
let registry: FakeRegistry;
beforeAll(async () => {
  cli = openCli();
  registry = await new FakeRegistry().listen();
  expect(await cli.run(['run', '--rm', 'hello'])).toMatchObject({ code: 0 });
});
beforeEach(() => registry.clearPlans());
afterAll(async () => {
  await registry.close();
  cli.remove();
});

/**
 * Runs a command that must fail. Nothing visible changes; what stays are manifests and configs that were verified before
 * the failure, which no name leads to, and the next collection takes them.
 */
async function fails(...args: string[]) {
  const before = storeFiles(cli.dir);
  const images = await cli.run(LIST);
  const { code, stdout, stderr } = await cli.run(args);
  expect(stdout).toBe('');
  expect(await cli.run(LIST)).toEqual(images);
  for (const path of storeFiles(cli.dir).filter((file) => !before.includes(file))) {
    expect(path).toMatch(/^blobs\/sha256\//);
    expect(sha256(readFileSync(join(cli.dir, 'store', path)))).toBe(path.slice(6).replace('/', ':'));
  }
  expect(await cli.run(['image', 'prune', '-f'])).toMatchObject({ code: 0, stderr: '' });
  expect(storeFiles(cli.dir)).toEqual(before);
  return { code, stderr: stderr.replaceAll(registry.host, 'REGISTRY') };
}
const LIST = ['images', '-a', '--no-trunc', '--format', '{{.Repository}}:{{.Tag}} {{.ID}} {{.Digest}}'];
const pull = (name: string) => fails('pull', '-q', `${registry.host}/${name}`);

/** One layer of these bytes, whatever they are. */
function layerImage(layer: Uint8Array, mediaType: string, diffId = sha256(layer)) {
  const good = buildImage();
  const config = new TextEncoder().encode(
    JSON.stringify({ os: 'wasip1', architecture: 'wasm', config: {}, rootfs: { type: 'layers', diff_ids: [diffId] } }),
  );
  registry.addBlob(layer);
  registry.addBlob(config);
  const manifest = {
    schemaVersion: 2,
    mediaType: MEDIA_TYPE.ociManifest,
    config: { ...good.config, digest: sha256(config), size: config.length },
    layers: [{ mediaType, digest: sha256(layer), size: layer.length }],
  };
  return { manifest, digest: sha256(layer), short: sha256(layer).slice(7, 19) };
}

function publish(name: string, document: unknown, mediaType: string = MEDIA_TYPE.ociManifest) {
  return registry.addManifest(name, 'latest', document, mediaType);
}

const TAR = tarOf({ 'file.txt': 'content\n'.repeat(4000), 'noise.bin': noise(50_000) });

function flipped(bytes: Uint8Array, at: number): Uint8Array {
  const copy = Uint8Array.from(bytes);
  copy[at]! ^= 0x10;
  return copy;
}

describe('wctr pull of layers that are damaged where they were made', () => {
  it('a flipped bit in gzip', async () => {
    const { manifest, digest } = layerImage(flipped(gzipSync(TAR), 20_000), MEDIA_TYPE.ociLayerGzip, sha256(TAR));
    publish('gzip', manifest);
    expect(await pull('gzip')).toEqual({
      code: 1,
      stderr: `wctr: layer ${digest}: the compressed data does not match its checksum\n`,
    });
  });

  it.skipIf(!peer('zstd'))('a flipped bit in zstd', async () => {
    const packed = execFileSync(peer('zstd')!, ['-c', '--check'], { input: TAR });
    const { manifest, digest } = layerImage(flipped(packed, packed.length - 9), MEDIA_TYPE.ociLayerZstd, sha256(TAR));
    publish('zstd', manifest);
    expect(await pull('zstd')).toEqual({
      code: 1,
      stderr: `wctr: layer ${digest}: the compressed data is damaged\n`,
    });
  });

  it('gzip that ends early', async () => {
    const { manifest, digest } = layerImage(gzipSync(TAR).subarray(0, 30_000), MEDIA_TYPE.ociLayerGzip, sha256(TAR));
    publish('short', manifest);
    expect(await pull('short')).toEqual({ code: 1, stderr: `wctr: layer ${digest}: the compressed data ends early\n` });
  });

  it('a tar that ends early', async () => {
    const cut = TAR.subarray(0, 20_000);
    const { manifest, digest } = layerImage(cut, MEDIA_TYPE.ociLayerTar);
    publish('cut', manifest);
    expect(await pull('cut')).toEqual({
      code: 1,
      stderr: `wctr: layer ${digest}: the tar ends early, at entry "file.txt"\n`,
    });
  });

  it('another content than the config says', async () => {
    const other = sha256(new TextEncoder().encode('other'));
    const { manifest, digest } = layerImage(gzipSync(TAR), MEDIA_TYPE.ociLayerGzip, other);
    publish('diff-id', manifest);
    expect(await pull('diff-id')).toEqual({
      code: 1,
      stderr:
        `wctr: layer ${digest}: unpacked it is ${sha256(TAR)}, the image's config names ${other}\n` +
        'hint: the image is damaged or has been tampered with; nothing was stored\n',
    });
  });

  it('bytes that are no tar', async () => {
    const { manifest, digest } = layerImage(noise(4096), MEDIA_TYPE.ociLayerTar);
    publish('noise', manifest);
    expect(await pull('noise')).toEqual({
      code: 1,
      stderr: `wctr: layer ${digest}: the tar has a header that is damaged or that tar programs read differently\n`,
    });
  });

  it('an unknown media type', async () => {
    const { manifest } = layerImage(TAR, 'application/vnd.example.layer.v1.tar+brotli');
    publish('brotli', manifest);
    expect(await pull('brotli')).toEqual({
      code: 1,
      stderr:
        'wctr: image REGISTRY/brotli:latest: nothing here reads a layer of type "application/vnd.example.layer.v1.tar+brotli"\n',
    });
  });
});

describe('wctr pull of what was damaged on the way', () => {
  it('other bytes than the digest says', async () => {
    const image = buildImage({ layers: [{ a: 'right' }] });
    serve(registry, 'wrong-digest', 'latest', image);
    const { digest, size } = image.layers[0]!;
    const other = noise(size);
    registry.putBlob(digest, other);
    expect(await pull('wrong-digest')).toEqual({
      code: 1,
      stderr:
        `wctr: blob ${digest}: the bytes received are ${sha256(other)}\n` +
        'hint: the registry or archive is damaged or has been tampered with; nothing was stored\n',
    });
  });

  it('fewer and more bytes than announced', async () => {
    const image = buildImage({ layers: [{ a: 'the size' }] });
    serve(registry, 'wrong-size', 'latest', image);
    const { digest, size } = image.layers[0]!;
    registry.putBlob(digest, noise(size - 1));
    expect(await pull('wrong-size')).toEqual({
      code: 1,
      stderr: `wctr: blob ${digest} of REGISTRY/wrong-size should have ${size} bytes, but REGISTRY announces ${size - 1}\n`,
    });
    registry.putBlob(digest, noise(size + 1));
    expect(await pull('wrong-size')).toEqual({
      code: 1,
      stderr: `wctr: blob ${digest} of REGISTRY/wrong-size should have ${size} bytes, but REGISTRY announces ${size + 1}\n`,
    });
  });

  it('a blob that is gone', async () => {
    const image = buildImage({ layers: [{ a: 'gone' }] });
    serve(registry, 'gone', 'latest', image);
    registry.removeBlob(image.layers[0]!.digest);
    expect(await pull('gone')).toEqual({
      code: 1,
      stderr: `wctr: blob ${image.layers[0]!.digest} of REGISTRY/gone not found\n`,
    });
  });

  it('a connection that breaks keeps only what the next pull takes up', async () => {
    const image = buildImage({ layers: [{ noise: noise(3_000_000) }] });
    serve(registry, 'breaks', 'latest', image);
    const { digest, size } = image.layers[0]!;
    const { bytes } = image.blobs.get(digest)!;
    registry.plan(new RegExp(`blobs/${digest}`), resetAfter(bytes, 1_000_000), 1);
    registry.plan(new RegExp(`blobs/${digest}`), resetAfter(bytes, 0));
    const name = `${registry.host}/breaks`;
    const failed = await cli.run(['pull', '-q', name]);
    expect({ ...failed, stderr: failed.stderr.replaceAll(registry.host, 'REGISTRY') }).toEqual({
      code: 1,
      stdout: '',
      stderr: expect.stringMatching(
        new RegExp(
          `^wctr: REGISTRY: blob ${digest} of REGISTRY/breaks broke off after \\d+ of ${size} bytes: connection reset\n` +
            'hint: what was received is kept: pull again to go on from there\n$',
        ),
      ),
    });
    const temporary = storeFiles(cli.dir).filter((path) => path.startsWith('tmp/'));
    expect(temporary).toEqual([`tmp/ingest-${digest.replace(':', '-')}`]);
    registry.clearPlans();
    registry.log.length = 0;
    const again = await cli.run(['pull', '-q', name]);
    expect(again).toEqual({ code: 0, stdout: `${name}:latest\n`, stderr: '' });
    expect(registry.requests(new RegExp(`blobs/${digest}`)).map(({ headers }) => headers.range)).toEqual([
      expect.stringMatching(/^bytes=[1-9]\d+-$/),
    ]);
    expect(storeFiles(cli.dir).filter((path) => path.startsWith('tmp/'))).toEqual([]);
    expect(await cli.run(['image', 'rm', name])).toMatchObject({ code: 0 });
  });
});

describe('wctr pull of manifests', () => {
  it('larger than 4 MiB', async () => {
    publish('large', { ...buildImage().blobs, schemaVersion: 2, padding: 'x'.repeat(5 << 20) });
    expect(await pull('large')).toEqual({
      code: 1,
      stderr: 'wctr: manifest for REGISTRY/large:latest is larger than 4194304 bytes\n',
    });
  });

  it('that are no JSON', async () => {
    publish('text', new TextEncoder().encode('<html>'));
    expect(await pull('text')).toEqual({
      code: 1,
      stderr: 'wctr: manifest for REGISTRY/text:latest is not JSON in UTF-8\n',
    });
  });

  it('of an unknown media type', async () => {
    publish('unknown', { schemaVersion: 2 }, 'application/vnd.example.manifest+json');
    expect(await pull('unknown')).toEqual({
      code: 1,
      stderr:
        'wctr: REGISTRY sent the manifest for REGISTRY/unknown:latest as "application/vnd.example.manifest+json"\n',
    });
  });

  it('of schema version 1', async () => {
    publish('v1', { schemaVersion: 1 }, 'application/vnd.docker.distribution.manifest.v1+prettyjws');
    expect(await pull('v1')).toEqual({
      code: 1,
      stderr:
        `wctr: REGISTRY/v1:latest is an image of Docker's old schema 1\n` +
        'hint: push it again with a current docker: schema 2 and OCI images are taken\n',
    });
  });

  it('for Linux only', async () => {
    serve(registry, 'linux', 'latest', buildImage({ platform: { os: 'linux', architecture: 'amd64' } }));
    const result = await cli.run(['run', '--rm', '-q', `${registry.host}/linux`]);
    expect({ ...result, stderr: result.stderr.replaceAll(registry.host, 'REGISTRY') }).toEqual({
      code: 125,
      stdout: '',
      stderr:
        'wctr: image REGISTRY/linux is for linux/amd64; none of them is wasip1/wasm, wasi/wasm, wasi/wasm32, wasip2/wasm\n' +
        'hint: wctr runs WebAssembly images: look for a wasip1/wasm or wasi/wasm tag of this image, or build the program for WASI\n',
    });
  });
});

describe('wctr pull of what is not there', () => {
  it('an unknown repository and an unknown tag', async () => {
    expect(await pull('nobody/nothing')).toEqual({
      code: 1,
      stderr: 'wctr: repository REGISTRY/nobody/nothing not found on REGISTRY\n',
    });
    serve(registry, 'tagged', 'one', buildImage());
    expect(await pull('tagged:two')).toEqual({ code: 1, stderr: 'wctr: manifest for REGISTRY/tagged:two not found\n' });
  });

  it('from a registry that is down', async () => {
    const other = await new FakeRegistry().listen();
    const { host } = other;
    await other.close();
    const result = await fails('pull', '-q', `${host}/app`);
    expect(result).toEqual({ code: 1, stderr: `wctr: cannot reach ${host}: connection refused\n` });
  });

  it('from a registry that fails, refuses, or is no registry', async () => {
    serve(registry, 'app', 'latest', buildImage());
    registry.plan(/manifests/, status(500));
    expect(await pull('app')).toEqual({
      code: 1,
      stderr: 'wctr: REGISTRY answered 500 for manifest for REGISTRY/app:latest\n',
    });
    registry.clearPlans();
    registry.plan(/./, body(new TextEncoder().encode('<html>hello</html>'), { 'content-type': 'text/html' }));
    expect(await pull('app')).toEqual({
      code: 1,
      stderr: 'wctr: REGISTRY sent the manifest for REGISTRY/app:latest as "text/html"\n',
    });
    registry.clearPlans();
    registry.login = { kind: 'basic', username: 'me', password: 'secret' };
    expect(await pull('app')).toEqual({
      code: 1,
      stderr:
        'wctr: pull access denied for REGISTRY/app: it does not exist or requires a login\n' +
        'hint: check the name, or log in: wctr login REGISTRY\n',
    });
    registry.login = undefined;
  });

  it('with a docker config that is broken', async () => {
    writeFileSync(join(cli.dir, 'config.json'), '{"auths": ');
    const env = { DOCKER_CONFIG: cli.dir };
    const result = await cli.run(['pull', '-q', `${registry.host}/app`], { env });
    expect({ ...result, stderr: result.stderr.replaceAll(cli.dir, 'DIR') }).toEqual({
      code: 1,
      stdout: '',
      stderr: 'wctr: DIR/config.json is not valid JSON\n',
    });
  });
});
