/** Puts what was built where it is to go, each place in the form it wants. */
import { WctrError } from '../../errors.ts';
import { parseImageConfig } from '../../images/config.ts';
import { canonicalName, familiarName, type Reference } from '../../images/reference.ts';
import type { Descriptor, Platform } from '../../spec/image-spec.ts';
import type { VertexProgress } from '../solve/progress.ts';
import type { Session } from '../solve/session.ts';
import type { StageState } from '../solve/solve.ts';
import type { FileTree } from '../tree/file-tree.ts';
import { compressLayer } from './compress.ts';
import { type Annotation, type BuiltImages, type NewImage, platformDirectory, writeDocuments } from './documents.ts';
import { filesTar, keepImage, layoutTar } from './outputs.ts';
import { attestationManifest, type Provenance, provenanceStatement } from './provenance.ts';

interface Written<Type extends string> {
  readonly type: Type;
  readonly write: (tar: AsyncIterable<Uint8Array>) => Promise<void>;
}

/** `none`: only the cache is filled. `image`: a record in the store; the others are a tar for the caller. */
export type Output =
  | { readonly type: 'image'; readonly push?: boolean }
  | { readonly type: 'none' }
  | Written<'oci' | 'docker'>
  | Written<'files'>
  | Written<'edge'>;

export type Compression = 'uncompressed' | 'gzip';

export interface PushStep {
  readonly id?: string;
  readonly currentBytes?: number;
  readonly totalBytes?: number;
}

export interface ExportOptions {
  /** Of everything, seconds. */
  readonly mtime: number;
  readonly references: readonly Reference[];
  readonly annotations: readonly Annotation[];
  /** Absent: what is usual for the output. Layers that are compressed already stay so. */
  readonly compression?: Compression | undefined;
  readonly provenance?: Provenance | undefined;
  /** After an image was put into the store under its names. */
  readonly push?: ((reference: Reference, onProgress: (event: PushStep) => void) => Promise<void>) | undefined;
}

export interface BuiltTarget {
  readonly state: StageState;
  /** As asked for. */
  readonly platform: Platform;
  readonly tree: FileTree;
}

export class Exporter {
  readonly #session: Session;
  readonly #targets: readonly BuiltTarget[];
  readonly #options: ExportOptions;
  readonly #documents = new Map<string, Promise<BuiltImages>>();

  constructor(session: Session, targets: readonly BuiltTarget[], options: ExportOptions) {
    this.#session = session;
    this.#targets = targets;
    this.#options = options;
  }

  /** What was made of an image, if anything. */
  async export(output: Output): Promise<BuiltImages | undefined> {
    switch (output.type) {
      case 'none':
        return undefined;
      case 'files':
        await this.#step('exporting to client tarball', () => output.write(this.#files()));
        return undefined;
      case 'edge':
        await this.#step('exporting to client edge bundle', async () => output.write(await this.#edge()));
        return undefined;
      case 'image':
        return this.#image(output.push === true);
      default:
        return this.#layout(output);
    }
  }

  #files(): AsyncIterable<Uint8Array> {
    const trees = this.#targets.map(({ platform, tree }) => ({
      directory: this.#targets.length > 1 ? platformDirectory(platform) : '',
      tree,
    }));
    return filesTar(trees, this.#options.mtime);
  }

  async #edge(): Promise<AsyncIterable<Uint8Array>> {
    const { edge, images } = this.#session.parts;
    if (edge === undefined) throw new WctrError('unsupported', 'this host cannot make a bundle for edge hosts');
    if (this.#targets.length > 1) {
      throw new WctrError('invalid-argument', 'a bundle for edge hosts is for one platform', {
        hint: 'leave out the other platforms',
      });
    }
    const { images: made } = await this.#made('uncompressed', false);
    const [image] = made;
    const [target] = this.#targets;
    const bytes = await images.content.read(image!.config.digest);
    const [reference] = this.#options.references;
    const name = reference === undefined ? 'the image' : familiarName(reference);
    const diffIds = target!.state.layers.map(({ diffId }) => diffId);
    await this.#session.pinStack(diffIds);
    return edge({ config: parseImageConfig(bytes, `config of ${name}`), diffIds }, name);
  }

  async #layout({ type, write }: Written<'oci' | 'docker'>): Promise<BuiltImages> {
    const { images } = this.#session.parts;
    const { references, compression } = this.#options;
    let made: BuiltImages | undefined;
    await this.#step(`exporting to ${type === 'oci' ? 'oci image' : 'docker image'} format`, async (vertex) => {
      // docker's archives know nothing of attestations
      made = await this.#made(compression ?? (type === 'oci' ? 'gzip' : 'uncompressed'), type === 'oci', vertex);
      vertex.status('sending tarball', 0, 0, false);
      await write(layoutTar(images, made, references, type));
    });
    return made as BuiltImages;
  }

  async #image(isPushed: boolean): Promise<BuiltImages> {
    const { images } = this.#session.parts;
    const { references, push, compression } = this.#options;
    if (isPushed && (references.length === 0 || push === undefined)) {
      throw new WctrError('invalid-argument', 'an image without a name cannot be pushed', {
        hint: 'give it one: --tag NAME',
      });
    }
    let made: BuiltImages | undefined;
    await this.#step('exporting to image', async (vertex) => {
      made = await this.#made(compression ?? (isPushed ? 'gzip' : 'uncompressed'), true, vertex);
      await keepImage(images, made, references);
      vertex.status(`writing image ${made.images[0]?.config.digest}`, 0, 0, true);
      for (const reference of references) vertex.status(`naming to ${canonicalName(reference)}`, 0, 0, true);
    });
    for (const reference of isPushed ? references : []) {
      await this.#step(`pushing ${canonicalName(reference)}`, async (vertex) => {
        await push?.(reference, ({ id, currentBytes, totalBytes }) => {
          if (id === undefined || currentBytes === undefined) return;
          vertex.status(id, currentBytes, totalBytes ?? 0, currentBytes === totalBytes);
        });
      });
    }
    return made as BuiltImages;
  }

  /** The documents, once for each form they are wanted in. */
  #made(compression: Compression, isAttested: boolean, vertex?: VertexProgress): Promise<BuiltImages> {
    const key = `${compression} ${isAttested}`;
    let made = this.#documents.get(key);
    if (made === undefined) {
      made = this.#make(compression, isAttested ? this.#options.provenance : undefined, vertex);
      this.#documents.set(key, made);
    }
    return made;
  }

  async #make(
    compression: Compression,
    provenance: Provenance | undefined,
    vertex: VertexProgress | undefined,
  ): Promise<BuiltImages> {
    const { parts, pins, signal } = this.#session;
    const { annotations, mtime, references } = this.#options;
    vertex?.status('exporting layers', 0, 0, false);
    const images: NewImage[] = [];
    for (const { state, platform } of this.#targets) {
      const layers: Descriptor[] = [];
      for (const layer of state.layers) {
        const kept = compression === 'gzip' ? await compressLayer(parts, pins, layer, signal) : layer;
        layers.push(kept.descriptor);
      }
      images.push({ state, platform, layers });
    }
    vertex?.status('exporting layers', 0, 0, true);
    const names = references.map(familiarName);
    return writeDocuments(parts, pins, images, {
      annotations,
      created: new Date(mtime * 1000).toISOString(),
      attest:
        provenance &&
        (({ manifest, platform }, put) =>
          attestationManifest(provenanceStatement(names, manifest.digest, platform, provenance), manifest.digest, put)),
    });
  }

  async #step(name: string, action: (vertex: VertexProgress) => Promise<void>): Promise<void> {
    const { progress, signal } = this.#session;
    signal.throwIfAborted();
    const vertex = progress.start(progress.digest('export', name), name);
    try {
      await action(vertex);
      vertex.end();
    } catch (error) {
      vertex.end({ error: error instanceof Error ? error.message : String(error) });
      throw error;
    }
  }
}
