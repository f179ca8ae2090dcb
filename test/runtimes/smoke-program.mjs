// The smoke suite under Node, Deno and Bun: <runtime> smoke-program.mjs <options as JSON>. Prints the results as JSON.
import process from 'node:process';
import { memfs } from 'memfs';
import { smoke } from './smoke.mjs';

const { entry, dataRoot, registry, ...context } = JSON.parse(process.argv[2]);
const { Wctr } = await import(entry);
const wctr = await Wctr.open({ dataRoot, registries: { insecure: [registry] }, env: {} });
const results = await smoke({ ...context, wctr, fs: memfs({}).fs });
await wctr.close();
process.stdout.write(`${JSON.stringify(results)}\n`, () => process.exit(0));
