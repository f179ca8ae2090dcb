/** Merges layer indexes into a rootfs index (assembly/layer/merge.ts); the memory it takes goes when it returns. */
import type { WctrError } from '../errors.ts';
import { E_NO_MEMORY, OK } from './abi/status.ts';
import { type CoreModules, instantiateCore } from './core-modules.ts';
import type { MergeExports } from './layer-exports.ts';
import { mergeFailure } from './layer-failure.ts';
import { layerEntries } from './layer-index.ts';

export interface MergeOptions {
  /** Files and directories at any time. Default 8 million. */
  readonly maxNodes?: number;
  /** For messages, one per layer; default "layer 1" ... */
  readonly names?: readonly string[];
}

/**
 * `indexes`: the layers' indexes (abi/layer-index.ts), lowest first. Gives the rootfs index (abi/rootfs-index.ts).
 * Throws `store-corrupt` (data.layer: which index is damaged), `invalid-layer` (an entry cannot be applied),
 * `limit-exceeded`, `no-memory`.
 */
export async function mergeLayerIndexes(
  core: CoreModules,
  indexes: readonly Uint8Array[],
  options: MergeOptions = {},
): Promise<Uint8Array<ArrayBuffer>> {
  const { memory, exports } = await instantiateCore<MergeExports>(core, { shared: false, maximumBytes: 2 ** 32 });
  const begun = exports.mergeBegin(options.maxNodes ?? 8_000_000);
  if (begun !== OK) throw mergeFailure('image', begun, '');
  for (const [i, index] of indexes.entries()) {
    const what = options.names?.[i] ?? `layer ${i + 1}`;
    const address = exports.mergeReserve(index.length) >>> 0;
    if (address === 0) throw mergeFailure(what, E_NO_MEMORY, '');
    new Uint8Array(memory.buffer).set(index, address);
    const status = exports.mergeLayer(address, index.length);
    if (status !== OK) throw refused(what, status, index, (exports.mergeFailedRecord() >>> 0) - address);
  }
  const status = exports.mergeFinish();
  if (status !== OK) throw mergeFailure('image', status, '');
  const result = exports.mergeResult() >>> 0;
  const length = new DataView(memory.buffer).getUint32(result + 8, true);
  return new Uint8Array(memory.buffer).slice(result, result + length);
}

function refused(what: string, status: number, index: Uint8Array, offset: number): WctrError {
  const record = offset > 0 && offset < index.length ? layerEntries(index, offset).next().value : undefined;
  return mergeFailure(what, status, record?.path ?? '');
}
