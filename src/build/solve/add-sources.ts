/** What ADD takes beside files of the context: archives to unpack, and addresses to fetch. */
import { isWctrError, WctrError } from '../../errors.ts';
import { shownAddress } from '../../host/shown-address.ts';
import { type Spooled, spool, withoutGzip } from '../../images/archive/spool.ts';
import { isDigest } from '../../images/digest.ts';
import { quote } from '../../images/quote.ts';
import { type Descriptor, type Digest, MEDIA_TYPE } from '../../spec/image-spec.ts';
import { checksumSources } from '../cache/source-checksum.ts';
import { isGitAddress } from '../context/git-address.ts';
import { archiveKind, headOf, isTarHeader } from '../copy/archive.ts';
import type { Copier } from '../copy/copy.ts';
import type { AddInstruction } from '../dockerfile/ast.ts';
import { refuse } from '../dockerfile/errors.ts';
import type { SourceText, Word } from '../dockerfile/source.ts';
import { storeLayer } from '../stage/write-layer.ts';
import type { FileTree, TreeEntry } from '../tree/file-tree.ts';
import { LayersTree } from '../tree/layers-tree.ts';
import type { Solver } from './solve.ts';

/** Of a file ADD fetches. */
const MAX_DOWNLOAD_BYTES = 4 * 1024 ** 3;

interface Fetched {
  readonly digest: Digest;
  readonly spooled: Spooled;
}

interface AddRequest {
  readonly add: Pick<AddInstruction, 'checksum' | 'unpack' | 'keepGitDir'> | undefined;
  readonly source: SourceText;
}

export function isAddress(text: string): boolean {
  return /^https?:\/\//i.test(text) || isRepository(text);
}

/** What could be a path of the context as well is one. */
function isRepository(text: string): boolean {
  return isGitAddress(text) && !text.startsWith('github.com/');
}

export class AddedSources {
  readonly #solver: Solver;
  readonly #words: readonly Word[];
  readonly #request: AddRequest;
  readonly #checksum: Digest | undefined;
  readonly #fetched = new Map<Word, Promise<Fetched>>();
  readonly #clones = new Map<Word, Promise<FileTree>>();

  /** Throws `invalid-dockerfile` for a checksum that is none or has nothing to check. */
  constructor(solver: Solver, addresses: readonly Word[], request: AddRequest) {
    this.#solver = solver;
    this.#words = addresses;
    this.#request = request;
    const checksum = request.add?.checksum;
    if (checksum !== undefined && checksum.text !== '') {
      if (addresses.length === 0) {
        throw refuse(request.source, checksum.span, 'checksum requires HTTP(S) or Git sources');
      }
      if (addresses.length > 1) {
        throw refuse(request.source, checksum.span, 'checksum can be specified for one source only');
      }
      if (!isDigest(checksum.text)) {
        throw refuse(request.source, checksum.span, `invalid checksum digest format: ${quote(checksum.text)}`, {
          hint: 'write --checksum=sha256:… with 64 hex digits',
        });
      }
      this.#checksum = checksum.text;
    }
    for (const { text, span } of addresses.filter((word) => isRepository(word.text))) {
      const what =
        checksum !== undefined ? '--checksum' : request.add?.keepGitDir === true ? '--keep-git-dir' : undefined;
      if (what === undefined) continue;
      throw refuse(request.source, span, `${what} is not supported for ${quote(text)}`, {
        code: 'unsupported',
        hint: 'name the commit behind a #, and leave the flag out',
      });
    }
  }

  /** What step keys have of the addresses: digests of what is there now, or of what has to be there. */
  async keys(): Promise<readonly string[]> {
    const keys: string[] = [];
    for (const word of this.#words) {
      if (isRepository(word.text)) {
        const { parts, signal } = this.#solver.session;
        const tree = await this.#clone(word);
        const digest = await checksumSources(tree, ['.'], { createHasher: parts.createHasher, signal });
        this.#solver.session.materials.push({ uri: shownAddress(word.text) });
        keys.push(digest);
        continue;
      }
      const digest = this.#checksum ?? (await this.#fetch(word)).digest;
      this.#solver.session.materials.push({ uri: shownAddress(word.text), digest });
      keys.push(nameOf(word.text), digest);
    }
    return keys;
  }

  /** Onto the stage: a file of mode 600 with the address' last name, or what is in it. */
  async copy(word: Word, { copier, unpacking }: { copier: Copier; unpacking: Copier }): Promise<void> {
    if (isRepository(word.text)) return copier.copyPath(await this.#clone(word), '');
    const { digest, spooled } = await this.#fetch(word);
    if (this.#checksum !== undefined && this.#checksum !== digest) {
      throw new WctrError('digest-mismatch', `digest mismatch ${digest}: ${this.#checksum}`, {
        hint: 'what the address has is not what --checksum says',
        data: { expected: this.#checksum, actual: digest },
      });
    }
    const { sizeBytes: size } = spooled;
    const name = nameOf(word.text);
    const entry: TreeEntry = { kind: 'file', mode: 0o600, uid: 0, gid: 0, size, read: () => spooled.from(0) };
    const archive = this.#request.add?.unpack === true ? await this.archiveTree(name, entry) : undefined;
    if (archive !== undefined) await unpacking.copyPath(archive, '');
    else await copier.putFile(name, entry);
  }

  /**
   * The files in an archive; undefined for a file that is none. It goes through the layer store, so that all that holds
   * for layers, which are archives from strangers too, holds for it.
   */
  async archiveTree(name: string, entry: TreeEntry): Promise<FileTree | undefined> {
    const { read } = entry;
    const kind = read && archiveKind(await headOf(read()));
    if (read === undefined || kind === undefined) return undefined;
    if (kind === 'bzip2' || kind === 'xz') {
      throw new WctrError('unsupported', `cannot unpack ${quote(name)}: nothing here reads ${kind}`, {
        hint: 'compress it with gzip or zstd, or copy it as it is by COPY or ADD --unpack=false',
      });
    }
    const { parts, pins, signal } = this.#solver.session;
    let diffId: Digest;
    if (kind === 'zstd') {
      const unpacked = await this.#takeZstd(read);
      if (unpacked === undefined) return undefined;
      diffId = unpacked;
    } else {
      const plain = () => (kind === 'gzip' ? withoutGzip(read()) : read());
      if (kind === 'gzip' && !isTarHeader(await headOf(plain()))) return undefined;
      diffId = (await storeLayer(parts, pins, plain(), { signal })).digest;
    }
    return new LayersTree(`the archive ${quote(name)}`, { fs: parts.fs, layers: parts.images.layers }, [diffId]);
  }

  async close(): Promise<void> {
    for (const fetched of this.#fetched.values()) {
      await fetched.then(({ spooled }) => spooled.remove()).catch(() => {});
    }
  }

  /** Undefined where no tar is in it. */
  async #takeZstd(read: () => AsyncIterable<Uint8Array>): Promise<Digest | undefined> {
    const { parts, pins, signal } = this.#solver.session;
    const { fs, layout, createHasher, images } = parts;
    const hasher = createHasher('sha256');
    const spooled = await spool(read(), { fs, layout, signal, onChunk: (chunk) => hasher.update(chunk) });
    try {
      const digest: Digest = `sha256:${hasher.digestHex()}`;
      const descriptor: Descriptor = { mediaType: MEDIA_TYPE.ociLayerZstd, digest, size: spooled.sizeBytes };
      await pins.pin([digest]);
      const { diffId } = await images.layers.ingest(descriptor, undefined, spooled.from, { signal });
      await pins.pin([diffId]);
      return diffId;
    } catch (error) {
      if (isWctrError(error, 'invalid-layer')) return undefined;
      throw error;
    } finally {
      await spooled.remove();
    }
  }

  #clone(word: Word): Promise<FileTree> {
    let clone = this.#clones.get(word);
    if (clone === undefined) {
      const { repository } = this.#solver.session.parts;
      if (repository === undefined) {
        throw new WctrError('unsupported', `nothing here fetches ${quote(shownAddress(word.text))} for a build`);
      }
      clone = repository(word.text, quote(shownAddress(word.text)));
      clone.catch(() => {});
      this.#clones.set(word, clone);
    }
    return clone;
  }

  #fetch(word: Word): Promise<Fetched> {
    let fetched = this.#fetched.get(word);
    if (fetched === undefined) {
      fetched = this.#download(word.text);
      fetched.catch(() => {});
      this.#fetched.set(word, fetched);
    }
    return fetched;
  }

  async #download(address: string): Promise<Fetched> {
    const { parts, signal } = this.#solver.session;
    const { download, fs, layout, createHasher } = parts;
    if (download === undefined)
      throw new WctrError('unsupported', `nothing here fetches ${quote(shownAddress(address))} for a build`);
    const { body } = await download(address, signal);
    const hasher = createHasher('sha256');
    const bounded = async function* () {
      let length = 0;
      for await (const chunk of body) {
        length += chunk.length;
        if (length > MAX_DOWNLOAD_BYTES) {
          throw new WctrError(
            'limit-exceeded',
            `${quote(shownAddress(address))} has more than ${MAX_DOWNLOAD_BYTES} bytes`,
          );
        }
        yield chunk;
      }
    };
    const spooled = await spool(bounded(), { fs, layout, signal, onChunk: (chunk) => hasher.update(chunk) });
    const digest: Digest = `sha256:${hasher.digestHex()}`;
    return { digest, spooled };
  }
}

/** The last part of an address' path. */
function nameOf(address: string): string {
  const path = URL.canParse(address) ? new URL(address).pathname : '';
  const base = path.slice(path.lastIndexOf('/') + 1);
  try {
    const name = decodeURIComponent(base);
    return name === '' || name === '.' || name === '..' || /[/\0]/.test(name) ? '__unnamed__' : name;
  } catch {
    return base;
  }
}
