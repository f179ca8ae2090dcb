// The build under Node, Deno and Bun: <runtime> build-program.mjs <options as JSON>. Prints what came of it as JSON.
import { readFileSync } from 'node:fs';
import process from 'node:process';
import { buildHere } from './build.mjs';

const { entry, dataRoot, guest } = JSON.parse(process.argv[2]);
const { Wctr } = await import(entry);
const wctr = await Wctr.open({ dataRoot, env: {} });
const result = await buildHere(wctr, readFileSync(guest));
await wctr.close();
process.stdout.write(`${JSON.stringify(result)}\n`, () => process.exit(0));
