/** The whole exported ABI of core.wasm; re-exports only. */
export {};
