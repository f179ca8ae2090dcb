/** What a container process starts with: dist/bin/shim.cjs, which runs shim-main.cjs from its compiled code. */
import { runCached } from './code-cache.ts';

runCached(import.meta.dirname, 'shim-main.cjs', process.argv[2] ?? '');
