import * as module from '@wasmer/wasi';

/** In a file of its own: what is imported by a name that is not a file of ours cannot be loaded late from a bundle. */
export const library: unknown = module;
