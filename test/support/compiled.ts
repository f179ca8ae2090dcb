/** Test programs for processes of their own: Node 20 runs no TypeScript, so they are compiled on the way. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { removeTree } from './remove-tree.ts';

const PROJECT = new URL('../../', import.meta.url).pathname;

export interface CompiledProgram {
  /** To be run by `process.execPath`. */
  readonly path: string;
  remove(): void;
}

/** Compiles `test/support/<name>.ts` and what it imports. Types are not judged here; `npm run lint` does that. */
export function compileProgram(name: string): CompiledProgram {
  // Inside the project, so that packages are found.
  mkdirSync(join(PROJECT, '.build'), { recursive: true });
  const dir = mkdtempSync(join(PROJECT, '.build/program-'));
  const config = {
    extends: '../../tsconfig.json',
    compilerOptions: { noEmit: false, noCheck: true, rootDir: '../..', outDir: '.' },
    files: [`../../test/support/${name}.ts`],
    include: [],
  };
  // What ships beside the code is looked for relative to it.
  symlinkSync(join(PROJECT, 'dist'), join(dir, 'dist'));
  writeFileSync(join(dir, 'tsconfig.json'), JSON.stringify(config));
  execFileSync(join(PROJECT, 'node_modules/.bin/tsc'), ['-p', dir], { stdio: 'pipe' });
  return {
    path: join(dir, 'test/support', `${name}.js`),
    remove: () => removeTree(dir),
  };
}
