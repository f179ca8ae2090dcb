/** What one entry may cost, whatever its headers claim. */
export const MAX_PATH: u32 = 4096;
export const MAX_LINK: u32 = 4096;
/** Payload of one pax header. */
export const MAX_PAX: u32 = 1 << 20;
/** Data runs of one sparse file, 24 bytes each. */
export const MAX_EXTENTS: u32 = 65536;
export const EXTENT_BYTES: u32 = 24;
export const MAX_XATTRS: u32 = 1024;
export const MAX_XATTR_NAME: u32 = 255;
/** XATTR_SIZE_MAX of Linux. */
export const MAX_XATTR_VALUE: u32 = 65536;
