/** The whole exported ABI of core.wasm; re-exports only. */
export * from './codec/index';
export * from './guard/index';
export * from './hash/index';
export * from './layer/index';
export * from './memory/index';
