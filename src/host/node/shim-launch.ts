/** What a container process starts with: dist/bin/shim.cjs, which runs shim-main.cjs from its compiled code. */
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { runCached } from './code-cache.ts';

runCached(dirname(fileURLToPath(import.meta.url)), 'shim-main.cjs', process.argv[2] ?? '');
