#!/usr/bin/env node
/** What the `wctr` command starts with: it runs main.ts, bundled beside this file, from its compiled code. */
import { join } from 'node:path';
import { runCached } from '../host/node/code-cache.ts';
import { dataRoot } from '../host/node/directories.ts';
import { VERSION } from '../version.ts';

// What is kept is what the first run had compiled by its end: `run` must not live on what `--version` left.
const kind = process.argv[2] === 'run' ? 'run' : 'other';
runCached(import.meta.dirname, 'wctr-main.cjs', join(dataRoot(process.env), 'code', `${VERSION}-${kind}`));
