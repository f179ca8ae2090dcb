#!/usr/bin/env node
/** What the `wctr` command starts with: the code cache, then the program itself (main.ts, bundled beside this file). */
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { cacheCode } from '../host/node/code-cache.ts';
import { dataRoot } from '../host/node/directories.ts';
import { VERSION } from '../version.ts';

const here = fileURLToPath(import.meta.url);
cacheCode(dirname(here), join(dataRoot(process.env), 'code', VERSION));
createRequire(here)('./wctr-main.cjs');
