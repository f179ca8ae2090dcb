/**
 * The files of a layer in the making: the plain tar and its index, written to temp files while the pass runs, then moved
 * to `layers/sha256/<diff ID>/{tar,index,blob.json}`. The index goes last: without it there is no layer.
 */
import type { TarThread } from '../core/layer-pass.ts';
import type { FileHandle, FileSystem } from '../host/ports.ts';
import type { Descriptor } from './contracts.ts';
import { openCreating, parentOf, renameDurably, syncDirectory, uniqueName, writeAll } from './store/durable.ts';

export interface LayerPaths {
  readonly directory: string;
  readonly tar: string;
  readonly index: string;
  /** Which blob it was made from, so that it can be made again. */
  readonly origin: string;
}

export function layerPaths(layersRoot: string, hex: string): LayerPaths {
  const directory = `${layersRoot}/sha256/${hex}`;
  return { directory, tar: `${directory}/tar`, index: `${directory}/index`, origin: `${directory}/blob.json` };
}

/** How many pieces of the tar may be on their way to the disk at once. */
export const PIECES_IN_FLIGHT = 6;

export class LayerDraft {
  readonly tarPath: string;
  readonly #fs: FileSystem;
  readonly #indexPath: string;
  readonly #pipelined: boolean;
  readonly #writes: Promise<void>[] = [];
  #tar: FileHandle | undefined;
  #index: FileHandle | undefined;
  #tarBytes = 0;

  /** `pipelined`: pieces given to `writeTar` stay as they are while PIECES_IN_FLIGHT more are given. */
  constructor(fs: FileSystem, tempDir: string, pipelined: boolean) {
    const name = uniqueName('layer');
    this.#fs = fs;
    this.#pipelined = pipelined;
    this.tarPath = `${tempDir}/${name}-tar`;
    this.#indexPath = `${tempDir}/${name}-index`;
  }

  async open(): Promise<void> {
    this.#tar = await openCreating(this.#fs, this.tarPath, 'wx');
    this.#index = await openCreating(this.#fs, this.#indexPath, 'wx');
  }

  writeTar(piece: Uint8Array): void | Promise<void> {
    const write = writeAll(this.#tar!, piece, this.#tarBytes);
    this.#tarBytes += piece.length;
    if (!this.#pipelined) return write;
    // Its error is thrown when its turn comes.
    write.catch(() => {});
    this.#writes.push(write);
    if (this.#writes.length > PIECES_IN_FLIGHT) return this.#writes.shift();
  }

  writeIndex(piece: Uint8Array, position: number): Promise<void> {
    return writeAll(this.#index!, piece, position);
  }

  /** Makes it durable and visible at `to`. Whatever was there is replaced. */
  async commit(to: LayerPaths, origin: Descriptor): Promise<void> {
    await Promise.all(this.#writes);
    await Promise.all([this.#tar!.sync(), this.#index!.sync()]);
    await this.#close();
    await this.#fs.mkdir(to.directory, { recursive: true, mode: 0o700 });
    const { mediaType, digest, size } = origin;
    // Not synced: it is only needed when something else is damaged, and says itself when it is.
    await this.#fs.writeFile(to.origin, JSON.stringify({ mediaType, digest, size }));
    await this.#fs.rename(this.tarPath, to.tar);
    await renameDurably(this.#fs, this.#indexPath, to.index);
    await syncDirectory(this.#fs, parentOf(to.directory));
  }

  /** Leaves nothing behind. */
  async discard(thread?: TarThread): Promise<void> {
    await thread?.abort();
    await Promise.allSettled(this.#writes);
    await this.#close().catch(() => {});
    await this.#fs.rm(this.tarPath, { force: true }).catch(() => {});
    await this.#fs.rm(this.#indexPath, { force: true }).catch(() => {});
  }

  async #close(): Promise<void> {
    const [tar, index] = [this.#tar, this.#index];
    this.#tar = undefined;
    this.#index = undefined;
    await tar?.close();
    await index?.close();
  }
}
