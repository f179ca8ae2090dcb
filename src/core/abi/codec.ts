/**
 * Constants of the decoder (assembly/codec/decoder.ts), shared by AssemblyScript and TypeScript.
 */
/** Looks at the first bytes: gzip or zstd magic, a zstd skippable frame, else plain. */
export const FORMAT_AUTO = 0;
export const FORMAT_PLAIN = 1;
/** RFC 1952, any number of members. */
export const FORMAT_GZIP = 2;
/** RFC 1950. */
export const FORMAT_ZLIB = 3;
/** RFC 1951 without a wrapper. */
export const FORMAT_DEFLATE = 4;
/** RFC 8878, any number of frames. */
export const FORMAT_ZSTD = 5;

/** decoderRun: give more input (or say that it ended), then call again. */
export const RUN_NEED_INPUT = 0;
/** decoderRun: a chunk of output is ready. */
export const RUN_OUTPUT = 1;
/** decoderRun: everything was decoded and verified. */
export const RUN_DONE = 2;

/** Output chunks hold about this many bytes, at most CHUNK_BYTES + CHUNK_OVERRUN. */
export const CHUNK_BYTES = 131072;
export const CHUNK_OVERRUN = 512;
/** Largest zstd window accepted unless the caller says otherwise (`zstd --long=27`). */
export const WINDOW_LIMIT_DEFAULT = 134217728;
