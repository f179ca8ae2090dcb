/** Base images of a build: from the store, from the package, or from their registry. */
import type { BaseImage, BaseImageRequest, BaseImages } from '../build/solve/ports.ts';
import { isWctrError, WctrError } from '../errors.ts';
import type { Image } from '../images/image-store.ts';
import { ociLayer } from '../images/oci-layer.ts';
import { DEFAULT_PLATFORMS, formatPlatform, noMatchingPlatform, platformRank } from '../images/platform.ts';
import { canonicalName, parseReference } from '../images/reference.ts';
import type { CredentialSource } from '../images/registry/credentials.ts';
import type { Platform } from '../spec/image-spec.ts';
import type { LocalImages } from './image-use-cases.ts';
import type { EngineParts } from './parts.ts';

export class LocalBaseImages implements BaseImages {
  readonly #parts: EngineParts;
  readonly #images: LocalImages;
  readonly #credentials: CredentialSource | undefined;

  /** `credentials`: in place of those the engine finds by itself. */
  constructor(parts: EngineParts, images: LocalImages, credentials: CredentialSource | undefined) {
    this.#parts = parts;
    this.#images = images;
    this.#credentials = credentials;
  }

  async open(name: string, request: BaseImageRequest): Promise<BaseImage> {
    const image = await this.#find(name, request);
    const { record, form, layers, config } = image;
    await this.#images.permit(record);
    if (form.kind === 'module') {
      throw new WctrError('unsupported', `${name} is a bare module: there is no file system to build upon`, {
        hint: 'copy the module into an image: FROM scratch, ADD or COPY it',
      });
    }
    const tars = layers.map(({ descriptor, diffId }) => {
      if (diffId === undefined) throw new WctrError('invalid-manifest', `${name} has a layer its config does not name`);
      return { descriptor: ociLayer(descriptor), diffId };
    });
    await request.pins.pin([record.target.digest, ...record.blobs, ...image.diffIds]);
    const { layers: store } = this.#parts;
    for (const { descriptor, diffId } of tars) {
      // Layers are a cache of the blobs: one that was deleted is made again
      if ((await store.get(diffId)) === undefined) await store.unpack(descriptor, diffId);
    }
    return { reference: canonicalName(parseReference(name)), digest: record.target.digest, config, layers: tars };
  }

  async #find(name: string, request: BaseImageRequest): Promise<Image> {
    const { images } = this.#parts;
    const here = request.pull ? undefined : await this.#here(name);
    if (here !== undefined && isFor(here, request)) return here;
    if (here === undefined && (await this.#images.addBundled(name))) {
      const bundled = await images.open(name);
      if (isFor(bundled, request)) return bundled;
    }
    try {
      const { imageId } = await this.#images.pull(name, {
        ...(isOwn(request.platform) && !request.isPlatformAsked ? {} : { platform: formatPlatform(request.platform) }),
        ...(this.#credentials === undefined ? {} : { logins: this.#credentials }),
        ...(request.onProgress === undefined ? {} : { onEvent: request.onProgress }),
        ...(request.signal === undefined ? {} : { signal: request.signal }),
      });
      return await images.open(imageId);
    } catch (error) {
      if (here === undefined || isWctrError(error, 'cancelled')) throw error;
      // That it is here for something else says more than that nobody has another
      throw noMatchingPlatform(name, [here.config.platform], [request.platform]);
    }
  }

  async #here(name: string): Promise<Image | undefined> {
    return this.#parts.images.open(name).catch((error: unknown) => {
      if (isWctrError(error, 'no-such-image')) return undefined;
      throw error;
    });
  }
}

/** Whether an image that is here will do. What is built for Wasm may stand on whatever runs here. */
function isFor({ config, form }: Image, { platform, isPlatformAsked }: BaseImageRequest): boolean {
  if (platformRank([platform], config.platform) >= 0 || config.platform.os === '') return true;
  if (isPlatformAsked || !isOwn(platform)) return false;
  return platformRank(DEFAULT_PLATFORMS, config.platform) >= 0 || (form.kind === 'rootfs' && form.wasmBy !== 'unknown');
}

function isOwn(platform: Platform): boolean {
  return platformRank(DEFAULT_PLATFORMS, platform) >= 0;
}
