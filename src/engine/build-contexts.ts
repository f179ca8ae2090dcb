/** Contexts of a build, wherever their files come from; what had to be fetched or spooled goes when they are closed. */
import { DirectoryTree } from '../build/context/directory-tree.ts';
import { isGitAddress, parseGitAddress } from '../build/context/git-address.ts';
import { KeptChecksums } from '../build/context/kept-checksums.ts';
import { openTarTree } from '../build/context/tar-tree.ts';
import { archiveKind } from '../build/copy/archive.ts';
import type { Download } from '../build/solve/ports.ts';
import type { FileTree } from '../build/tree/file-tree.ts';
import { FilesTree } from '../build/tree/files-tree.ts';
import { resolvePath } from '../build/tree/resolve-path.ts';
import { SubTree } from '../build/tree/sub-tree.ts';
import { WctrError } from '../errors.ts';
import { shownAddress } from '../host/shown-address.ts';
import { collect } from '../images/archive/files.ts';
import { quote } from '../images/quote.ts';
import { uniqueName } from '../images/store/durable.ts';
import type { BuildContextSource } from './builds.ts';
import type { EngineParts } from './parts.ts';

export interface BuildContextsOptions {
  readonly download: Download;
  readonly signal?: AbortSignal;
}

const MAX_DOCKERFILE_BYTES = 8 << 20;
const HEAD_BYTES = 512;

export class BuildContexts {
  readonly #parts: EngineParts;
  readonly #options: BuildContextsOptions;
  readonly #cleanups: (() => Promise<unknown>)[] = [];

  constructor(parts: EngineParts, options: BuildContextsOptions) {
    this.#parts = parts;
    this.#options = options;
  }

  /** `what`: how messages call it. Throws `unsupported` for what this host cannot read, and what reading it throws. */
  async open(source: BuildContextSource, what: string): Promise<FileTree> {
    if ('tree' in source) return source.tree;
    if ('tar' in source) return this.#tar(source.tar, what);
    if ('directory' in source) return this.#directory(source.directory, what);
    return isGitAddress(source.address) ? this.#git(source.address, what) : this.#download(source.address, what);
  }

  /** What could not be removed is swept later. */
  async close(): Promise<void> {
    for (const cleanup of this.#cleanups.splice(0)) await cleanup().catch(() => {});
  }

  async #tar(tar: AsyncIterable<Uint8Array>, what: string): Promise<FileTree> {
    const { signal } = this.#options;
    const tree = await openTarTree(tar, { ...this.#parts, what, ...(signal === undefined ? {} : { signal }) });
    this.#cleanups.push(() => tree.close());
    return tree;
  }

  async #directory(directory: string, what: string): Promise<FileTree> {
    const { paths } = this.#parts.host;
    if (paths === undefined) {
      throw new WctrError('unsupported', `${what}: there are no directories here`, {
        hint: 'hand over a tree or a tar',
      });
    }
    const root = paths.resolve(directory);
    if ((await paths.kind(root)) !== 'directory') {
      throw new WctrError('not-found', `${what}: there is no directory ${quote(root)}`);
    }
    return new DirectoryTree(await paths.contextFiles(), root, { kept: new KeptChecksums(this.#parts), what });
  }

  /** A tar, compressed or not; anything else is a Dockerfile. */
  async #download(address: string, what: string): Promise<FileTree> {
    if (!/^https?:\/\//i.test(address)) {
      throw new WctrError('invalid-argument', `${what}: ${quote(shownAddress(address))} is no address`, {
        hint: 'write https://…, to a tar, a Dockerfile or a git repository',
      });
    }
    const { body } = await this.#options.download(address, this.#options.signal);
    const { head, all } = await peek(body);
    if (archiveKind(head) !== undefined) return this.#tar(all, what);
    let length = 0;
    const bounded = async function* () {
      for await (const chunk of all) {
        length += chunk.length;
        if (length > MAX_DOCKERFILE_BYTES) {
          throw new WctrError(
            'limit-exceeded',
            `${quote(shownAddress(address))} is no tar, and too long for a Dockerfile`,
          );
        }
        yield chunk;
      }
    };
    return new FilesTree(what, new Map([['Dockerfile', { content: await collect(bounded()), mode: 0o644 }]]));
  }

  async #git(address: string, what: string): Promise<FileTree> {
    const { repository, ref, directory } = parseGitAddress(address);
    const { fs, layout, host } = this.#parts;
    if (host.git === undefined || host.paths === undefined) {
      throw new WctrError('unsupported', `${what}: there is no git here to fetch ${quote(shownAddress(address))}`, {
        hint: 'clone it yourself, and build from the directory',
      });
    }
    const checkout = host.paths.resolve(`${layout.tmp}/${uniqueName('git')}`);
    this.#cleanups.push(() => fs.rm(checkout, { recursive: true, force: true }));
    await fs.mkdir(checkout, { recursive: true, mode: 0o700 });
    const { signal } = this.#options;
    await host.git.checkout({ repository, ref, directory: checkout, ...(signal === undefined ? {} : { signal }) });
    const tree = new DirectoryTree(await host.paths.contextFiles(), checkout, { what, modes: 'executable-only' });
    const inside = await resolvePath(tree, directory);
    if ((await tree.lstat(inside))?.kind !== 'directory') {
      throw new WctrError(
        'not-found',
        `${what}: ${quote(shownAddress(repository))} has no directory ${quote(directory)}`,
      );
    }
    return inside === '' ? tree : new SubTree(tree, inside);
  }
}

/** The first bytes of a stream, and all of it. */
async function peek(chunks: AsyncIterable<Uint8Array>): Promise<{ head: Uint8Array; all: AsyncIterable<Uint8Array> }> {
  const iterator = chunks[Symbol.asyncIterator]();
  const seen: Uint8Array[] = [];
  const head = new Uint8Array(HEAD_BYTES);
  let length = 0;
  while (length < HEAD_BYTES) {
    const { done, value } = await iterator.next();
    if (done === true) break;
    seen.push(value);
    const part = value.subarray(0, HEAD_BYTES - length);
    head.set(part, length);
    length += part.length;
  }
  const all = async function* () {
    try {
      yield* seen;
      for (let next = await iterator.next(); next.done !== true; next = await iterator.next()) yield next.value;
    } finally {
      await iterator.return?.();
    }
  };
  return { head: head.subarray(0, length), all: all() };
}
