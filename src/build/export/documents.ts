/** What stages have come to, as documents of an image: config, manifest, and an index where it is for several platforms. */
import { WctrError } from '../../errors.ts';
import { digestOf } from '../../images/digest.ts';
import { formatPlatform, parsePlatform, samePlatform } from '../../images/platform.ts';
import { quote } from '../../images/quote.ts';
import {
  type Descriptor,
  type ImageConfigDocument,
  type IndexDocument,
  type ManifestDocument,
  MEDIA_TYPE,
  type Platform,
} from '../../spec/image-spec.ts';
import type { StageState } from '../solve/solve.ts';
import type { LayerParts, Pins } from '../stage/write-layer.ts';

export interface BuiltImage {
  readonly manifest: Descriptor;
  readonly config: Descriptor;
  readonly layers: readonly Descriptor[];
  readonly platform: Platform;
}

/** A target, and its layers in the form they are wanted in. */
export interface NewImage {
  readonly state: StageState;
  readonly platform: Platform;
  readonly layers: readonly Descriptor[];
}

export interface BuiltImages {
  /** The manifest, or the index over them. */
  readonly target: Descriptor;
  /** What the index lists beside the images, and all that these are made of. */
  readonly attestations: readonly Descriptor[];
  /** One for each platform, in the order asked for. */
  readonly images: readonly BuiltImage[];
}

type AnnotationPlace = 'manifest' | 'index' | 'manifest-descriptor' | 'index-descriptor';

export interface Annotation {
  readonly place: AnnotationPlace;
  /** Only of this one. */
  readonly platform: Platform | undefined;
  readonly key: string;
  readonly value: string;
}

const PLACES: readonly string[] = ['manifest', 'index', 'manifest-descriptor', 'index-descriptor'];

/** `[type[,type][[platform]]:]key`, as `--annotation` has it. Throws `invalid-argument`. */
export function parseAnnotations(given: Readonly<Record<string, string>>): readonly Annotation[] {
  return Object.entries(given).flatMap(([text, value]) => {
    const [, types = 'manifest', platform, key = ''] = /^(?:([a-z,-]+)(?:\[([^\]]*)\])?:)?(.+)$/s.exec(text) ?? [];
    const places = types.split(',');
    const wrong = places.find((place) => !PLACES.includes(place));
    if (wrong !== undefined || key === '') {
      throw new WctrError(
        'invalid-argument',
        `${quote(text)} is no annotation: there is no type ${quote(wrong ?? '')}`,
        {
          hint: `a type is one of ${PLACES.join(', ')}`,
        },
      );
    }
    return places.map((place) => ({
      place: place as AnnotationPlace,
      platform: platform === undefined ? undefined : parsePlatform(platform),
      ...{ key, value },
    }));
  });
}

export interface DocumentOptions {
  readonly annotations: readonly Annotation[];
  /** RFC 3339. */
  readonly created: string;
  /** Makes the manifest of an attestation about an image; each document by `put`. */
  readonly attest?: ((image: BuiltImage, put: Put) => Promise<Descriptor>) | undefined;
}

type Put = (mediaType: string, value: unknown) => Promise<Descriptor>;

/** Puts the documents into the store, pinned. */
export async function writeDocuments(
  parts: LayerParts,
  pins: Pins,
  built: readonly NewImage[],
  { annotations, created, attest }: DocumentOptions,
): Promise<BuiltImages> {
  const put: Put = async (mediaType, value) => {
    const bytes = new TextEncoder().encode(JSON.stringify(value));
    await pins.pin([digestOf(parts.createHasher, bytes)]);
    return parts.images.content.put(mediaType, bytes);
  };
  const of = (place: AnnotationPlace, platform?: Platform) => {
    const chosen = annotations.filter(
      (one) =>
        one.place === place &&
        (one.platform === undefined || (platform !== undefined && samePlatform(one.platform, platform))),
    );
    if (chosen.length === 0) return {};
    return { annotations: Object.fromEntries(chosen.map(({ key, value }) => [key, value])) };
  };
  const images: BuiltImage[] = [];
  for (const { state, platform, layers } of built) {
    const config = await put(MEDIA_TYPE.ociConfig, configOf(state, created));
    const document: ManifestDocument = {
      ...{ schemaVersion: 2, mediaType: MEDIA_TYPE.ociManifest, config, layers },
      ...of('manifest', platform),
    };
    images.push({ manifest: await put(MEDIA_TYPE.ociManifest, document), config, layers, platform });
  }
  const attestations: Descriptor[] = [];
  const listed: Descriptor[] = [];
  for (const image of attest === undefined ? [] : images) {
    const own = async (mediaType: string, value: unknown) => {
      const descriptor = await put(mediaType, value);
      attestations.push(descriptor);
      return descriptor;
    };
    const attestation = await attest?.(image, own);
    if (attestation !== undefined) listed.push(attestation);
  }
  const [only] = images as [BuiltImage];
  if (images.length === 1 && listed.length === 0) {
    if (annotations.some(({ place }) => place.startsWith('index'))) {
      throw new WctrError('invalid-argument', 'annotations of an index are for images with several platforms', {
        hint: 'leave out the type index:, or build for more than one platform',
      });
    }
    return { target: { ...only.manifest, ...of('manifest-descriptor', only.platform) }, images, attestations };
  }
  const index: IndexDocument = {
    ...{ schemaVersion: 2, mediaType: MEDIA_TYPE.ociIndex },
    manifests: [
      ...images.map(({ manifest, platform }) => ({ ...manifest, platform, ...of('manifest-descriptor', platform) })),
      ...listed,
    ],
    ...of('index'),
  };
  return { target: { ...(await put(MEDIA_TYPE.ociIndex, index)), ...of('index-descriptor') }, images, attestations };
}

function configOf({ draft, layers, platform }: StageState, created: string): ImageConfigDocument {
  return {
    created,
    ...(draft.author === undefined ? {} : { author: draft.author }),
    architecture: platform.architecture,
    os: platform.os,
    ...(platform.variant === undefined ? {} : { variant: platform.variant }),
    config: draft.process,
    rootfs: { type: 'layers', diff_ids: layers.map(({ diffId }) => diffId) },
    history: draft.history,
  };
}

/** `linux_amd64`: the directory of a platform's files. */
export function platformDirectory(platform: Platform): string {
  return formatPlatform(platform).replaceAll('/', '_');
}
