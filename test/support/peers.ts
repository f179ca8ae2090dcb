import { accessSync, constants, existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';

const INSTALLED = new URL('../peers/node_modules/', import.meta.url).pathname;

/**
 * Path of a program or package a test needs besides Node: looked up in test/peers (npm) and on PATH. Missing under
 * CI=true is a failure; elsewhere the caller skips: `describe.skipIf(!peer('skopeo'))`.
 */
export function peer(name: string): string | undefined {
  const found = [join(INSTALLED, '.bin', name), ...searchPath().map((dir) => join(dir, name))].find(isExecutable);
  if (found === undefined && process.env.CI === 'true') {
    throw new Error(`${name} is not installed: run .ci/install (CI=true forbids skipping)`);
  }
  return found;
}

/** Directory of an npm package in test/peers, by the same rule. */
export function peerPackage(name: string): string | undefined {
  const path = join(INSTALLED, name);
  if (existsSync(path)) return path;
  if (process.env.CI === 'true') throw new Error(`${name} is not installed in test/peers: run .ci/install`);
  return undefined;
}

function searchPath(): string[] {
  return [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin', '/sbin'];
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
