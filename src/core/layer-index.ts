/** Reads a layer index (abi/layer-index.ts) where it lies, for inspection and tests; the merge is done in Wasm. */
import { WctrError } from '../errors.ts';
import {
  LAYER_EXTENT_BYTES,
  LAYER_HEADER_BYTES,
  LAYER_MAGIC,
  LAYER_RECORD_BYTES,
  LAYER_VERSION,
} from './abi/layer-index.ts';

export interface LayerIndexHeader {
  readonly byteLength: number;
  readonly entryCount: number;
  readonly tarSizeBytes: number;
  readonly fileBytes: number;
  readonly whiteoutCount: number;
}

export interface Extent {
  readonly offset: number;
  readonly length: number;
  readonly dataOffset: number;
}

export interface LayerEntry {
  /** LAYER_FILE ... of abi/layer-index.ts. */
  readonly kind: number;
  readonly sparse: boolean;
  /** Bytes, as the tar has them; `path` is for people. */
  readonly pathBytes: Uint8Array;
  readonly path: string;
  readonly link: string;
  /** S_IFMT and permissions. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly mtimeNs: bigint;
  readonly size: number;
  readonly dataOffset: number;
  readonly device: number;
  readonly extents: readonly Extent[];
  readonly xattrs: ReadonlyMap<string, Uint8Array>;
}

/** Undefined when the bytes are no layer index of this version, or not whole. Checksums are the core's business. */
export function layerIndexHeader(bytes: Uint8Array): LayerIndexHeader | undefined {
  if (bytes.length < LAYER_HEADER_BYTES) return undefined;
  const view = viewOf(bytes);
  if (view.getUint32(0, true) !== LAYER_MAGIC || view.getUint32(4, true) !== LAYER_VERSION) return undefined;
  return {
    byteLength: u64(view, 8),
    entryCount: view.getUint32(16, true),
    tarSizeBytes: u64(view, 24),
    fileBytes: u64(view, 32),
    whiteoutCount: view.getUint32(40, true),
  };
}

/** The entries in archive order, from the record at `from` on. Throws `store-corrupt` when a record leaves the index. */
export function* layerEntries(bytes: Uint8Array, from = LAYER_HEADER_BYTES): Generator<LayerEntry> {
  const view = viewOf(bytes);
  for (let at = from; at < bytes.length; ) {
    const length = at + LAYER_RECORD_BYTES <= bytes.length ? view.getUint32(at, true) : 0;
    if (length < LAYER_RECORD_BYTES || at + length > bytes.length) {
      throw new WctrError('store-corrupt', 'a layer index ends within an entry');
    }
    yield readEntry(bytes, view, at);
    at += length;
  }
}

function readEntry(bytes: Uint8Array, view: DataView, at: number): LayerEntry {
  const extentCount = view.getUint32(at + 52, true);
  const xattrsAt = at + LAYER_RECORD_BYTES + extentCount * LAYER_EXTENT_BYTES;
  const xattrsLength = view.getUint32(at + 56, true);
  const pathAt = xattrsAt + xattrsLength;
  const linkAt = pathAt + view.getUint16(at + 6, true);
  const pathBytes = bytes.subarray(pathAt, linkAt);
  return {
    kind: view.getUint8(at + 4),
    sparse: view.getUint8(at + 5) !== 0,
    pathBytes,
    path: text(pathBytes),
    link: text(bytes.subarray(linkAt, linkAt + view.getUint16(at + 10, true))),
    mode: view.getUint32(at + 12, true),
    uid: view.getUint32(at + 16, true),
    gid: view.getUint32(at + 20, true),
    mtimeNs: view.getBigInt64(at + 24, true),
    size: u64(view, at + 32),
    dataOffset: u64(view, at + 40),
    device: view.getUint32(at + 48, true),
    extents: readExtents(view, at + LAYER_RECORD_BYTES, extentCount),
    xattrs: xattrsLength === 0 ? new Map() : readXattrs(bytes, xattrsAt),
  };
}

/** 24 bytes each: logical offset, length, offset in the plain tar. */
export function readExtents(view: DataView, at: number, count: number): Extent[] {
  return Array.from({ length: count }, (_, i) => {
    const run = at + i * LAYER_EXTENT_BYTES;
    return { offset: u64(view, run), length: u64(view, run + 8), dataOffset: u64(view, run + 16) };
  });
}

/** u16 count, then u16 nameLength, u32 valueLength, name, value. */
export function readXattrs(bytes: Uint8Array, at: number): Map<string, Uint8Array> {
  const view = viewOf(bytes);
  const found = new Map<string, Uint8Array>();
  let next = at + 2;
  for (let left = view.getUint16(at, true); left > 0; left--) {
    const valueAt = next + 6 + view.getUint16(next, true);
    const end = valueAt + view.getUint32(next + 2, true);
    found.set(text(bytes.subarray(next + 6, valueAt)), bytes.slice(valueAt, end));
    next = end;
  }
  return found;
}

export function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** File sizes and offsets: exact up to 2^53. */
export function u64(view: DataView, at: number): number {
  return Number(view.getBigUint64(at, true));
}

const decoder = new TextDecoder();

/** Bytes that are no UTF-8 show as U+FFFD. */
export function text(bytes: Uint8Array): string {
  return decoder.decode(bytes);
}
