/** Builds in a store in memory, with programs that are pretended. */
import { mkdirSync, mkdtempSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { type BuildJob, build } from '../../src/build/build.ts';
import { LocalBuildCache } from '../../src/build/cache/local-build-cache.ts';
import { DirectoryTree } from '../../src/build/context/directory-tree.ts';
import type { RunExecutor, RunOutcome, RunStep } from '../../src/build/run/executor.ts';
import type { BaseImage, BaseImages, SolveParts } from '../../src/build/solve/ports.ts';
import { readTar } from '../../src/containers/files/tar-reader.ts';
import { WctrError } from '../../src/errors.ts';
import { MemoryLocks } from '../../src/host/memory-locks.ts';
import { syncFileSystem } from '../../src/host/node/sync-file-system.ts';
import type { FileSystem } from '../../src/host/ports.ts';
import { collect } from '../../src/images/archive/files.ts';
import { withoutGzip } from '../../src/images/archive/spool.ts';
import { parseImageConfig } from '../../src/images/config.ts';
import { Layers } from '../../src/images/layers.ts';
import { canonicalName, parseReference } from '../../src/images/reference.ts';
import type { BuildVertex, SolveStatus } from '../../src/spec/build-progress.ts';
import type { Digest, ImageConfigDocument, IndexDocument, ManifestDocument } from '../../src/spec/image-spec.ts';
import { createNodeHasher, memoryStore, openImages, openTestStore, tarOf } from './image-store.ts';
import { core } from './layers.ts';

const EMPTY = new Uint8Array(1024);
export const WASI = { os: 'wasi', architecture: 'wasm' };

/** Directories of contexts, one below the other; `remove` is for after the tests. */
export class Contexts {
  readonly root = mkdtempSync(join(tmpdir(), 'wctr-build-'));
  #count = 0;

  /** A directory with these files: a text, `-> target`, or an empty directory for a name that ends in a slash. */
  make(files: Readonly<Record<string, string | Uint8Array>>): string {
    this.#count += 1;
    const root = join(this.root, String(this.#count));
    mkdirSync(root);
    for (const [name, content] of Object.entries(files)) {
      const path = join(root, name);
      mkdirSync(name.endsWith('/') ? path : dirname(path), { recursive: true });
      if (typeof content === 'string' && content.startsWith('-> ')) symlinkSync(content.slice(3), path);
      else if (!name.endsWith('/')) writeFileSync(path, content, { mode: name.endsWith('.sh') ? 0o755 : 0o644 });
    }
    return root;
  }
}

export type PretendedRun = (step: RunStep) => Promise<Partial<RunOutcome>> | Partial<RunOutcome>;

/** A program writes what `files` says, and ends with 0. */
export async function wrote(files: Readonly<Record<string, string>>): Promise<Partial<RunOutcome>> {
  const tar = await tarOf(files);
  return {
    layer: async function* () {
      yield tar;
    },
  };
}

export interface BuildHarness {
  readonly parts: SolveParts;
  readonly runs: RunStep[];
  /** Programs that were not yet let go. */
  readonly open: () => number;
  /** An image that FROM finds, of layers with these files. */
  addImage(
    name: string,
    layers: readonly Readonly<Record<string, string>>[],
    config?: Partial<ImageConfigDocument>,
  ): Promise<BaseImage>;
  build(text: string, context: string, more?: Partial<BuildJob>): Promise<BuiltFiles>;
}

export interface BuiltFiles {
  readonly imageId: Digest | undefined;
  readonly digest: Digest | undefined;
  readonly manifest: ManifestDocument;
  readonly config: ImageConfigDocument;
  /** Members of each layer, as `755 bin/ls 5:6 @1700000000 content`. */
  readonly layers: readonly (readonly string[])[];
  readonly statuses: readonly SolveStatus[];
  readonly index: IndexDocument | undefined;
}

/** One store, for one build after the other; in `/store` of a file system that is given. */
export function buildHarness(run: PretendedRun = () => ({}), given?: FileSystem): BuildHarness {
  const store = given === undefined ? memoryStore() : openTestStore(given, '/store', new MemoryLocks(), 'bytes');
  const { fs, layout, locks, content } = store;
  const layers = new Layers({ fs, layout, locks, content, core, createHasher: createNodeHasher, locateBy: 'bytes' });
  const { images, leases } = openImages(store, Date.now, layers);
  const runs: RunStep[] = [];
  let open = 0;
  const executor: RunExecutor = {
    async run(step) {
      runs.push(step);
      const given = await run(step);
      open += 1;
      return {
        exitCode: 0,
        oomKilled: false,
        layer: async function* () {
          yield EMPTY;
        },
        ...given,
        release: async () => {
          open -= 1;
        },
      };
    },
  };
  const known = new Map<string, BaseImage>();
  const bases: BaseImages = {
    async open(name) {
      const found = known.get(canonicalName(parseReference(name)));
      if (found === undefined) throw new WctrError('no-such-image', `no such image: ${name}`);
      return found;
    },
  };
  const parts: SolveParts = {
    ...{ images, leases, fs, layout, createHasher: createNodeHasher, bases, runs: executor },
    cache: new LocalBuildCache({ fs, layout, locks, createHasher: createNodeHasher, content, layers }),
  };
  const read = async <T>(digest: Digest) => JSON.parse(new TextDecoder().decode(await content.read(digest))) as T;

  return {
    parts,
    runs,
    open: () => open,
    async addImage(name, contents, config = {}) {
      const made = [];
      for (const files of contents) {
        const tar = await tarOf(files);
        const descriptor = await layers.write(chunk(tar), { pin: async () => {} });
        made.push({ descriptor, diffId: descriptor.digest });
      }
      const document = {
        ...WASI,
        rootfs: { type: 'layers', diff_ids: made.map(({ diffId }) => diffId) },
        history: made.map((_, i) => ({ created_by: `layer ${i}` })),
        ...config,
      };
      const bytes = new TextEncoder().encode(JSON.stringify(document));
      const { digest } = await content.put('application/vnd.oci.image.config.v1+json', bytes);
      const reference = canonicalName(parseReference(name));
      const image = { reference, digest, config: parseImageConfig(bytes, name), layers: made };
      known.set(reference, image);
      return image;
    },
    async build(text, context, more = {}) {
      const statuses: SolveStatus[] = [];
      const { imageId, digest } = await build(parts, {
        context: new DirectoryTree(syncFileSystem, context),
        dockerfile: { text, name: 'Dockerfile' },
        platforms: [WASI],
        buildPlatform: WASI,
        outputs: [{ type: 'image' }],
        onStatus: (status) => statuses.push(status),
        ...more,
      });
      const target = digest && (await read<ManifestDocument | IndexDocument>(digest));
      const index = target !== undefined && 'manifests' in target ? target : undefined;
      const manifest = index === undefined ? target : await read<ManifestDocument>(index.manifests[0]!.digest);
      return {
        ...{ imageId, digest, statuses, index },
        manifest: manifest as ManifestDocument,
        config: (manifest && (await read((manifest as ManifestDocument).config.digest))) as ImageConfigDocument,
        layers: await Promise.all(
          ((manifest as ManifestDocument | undefined)?.layers ?? []).map((layer) =>
            members(withoutGzip(content.stream(layer.digest))),
          ),
        ),
      };
    },
  };
}

/** `755 bin/ls 5:6 @1700000000 content`; owner and time where they are not 0. */
export async function members(tar: AsyncIterable<Uint8Array>): Promise<string[]> {
  const found: string[] = [];
  for await (const { name, type, mode, uid, gid, link, mtimeNs, data } of readTar(tar)) {
    const content = new TextDecoder().decode(await collect(data));
    const owner = uid === 0 && gid === 0 ? '' : ` ${uid}:${gid}`;
    const time = mtimeNs === 0n ? '' : ` @${mtimeNs / 1_000_000_000n}`;
    const target = type === '2' ? ` -> ${link}` : '';
    found.push(`${mode.toString(8)} ${name}${target}${owner}${time}${content && ` ${content}`}`);
  }
  return found;
}

/** The last that was told of each step, in the order they began. */
export function vertexes(statuses: readonly SolveStatus[]): BuildVertex[] {
  const last = new Map<string, BuildVertex>();
  for (const status of statuses) for (const vertex of status.vertexes ?? []) last.set(vertex.digest, vertex);
  return [...last.values()];
}

async function* chunk(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}
