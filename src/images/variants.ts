/**
 * The forms in which Wasm programs travel as OCI content, and how each is run:
 * - images whose platform is Wasm, or that are marked by annotation (crun's `run.oci.handler`, the `compat` variants of
 *   solo.io), or whose entrypoint file simply starts with the Wasm magic: a root file system from tar layers;
 * - artifacts (CNCF Wasm OCI artifact, `application/vnd.wasm.config.v0+json`) and runwasi's component layers: the layer
 *   is the module itself, there is no file system.
 */
import { WctrError } from '../errors.ts';
import { ANNOTATION, type Descriptor, type Digest, MEDIA_TYPE, type Platform } from '../spec/image-spec.ts';
import type { ImageConfig } from './config.ts';
import { isImageConfigMediaType } from './config.ts';
import { JsonDocument } from './json-document.ts';
import { hasWasmAnnotation, type Manifest } from './manifest.ts';
import { isWasmPlatform, noMatchingPlatform } from './platform.ts';
import { quote } from './quote.ts';

export type LayerKind = 'tar' | 'wasm';

export interface PlannedLayer {
  readonly descriptor: Descriptor;
  readonly kind: LayerKind;
  /** Of tar layers, where the config names it. */
  readonly diffId?: Digest;
}

export type BinaryKind = 'module' | 'component' | 'elf' | 'script' | 'unknown' | 'empty';

const TAR_LAYERS: readonly string[] = [
  MEDIA_TYPE.ociLayerTar,
  MEDIA_TYPE.ociLayerGzip,
  MEDIA_TYPE.ociLayerZstd,
  MEDIA_TYPE.ociForeignTar,
  MEDIA_TYPE.ociForeignGzip,
  MEDIA_TYPE.ociForeignZstd,
  MEDIA_TYPE.dockerLayerTar,
  MEDIA_TYPE.dockerLayerGzip,
  MEDIA_TYPE.dockerLayerZstd,
  MEDIA_TYPE.dockerForeignGzip,
  // written by old docker save and buildah versions
  'application/vnd.docker.image.rootfs.diff.tar.gz',
  'application/vnd.docker.container.image.rootfs.diff+x-gtar',
];
const WASM_LAYERS: readonly string[] = [
  MEDIA_TYPE.wasmLayer,
  MEDIA_TYPE.wasmContentLayer,
  MEDIA_TYPE.wasmComponentLayer,
  'application/vnd.wasm.component.layer.v0+wasm',
  'application/vnd.module.wasm.content.layer.v1+wasm',
];

export function layerKind(mediaType: string): LayerKind | undefined {
  if (TAR_LAYERS.includes(mediaType)) return 'tar';
  return WASM_LAYERS.includes(mediaType) ? 'wasm' : undefined;
}

/** True when the manifest is an artifact rather than an image with an image config. */
export function isArtifact(manifest: Manifest): boolean {
  return !isImageConfigMediaType(manifest.config.mediaType);
}

/**
 * Pairs layers with the diff IDs of the config and says how each is to be taken in. Throws `invalid-manifest` when the
 * two lists disagree, `unsupported-media-type` for a layer nobody here can read.
 */
export function planLayers(what: string, manifest: Manifest, config: ImageConfig): readonly PlannedLayer[] {
  const kinds = manifest.layers.map(({ mediaType }) => {
    const kind = layerKind(mediaType);
    if (kind !== undefined) return kind;
    throw new WctrError('unsupported-media-type', `${what}: nothing here reads a layer of type ${quote(mediaType)}`, {
      data: { mediaType },
    });
  });
  const { diffIds } = config;
  const tarCount = kinds.filter((kind) => kind === 'tar').length;
  const all = diffIds.length === kinds.length;
  // runwasi lists its Wasm layers among the diff IDs, artifacts list none
  if (!all && diffIds.length !== tarCount) {
    throw new WctrError('invalid-manifest', `${what}: ${kinds.length} layers but ${diffIds.length} rootfs.diff_ids`);
  }
  let tars = 0;
  return manifest.layers.map((descriptor, i) => {
    const kind = kinds[i] as LayerKind;
    if (kind === 'wasm') return { descriptor, kind };
    const diffId = diffIds[all ? i : tars++];
    return diffId === undefined ? { descriptor, kind } : { descriptor, kind, diffId };
  });
}

/** Diff IDs of the tar layers only: what the root file system is made of. */
export function rootfsDiffIds(layers: readonly PlannedLayer[]): readonly Digest[] {
  return layers.flatMap((layer) => (layer.diffId === undefined ? [] : [layer.diffId]));
}

/** The config of an artifact: `os` is wasip1 or wasip2, everything else is optional. */
export function parseArtifactConfig(bytes: Uint8Array, what: string): ImageConfig {
  const document = new JsonDocument(what, bytes);
  const platform = document.platform(document.root, 'platform');
  const created = document.text(document.root.created, 'created', 64);
  const author = document.text(document.root.author, 'author', 4096);
  return {
    platform: { os: platform?.os || 'wasip1', architecture: platform?.architecture || 'wasm' },
    ...(created === undefined ? {} : { created }),
    ...(author === undefined ? {} : { author }),
    process: {},
    diffIds: [],
    history: [],
  };
}

export type ImageForm =
  /** Run an executable of the root file system made of the tar layers. */
  | { readonly kind: 'rootfs'; readonly wasmBy: 'platform' | 'annotation' | 'entrypoint-name' | 'unknown' }
  /** The layer is the program; `name` is the file it was made from. */
  | { readonly kind: 'module'; readonly layer: Descriptor; readonly name: string };

/**
 * What kind of image this is. `wasmBy: 'unknown'` means that only a look at the entrypoint file (`probeEntrypoint`) can
 * tell. Throws `unsupported-media-type` for artifacts that hold no single Wasm layer.
 */
export function imageForm(what: string, manifest: Manifest, config: ImageConfig): ImageForm {
  const modules = manifest.layers.filter(({ mediaType }) => layerKind(mediaType) === 'wasm');
  if (isArtifact(manifest) || (modules.length > 0 && modules.length === manifest.layers.length)) {
    const [layer] = modules;
    if (layer === undefined || modules.length > 1) {
      throw new WctrError(
        'unsupported-media-type',
        `${what} is an artifact with ${modules.length} Wasm layers, not 1`,
        {
          data: { configMediaType: manifest.config.mediaType },
        },
      );
    }
    return { kind: 'module', layer, name: moduleName(layer) };
  }
  const [layer] = modules;
  // runwasi: a component layer beside tar layers is the program, the tar layers are its files
  if (layer !== undefined && modules.length === 1) return { kind: 'module', layer, name: moduleName(layer) };
  if (isWasmPlatform(config.platform)) return { kind: 'rootfs', wasmBy: 'platform' };
  if (hasWasmAnnotation(manifest.annotations)) return { kind: 'rootfs', wasmBy: 'annotation' };
  const command = config.process.Entrypoint?.[0] ?? config.process.Cmd?.[0] ?? '';
  return { kind: 'rootfs', wasmBy: /\.wasm(?:#|$)/.test(command) ? 'entrypoint-name' : 'unknown' };
}

/**
 * An image of another platform with no sign of Wasm is refused. `isAsked`: its platform was asked for by name, or its
 * entrypoint turned out to be a module (`probeEntrypoint`). Throws `no-matching-platform`.
 */
export function assertMayRun(
  image: string,
  form: ImageForm,
  config: ImageConfig,
  wanted: readonly Platform[],
  isAsked: boolean,
): void {
  if (!isAsked && form.kind === 'rootfs' && form.wasmBy === 'unknown') {
    throw noMatchingPlatform(image, [config.platform], wanted);
  }
}

function moduleName(layer: Descriptor): string {
  const title = layer.annotations?.[ANNOTATION.title] ?? '';
  const base = title.slice(title.lastIndexOf('/') + 1);
  return /^[\w][\w.-]{0,99}$/.test(base) ? base : 'module.wasm';
}

/** `app.wasm#name` is file `app.wasm`, export `name`. A `#` elsewhere belongs to the file name. */
export function splitEntry(entry: string): { path: string; exportName: string | undefined } {
  const match = /^(.*\.(?:wasm|wat|cwasm))#([^/#]+)$/s.exec(entry);
  return match === null ? { path: entry, exportName: undefined } : { path: match[1] ?? '', exportName: match[2] };
}

/** Says what a program file is from its first bytes (8 are enough). */
export function binaryKind(head: Uint8Array): BinaryKind {
  const word = (at: number) =>
    (head[at] ?? 0) | ((head[at + 1] ?? 0) << 8) | ((head[at + 2] ?? 0) << 16) | ((head[at + 3] ?? 0) << 24);
  if (head.length === 0) return 'empty';
  if (head.length >= 8 && word(0) === 0x6d736100) {
    // core: version 1, layer 0; component: any version, layer 1
    if (word(4) === 1) return 'module';
    return word(4) >>> 16 === 1 ? 'component' : 'unknown';
  }
  if (word(0) === 0x464c457f) return 'elf';
  return head[0] === 0x23 && head[1] === 0x21 ? 'script' : 'unknown';
}

export interface EntrypointProbe {
  /** Path inside the root file system that was found. */
  readonly path: string;
  readonly exportName: string | undefined;
  readonly kind: BinaryKind;
}

/**
 * Finds the file a command names, as execvp would (PATH for a bare name, the working directory for a relative one), and
 * says what it is. `readFile` gives the first bytes of a file of the root file system, undefined when there is none.
 */
export async function probeEntrypoint(
  command: string,
  process: { readonly env: readonly string[]; readonly workingDir: string },
  readFile: (path: string) => Promise<Uint8Array | undefined>,
): Promise<EntrypointProbe | undefined> {
  const { path, exportName } = splitEntry(command);
  for (const candidate of candidates(path, process)) {
    const head = await readFile(candidate);
    if (head !== undefined) return { path: candidate, exportName, kind: binaryKind(head.subarray(0, 8)) };
  }
  return undefined;
}

const DEFAULT_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

function candidates(path: string, process: { readonly env: readonly string[]; readonly workingDir: string }): string[] {
  const workingDir = process.workingDir || '/';
  const relative = `${workingDir.endsWith('/') ? workingDir : `${workingDir}/`}${path}`;
  if (path.startsWith('/')) return [path];
  if (path.includes('/')) return [relative];
  const searchPath = process.env.findLast((entry) => entry.startsWith('PATH='))?.slice('PATH='.length) ?? DEFAULT_PATH;
  const found = searchPath.split(':').map((dir) => `${dir || workingDir}/${path}`.replace(/^\/+/, '/'));
  // Wasm images name their module bare (`ENTRYPOINT ["app.wasm"]`) and mean the file at the root
  return [...found, relative, `/${path}`];
}
