/**
 * What the core (assembly/) answers, one number per reason. Both sides import this file: AssemblyScript reads the
 * constants as i32, TypeScript as number. Zero and above is success and means what the function says; below zero is
 * one of these. `src/core/status.ts` turns them into a WctrError.
 */
export const OK = 0;
/** The input ended inside a structure. */
export const E_TRUNCATED = -1;
/** The bytes are not of the announced format, or break its rules. */
export const E_CORRUPT = -2;
/** A checksum or a declared length disagrees with the data. */
export const E_CHECKSUM = -3;
/** Valid, but a feature this build refuses (a zstd dictionary, a GC type, ...). */
export const E_UNSUPPORTED = -4;
/** A cap was reached (window, entries, ratio, name length, sections, ...). */
export const E_LIMIT = -5;
/** Linear memory could not grow within the module's ceiling. */
export const E_NO_MEMORY = -6;
/** The caller broke the protocol of the ABI. */
export const E_STATE = -7;
/** Not allowed by policy (an import that was not granted, an entry that would escape, ...). */
export const E_DENIED = -8;
