/** Deno has Node's modules; only the name of this root is its own. */
export * from './node.ts';
