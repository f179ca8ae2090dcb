/**
 * The layer index: what a layer's tar holds, in archive order, as bytes that are read in place. Written record by record
 * while the layer streams through (assembly/layer/writer.ts), so that memory does not grow with the layer; merged into a
 * rootfs index (rootfs-index.ts) when the layers of an image are known. Version 1, little endian, every record starts on
 * 8 bytes, nothing refers to an address: it can be mapped or copied anywhere.
 *
 * ```
 * header, 64 bytes (written last)
 *   0 u32 magic "WLIX"                4 u32 version (1)
 *   8 u64 byteLength (whole)         16 u32 entryCount          20 u32 crc32 of bytes [64, byteLength)
 *  24 u64 tarSizeBytes               32 u64 fileBytes (sum of the sizes of regular files)
 *  40 u32 whiteoutCount              44 u8[16] reserved (0)     60 u32 crc32 of bytes [0, 60)
 *
 * record, 64 bytes and a tail
 *   0 u32 recordLength (with tail and padding, a multiple of 8)
 *   4 u8  kind (LAYER_FILE ...)       5 u8 flags (LAYER_SPARSE)  6 u16 pathLength
 *   8 u16 baseOffset (last component) 10 u16 linkLength
 *  12 u32 mode (S_IFMT | permissions) 16 u32 uid                 20 u32 gid
 *  24 i64 mtime, ns since the epoch
 *  32 u64 size (file: bytes, holes included)
 *  40 u64 dataOffset in the layer's plain tar
 *  48 u32 rdev (major << 20 | minor)  52 u32 extentCount
 *  56 u32 xattrsLength                60 u32 reserved (0)
 *  64 extents: extentCount x { u64 logical offset, u64 length, u64 dataOffset in the plain tar }
 *     xattrs:  u16 count, then per attribute u16 nameLength, u32 valueLength, name, value
 *     path:    pathLength bytes; link target: linkLength bytes; zeros to the next multiple of 8
 * ```
 *
 * A path is what an extractor confined to the root would use: no leading '/', no empty, '.' or '..' component; the empty
 * path is the root directory. A whiteout's path names what it hides (without ".wh."), an opaque marker's the directory.
 * A hard link's target is cleaned in the same way, a symlink's is kept byte for byte.
 */
export const LAYER_MAGIC = 0x58494c57;
export const LAYER_VERSION = 1;
export const LAYER_HEADER_BYTES = 64;
export const LAYER_RECORD_BYTES = 64;
export const LAYER_EXTENT_BYTES = 24;

export const LAYER_FILE = 1;
/** Shares the node of the entry its target names, in this layer or a lower one. */
export const LAYER_HARDLINK = 2;
export const LAYER_SYMLINK = 3;
export const LAYER_CHARACTER = 4;
export const LAYER_BLOCK = 5;
export const LAYER_DIRECTORY = 6;
export const LAYER_FIFO = 7;
/** Hides its path in the layers below. */
export const LAYER_WHITEOUT = 8;
/** Hides what the layers below have in this directory. */
export const LAYER_OPAQUE = 9;

/** Flag: the data lies in runs; between them the file reads as zeros. */
export const LAYER_SPARSE = 1;
