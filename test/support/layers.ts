/** Runs tars through the layer pass and the merge, for tests. */
import { createCoreModules } from '../../src/core/core-modules.ts';
import { type LayerEntry, layerEntries } from '../../src/core/layer-index.ts';
import { createLayerPass, type LayerPassOptions, type LayerPassResult } from '../../src/core/layer-pass.ts';
import { mergeLayerIndexes } from '../../src/core/merge.ts';
import { RootfsIndex } from '../../src/core/rootfs-index.ts';
import { type TarEntry, tar } from './tar-builder.ts';
import { coreBytes } from './wasm.ts';

export const core = createCoreModules(coreBytes());

export interface PassedLayer extends LayerPassResult {
  readonly index: Uint8Array;
  readonly entries: LayerEntry[];
  /** The plain tar as the sink got it. */
  readonly tar: Uint8Array;
}

/** `pieceBytes`: how the blob is cut up on its way in. */
export async function passLayer(
  blob: Uint8Array,
  options: Partial<LayerPassOptions> & { pieceBytes?: number } = {},
): Promise<PassedLayer> {
  const pieces: Uint8Array[] = [];
  const pass = await createLayerPass({ core, onTar: (chunk) => void pieces.push(chunk.slice()), ...options });
  const size = options.pieceBytes ?? 65536;
  for (let at = 0; at < blob.length; at += size) await pass.push(blob.subarray(at, at + size));
  const result = await pass.finish();
  if (result.index === undefined) throw new Error('the index went elsewhere');
  return { ...result, index: result.index, entries: [...layerEntries(result.index)], tar: Buffer.concat(pieces) };
}

export async function indexOf(...entries: TarEntry[]): Promise<Uint8Array> {
  return (await passLayer(tar(...entries))).index;
}

/** The merged index of layers given as tar entries, lowest first. */
export async function mergeLayers(...layers: TarEntry[][]): Promise<RootfsIndex> {
  const indexes = await Promise.all(layers.map((entries) => indexOf(...entries)));
  return new RootfsIndex(await mergeLayerIndexes(core, indexes));
}
