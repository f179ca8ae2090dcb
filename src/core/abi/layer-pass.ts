/** Constants of the layer pass (assembly/layer/pass.ts), shared by AssemblyScript and TypeScript. */

/** passRun: put more of the blob at passInput, or say that it ended. */
export const PASS_INPUT = 0;
/** passRun: a piece of the plain tar is ready at passChunk. */
export const PASS_TAR = 1;
/** passRun: a piece of the index is ready at passIndex. */
export const PASS_INDEX = 2;
/** passRun: the blob was decoded, verified and indexed. */
export const PASS_DONE = 3;

/** passBegin: compute the digest of the blob, of the plain tar, in Wasm. */
export const PASS_HASH_BLOB = 1;
export const PASS_HASH_TAR = 2;

/** Plain bytes from which on the ratio limit is looked at: small layers of zeros are common and harmless. */
export const PASS_RATIO_FLOOR = 536870912;

/** passFailedAt: what was being done. */
export const AT_DECODE = 0;
export const AT_TAR = 1;
export const AT_LIMIT = 2;
