#!/usr/bin/env node
/** What the `wctr` command starts with: it runs main.ts, bundled beside this file, from its compiled code. */
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { runCached } from '../host/node/code-cache.ts';
import { dataRoot } from '../host/node/directories.ts';
import { VERSION } from '../version.ts';

// What is kept is what the first run had compiled by its end: `run` must not live on what `--version` left.
const kind = process.argv[2] === 'run' ? 'run' : 'other';
const here = dirname(fileURLToPath(import.meta.url));
runCached(here, 'wctr-main.cjs', join(dataRoot(process.env), 'code', `${VERSION}-${kind}`));
