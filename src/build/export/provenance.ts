/**
 * Where an image comes from, as BuildKit attests it: an in-toto statement (https://in-toto.io/Statement/v0.1) with a SLSA
 * provenance predicate (https://slsa.dev/provenance/v0.2), in an attestation manifest beside the image's own in one index.
 */
import { formatPlatform } from '../../images/platform.ts';
import {
  type Descriptor,
  type Digest,
  type ImageConfigDocument,
  type ManifestDocument,
  MEDIA_TYPE,
  type Platform,
} from '../../spec/image-spec.ts';
import { VERSION } from '../../version.ts';

/** Something the build took in: an image, a file of an address. */
export interface Material {
  /** A package URL (`pkg:docker/name@tag?platform=…`), or the address. */
  readonly uri: string;
  readonly digest?: Digest;
}

export interface Provenance {
  /** `max` tells arguments and the Dockerfile; `min` only what is needed to check the image. */
  readonly mode: 'min' | 'max';
  readonly materials: readonly Material[];
  /** The Dockerfile's name, and its text. */
  readonly definition: { readonly name: string; readonly text: string };
  /** What the builder was asked: `target`, `build-arg:NAME`, `label:NAME`. Never secrets. */
  readonly parameters: Readonly<Record<string, string>>;
  readonly buildPlatform: Platform;
  /** RFC 3339; absent for a build that is to be the same every day. */
  readonly times?: { readonly started: string; readonly finished: string };
}

const STATEMENT = 'https://in-toto.io/Statement/v0.1';
const PREDICATE = 'https://slsa.dev/provenance/v0.2';
/** Whose parameters these are. */
const BUILD_TYPE = 'https://mobyproject.org/buildkit@v1';
const IN_TOTO = 'application/vnd.in-toto+json';

/** A purl has its tag behind an at sign, and a registry in its qualifiers only where it is not docker.io. */
export function imageUri(familiar: string, platform: Platform): string {
  const [, name = familiar, tag] = /^(.*?)(?::([^:/@]+))?(?:@.*)?$/.exec(familiar) ?? [];
  const version = tag === undefined ? '' : `@${encodeURIComponent(tag)}`;
  return `pkg:docker/${name.split('/').map(encodeURIComponent).join('/')}${version}?platform=${encodeURIComponent(formatPlatform(platform))}`;
}

/** `subjects`: names of the image; the digest is its manifest's. */
export function provenanceStatement(
  subjects: readonly string[],
  manifest: Digest,
  platform: Platform,
  { mode, materials, definition, parameters, buildPlatform, times }: Provenance,
): Record<string, unknown> {
  const isMax = mode === 'max';
  const names = subjects.length === 0 ? ['_'] : subjects.map((name) => imageUri(name, platform));
  return {
    _type: STATEMENT,
    predicateType: PREDICATE,
    subject: names.map((name) => ({ name, digest: digestSet(manifest) })),
    predicate: {
      builder: { id: `pkg:npm/wctr@${VERSION}` },
      buildType: BUILD_TYPE,
      materials: materials.map(({ uri, digest }) => ({
        uri,
        ...(digest === undefined ? {} : { digest: digestSet(digest) }),
      })),
      invocation: {
        configSource: { entryPoint: definition.name },
        parameters: {
          frontend: 'dockerfile.v0',
          args: isMax ? parameters : withoutArguments(parameters),
          locals: [{ name: 'context' }, { name: 'dockerfile' }],
        },
        environment: { platform: formatPlatform(buildPlatform) },
      },
      metadata: {
        ...(times === undefined ? {} : { buildStartedOn: times.started, buildFinishedOn: times.finished }),
        completeness: { parameters: isMax, environment: true, materials: false },
        reproducible: times === undefined,
        ...(isMax ? { [`${BUILD_TYPE}#metadata`]: { source: { infos: [sourceInfo(definition)] } } } : {}),
      },
    },
  };
}

/**
 * The manifest that carries the statement, to be listed in the index behind the image's. `put` stores a document and says
 * what it is called.
 */
export async function attestationManifest(
  statement: Record<string, unknown>,
  subject: Digest,
  put: (mediaType: string, value: unknown) => Promise<Descriptor>,
): Promise<Descriptor> {
  const layer = await put(IN_TOTO, statement);
  const document: ImageConfigDocument = {
    architecture: 'unknown',
    os: 'unknown',
    config: {},
    rootfs: { type: 'layers', diff_ids: [layer.digest] },
  };
  const config = await put(MEDIA_TYPE.ociConfig, document);
  const manifest: ManifestDocument = {
    schemaVersion: 2,
    mediaType: MEDIA_TYPE.ociManifest,
    config,
    layers: [{ ...layer, annotations: { 'in-toto.io/predicate-type': PREDICATE } }],
  };
  return {
    ...(await put(MEDIA_TYPE.ociManifest, manifest)),
    platform: { architecture: 'unknown', os: 'unknown' },
    annotations: {
      'vnd.docker.reference.digest': subject,
      'vnd.docker.reference.type': 'attestation-manifest',
    },
  };
}

/** A value may be a secret that was given in the wrong place. */
function withoutArguments(parameters: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(parameters).filter(([name]) => !name.startsWith('build-arg:')));
}

function sourceInfo({ name, text }: Provenance['definition']): Record<string, string> {
  const bytes = new TextEncoder().encode(text);
  let binary = '';
  for (const byte of bytes) binary += String.fromCharCode(byte);
  return { filename: name, language: 'Dockerfile', data: btoa(binary) };
}

function digestSet(digest: Digest): Record<string, string> {
  const [algorithm = '', hex = ''] = digest.split(':');
  return { [algorithm]: hex };
}
