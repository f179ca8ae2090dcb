/**
 * The rootfs index: one image's whole file tree (layers applied, whiteouts resolved) as bytes that are read in place.
 * Written by assembly/layer (merge), read by assembly/kernel (the lower half of the overlay). Version 1, little endian,
 * every section 8-byte aligned, every offset relative to the first byte, so it can be mapped or copied anywhere.
 *
 * ```
 * header, 96 bytes
 *   0 u32 magic "WRFS"            4 u32 version (1)
 *   8 u32 byteLength (whole)     12 u32 crc32 of bytes [16, byteLength)
 *  16 u32 nodeCount              20 u32 nodesOffset      node 0 is the root directory
 *  24 u32 direntCount            28 u32 direntsOffset    a directory's entries are contiguous, in byte order of name
 *  32 u32 bucketCount (2^n)      36 u32 bucketsOffset    u32 each: dirent number + 1, 0 = free; linear probing
 *  40 u32 stringsOffset          44 u32 stringsLength    names and symlink targets, no terminators
 *  48 u32 extentsOffset          52 u32 extentCount      data runs of sparse files
 *  56 u32 xattrsOffset           60 u32 xattrsLength
 *  64 u32 layerCount             68 u32 flags (0)
 *  72 u64 totalFileBytes         80 u8[16] reserved (0)
 *
 * node, 64 bytes                                  dirent, 16 bytes
 *   0 u64 size (file: bytes; link: target length)   0 u32 nameOffset (from stringsOffset)
 *   8 u64 dataOffset (in the layer's plain tar;     4 u16 nameLength (1..255)
 *         link: target's offset from stringsOffset) 6 u16 type (S_IFMT bits >> 12)
 *  16 i64 mtime, ns since the epoch                 8 u32 node
 *  24 u32 mode (S_IFMT | permissions)              12 u32 hash (see below)
 *  28 u32 uid   32 u32 gid
 *  36 u32 nlink (dir: 2 + child dirs)             extent, 24 bytes
 *  40 u32 layer (0 = lowest)                        0 u64 logical offset
 *  44 u32 dir: first dirent; sparse: first extent   8 u64 length
 *  48 u32 dir: entry count;  sparse: extent count  16 u64 dataOffset in the layer's plain tar
 *  52 u32 dir: parent node (root: 0)
 *  56 u32 rdev (major << 20 | minor)              xattr blob: u16 count, then per attribute
 *  60 u32 xattr blob offset + 1, 0 = none           u16 nameLength, u32 valueLength, name, value
 * ```
 *
 * A regular file with extent count 0 is contiguous: `size` bytes at `dataOffset`. One with extents is sparse; between
 * extents it reads as zeros.
 *
 * hash(parent, name): h = 0x811c9dc5 ^ (parent * 0x9e3779b1); for each byte h = (h ^ byte) * 0x01000193;
 * then h ^= h >>> 15; h *= 0x85ebca6b; h ^= h >>> 13 (all u32). Bucket = h & (bucketCount - 1).
 * bucketCount is the least power of two >= 2 * direntCount (at least 8).
 */
export const ROOTFS_MAGIC = 0x53465257;
export const ROOTFS_VERSION = 1;
export const ROOTFS_HEADER_BYTES = 96;
export const ROOTFS_NODE_BYTES = 64;
export const ROOTFS_DIRENT_BYTES = 16;
export const ROOTFS_EXTENT_BYTES = 24;
