/** Pushes an image of a store: `<store> <name>`; prints its digest. Runs under Node, Deno and Bun. */
import { createTestClient } from './registry-client.ts';
import { openPullStore } from './registry-pull.ts';

const [root, name] = process.argv.slice(2) as [string, string];
// As the composition root of Node and Deno has it.
const registry = createTestClient({ canStream: !('Deno' in globalThis) });
console.log((await openPullStore(root).push(name, { registry })).digest);
