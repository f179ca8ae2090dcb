/** `build`: from what was asked for to what the builder takes. */
import { buildImage } from '../build/build.ts';
import { DirectoryTree } from '../build/context/directory-tree.ts';
import { KeptChecksums } from '../build/context/kept-checksums.ts';
import { parseDockerfile } from '../build/dockerfile/parse.ts';
import { IgnoreMatcher, parseIgnoreFile } from '../build/ignore/ignore-matcher.ts';
import type { FileTree } from '../build/tree/file-tree.ts';
import { IgnoredTree } from '../build/tree/ignored-tree.ts';
import { resolvePath } from '../build/tree/resolve-path.ts';
import { WctrError } from '../errors.ts';
import { collect } from '../images/archive/files.ts';
import { parsePlatform } from '../images/platform.ts';
import { quote } from '../images/quote.ts';
import { familiarName, parseReference } from '../images/reference.ts';
import type { BuildCacheRecord } from '../spec/engine-api.ts';
import type { BuildContextSource, BuildOutcome, BuildRequest, BuildUseCases } from './builds.ts';
import type { LocalImages } from './image-use-cases.ts';
import type { EngineParts } from './parts.ts';

const MAX_FILE_BYTES = 8 << 20;

export class LocalBuilds implements BuildUseCases {
  readonly #parts: EngineParts;

  constructor(parts: EngineParts, _images: LocalImages) {
    this.#parts = parts;
  }

  async build(request: BuildRequest): Promise<BuildOutcome> {
    const { images, leases, fs, layout, createHasher } = this.#parts;
    const context = await this.#tree(request.context);
    const { text, name } = await dockerfileOf(request, context);
    const ignore =
      request.ignore ?? (await readText(context, `${name}.dockerignore`)) ?? (await readText(context, '.dockerignore'));
    const tree = ignore === undefined ? context : new IgnoredTree(context, new IgnoreMatcher(parseIgnoreFile(ignore)));
    const platform = parsePlatform(request.platforms?.[0] ?? 'wasi/wasm');
    const references = (request.tags ?? []).map(parseReference);
    const given = Object.entries(request.buildArgs ?? {}).filter((arg): arg is [string, string] => arg[1] !== null);
    const record = await buildImage(
      { images, leases, fs, layout, createHasher },
      parseDockerfile(text, { name }),
      tree,
      {
        platform,
        buildPlatform: parsePlatform('wasi/wasm'),
        buildArgs: Object.fromEntries(given),
        references,
        ...(request.target === undefined ? {} : { target: request.target }),
        ...(request.labels === undefined ? {} : { labels: request.labels }),
        ...(request.signal === undefined ? {} : { signal: request.signal }),
      },
    );
    return { imageId: record.id, digest: record.manifest.digest, references: references.map(familiarName) };
  }

  async usage(): Promise<readonly BuildCacheRecord[]> {
    return [];
  }

  async prune(): Promise<{ CachesDeleted: readonly string[]; SpaceReclaimed: number }> {
    return { CachesDeleted: [], SpaceReclaimed: 0 };
  }

  async #tree(source: BuildContextSource): Promise<FileTree> {
    if ('tree' in source) return source.tree;
    const { paths } = this.#parts.host;
    if ('directory' in source && paths !== undefined) {
      const kept = new KeptChecksums(this.#parts);
      return new DirectoryTree(await paths.contextFiles(), paths.resolve(source.directory), { kept });
    }
    const [kind] = Object.keys(source);
    throw new WctrError('unsupported', `a build context of the kind ${kind} cannot be read here`);
  }
}

async function dockerfileOf({ dockerfile }: BuildRequest, context: FileTree): Promise<{ text: string; name: string }> {
  if (dockerfile !== undefined && 'text' in dockerfile) return dockerfile;
  const name = dockerfile?.path ?? 'Dockerfile';
  const text = await readText(context, name);
  if (text !== undefined) return { text, name };
  throw new WctrError(
    'not-found',
    `failed to read dockerfile: open ${quote(name).slice(1, -1)}: no such file or directory`,
    {
      hint: 'name it with --file',
    },
  );
}

async function readText(tree: FileTree, path: string): Promise<string | undefined> {
  const entry = await tree.lstat(await resolvePath(tree, path));
  if (entry?.read === undefined) return undefined;
  if (entry.size > MAX_FILE_BYTES) throw new WctrError('limit-exceeded', `${quote(path)} has ${entry.size} bytes`);
  return new TextDecoder().decode(await collect(entry.read()));
}
