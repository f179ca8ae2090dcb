import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';

const FOLDER = new URL('../../../assembly/hash/', import.meta.url).pathname;

it('sha256-blocks.ts is what its generator writes', () => {
  const written = execFileSync(process.execPath, [`${FOLDER}sha256-blocks.generate.mjs`], { encoding: 'utf8' });
  expect(written).toBe(readFileSync(`${FOLDER}sha256-blocks.ts`, 'utf8'));
});
