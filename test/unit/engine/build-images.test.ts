import { describe, expect, it } from 'vitest';
import { LocalBaseImages } from '../../../src/engine/build-images.ts';
import type { LocalImages } from '../../../src/engine/image-use-cases.ts';
import type { EngineParts } from '../../../src/engine/parts.ts';
import { WctrError } from '../../../src/errors.ts';
import { importImage } from '../../../src/images/import.ts';
import { parsePlatform } from '../../../src/images/platform.ts';
import { parseReference } from '../../../src/images/reference.ts';
import { chunks, memoryStore, openImages, tarOf } from '../../support/image-store.ts';

/** `here`: images of the store by name, with their platform; `there`: those a registry or the package has. */
async function opened(here: Readonly<Record<string, string>>, there: Readonly<Record<string, string>> = {}) {
  const store = openImages(memoryStore());
  const asked: string[] = [];
  const put = async (name: string, platform: string) =>
    importImage(store, chunks(await tarOf({ [name]: platform })), {
      ...{ reference: parseReference(name), platform: parsePlatform(platform) },
    });
  for (const [name, platform] of Object.entries(here)) await put(name, platform);
  const images = {
    pull: async (name: string, { platform }: { platform?: string }) => {
      asked.push(`pull ${name} ${platform ?? '-'}`);
      const found = there[name];
      if (found === undefined) throw new WctrError('registry-unreachable', 'no network');
      const record = await put(name, found);
      return { imageId: record.id };
    },
    addBundled: async (name: string) => {
      if (there[`bundled ${name}`] === undefined) return false;
      await put(name, there[`bundled ${name}`]!);
      return true;
    },
    permit: async () => void asked.push('permit'),
  } as unknown as LocalImages;
  const bases = new LocalBaseImages(store as unknown as EngineParts, images, undefined);
  const pinned: string[] = [];
  const pins = { pin: async (digests: readonly string[]) => void pinned.push(...digests) };
  const open = (name: string, platform = 'wasi/wasm', more: { asked?: boolean; pull?: boolean } = {}) =>
    bases.open(name, {
      ...{ platform: parsePlatform(platform), isPlatformAsked: more.asked ?? false, pull: more.pull ?? false, pins },
    });
  return { open, asked, pinned };
}

describe('a base image', () => {
  it.each<[what: string, here: Record<string, string>, there: Record<string, string>, asked: string[]]>([
    ['that is here', { x: 'wasi/wasm' }, {}, ['permit']],
    ['that is here for what runs here too', { x: 'wasip1/wasm' }, {}, ['permit']],
    ['that is in the package', {}, { 'bundled x': 'wasip1/wasm' }, ['permit']],
    ['that is elsewhere', {}, { x: 'wasi/wasm' }, ['pull x -', 'permit']],
    ['that is here for something else', { x: 'linux/amd64' }, { x: 'wasi/wasm' }, ['pull x -', 'permit']],
  ])('%s is found', async (_, here, there, expected) => {
    const { open, asked, pinned } = await opened(here, there);
    const image = await open('x');
    expect([image.reference, image.layers.length, asked]).toEqual(['docker.io/library/x:latest', 1, expected]);
    expect(pinned).toEqual(expect.arrayContaining([image.digest, image.layers[0]!.diffId]));
    expect(image.layers[0]?.descriptor.mediaType).toMatch(/^application\/vnd\.oci\./);
  });

  it('is asked for again when that is wanted', async () => {
    const { open, asked } = await opened({ x: 'wasi/wasm' }, { x: 'wasi/wasm' });
    await open('x', 'wasi/wasm', { pull: true });
    expect(asked).toEqual(['pull x -', 'permit']);
  });

  it('is the one of the platform that FROM names, and no other', async () => {
    const { open, asked } = await opened({ x: 'wasip1/wasm' }, { x: 'linux/arm64' });
    await open('x', 'linux/arm64', { asked: true });
    expect(asked).toEqual(['pull x linux/arm64', 'permit']);
  });

  it('that is here for something else, and nowhere else, says so', async () => {
    const { open } = await opened({ x: 'linux/amd64' });
    await expect(open('x')).rejects.toMatchObject({
      code: 'no-matching-platform',
      message: expect.stringContaining('linux/amd64'),
    });
    await expect(open('y')).rejects.toMatchObject({ code: 'registry-unreachable' });
  });
});
