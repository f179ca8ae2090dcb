/** Files of an image, read where they lie: in the plain tars of its layers. */
import { S_IFMT, S_IFREG } from '../core/abi/kernel.ts';
import { RootfsIndex } from '../core/rootfs-index.ts';
import type { ByteLocation } from '../host/ports.ts';
import type { CheckpointLocation } from '../host/sandbox.ts';
import type { LayerStore } from '../images/contracts.ts';
import type { EngineHost } from './parts.ts';

type Rootfs = Awaited<ReturnType<LayerStore['rootfs']>>;

const MAX_TEXT_FILE_BYTES = 1024 * 1024;

export class RootfsFiles {
  readonly #rootfs: Rootfs;
  readonly #readAt: EngineHost['readAt'];

  constructor(rootfs: Rootfs, readAt: EngineHost['readAt']) {
    this.#rootfs = rootfs;
    this.#readAt = readAt;
  }

  /** The first bytes of a file; undefined where there is no such file, or a sparse one. */
  async read(path: string, limitBytes: number): Promise<Uint8Array | undefined> {
    const file = await this.locate(path);
    if (file === undefined) return undefined;
    return this.#readAt(file.at, file.position, Math.min(file.sizeBytes, limitBytes));
  }

  async readText(path: string): Promise<string | undefined> {
    const bytes = await this.read(path, MAX_TEXT_FILE_BYTES);
    return bytes === undefined ? undefined : new TextDecoder().decode(bytes);
  }

  async locate(path: string): Promise<Required<CheckpointLocation> | undefined> {
    const index = new RootfsIndex(await this.whole(this.#rootfs.index));
    const number = index.lookup(path);
    if (number === undefined) return undefined;
    const { mode, extents, layer, dataOffset, size } = index.node(number);
    if ((mode & S_IFMT) !== S_IFREG || extents.length > 0) return undefined;
    return { at: this.#rootfs.layers[layer]!, position: dataOffset, sizeBytes: size };
  }

  whole(location: ByteLocation): Promise<Uint8Array> {
    return this.#readAt(location, 0, Number.MAX_SAFE_INTEGER);
  }
}
