// The build of build-smoke.mjs under Node, Deno and Bun: <runtime> build-program.mjs <options as JSON>.
import { readFileSync } from 'node:fs';
import process from 'node:process';
import { buildSmoke } from './build-smoke.mjs';

const { entry, step, ...options } = JSON.parse(process.argv[2]);
const { Wctr } = await import(entry);
const wctr = await Wctr.open({ ...options, env: {} });
const result = await buildSmoke(wctr, new Uint8Array(readFileSync(step)));
await wctr.close();
process.stdout.write(`${JSON.stringify(result)}\n`, () => process.exit(0));
