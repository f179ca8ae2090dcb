/** The built `wctr` command against a store of its own. */
import { execFile } from 'node:child_process';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'vitest';
import { nodeFileSystem } from '../../src/host/node/file-system.ts';
import { nodeHasher } from '../../src/host/node/hasher.ts';
import { moduleLayout } from '../../src/images/archive/module-layout.ts';
import { writeMembers } from '../../src/images/archive/oci-layout.ts';
import { guestBytes } from './guests.ts';
import { removeTree } from './remove-tree.ts';

export const WCTR = fileURLToPath(new URL('../../dist/bin/wctr.cjs', import.meta.url));

export interface CliResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Cli {
  /** A directory of the test's own; the store is its `store`. */
  readonly dir: string;
  run(
    args: readonly string[],
    options?: { input?: string | Uint8Array; env?: Record<string, string>; cwd?: string },
  ): Promise<CliResult>;
  /** Standard output of a command that must succeed and say nothing on standard error. */
  out(...args: string[]): Promise<string>;
  /** Every container of the store, running or not. */
  removeContainers(): Promise<void>;
  remove(): void;
}

/** @param runtime what runs it: a program and its arguments; default, the Node of the tests. */
export function openCli([program = process.execPath, ...flags]: readonly string[] = []): Cli {
  const dir = mkdtempSync(join(tmpdir(), 'wctr-cli-'));
  const cli: Cli = {
    dir,
    run: (args, { input, env = {}, cwd = dir } = {}) =>
      new Promise((resolve) => {
        const child = execFile(
          program,
          [...flags, WCTR, ...args],
          {
            cwd,
            env: { PATH: process.env.PATH, HOME: dir, WCTR_DATA_ROOT: join(dir, 'store'), ...env },
            maxBuffer: 64 << 20,
          },
          (error, stdout, stderr) => {
            const code = error === null ? 0 : typeof error.code === 'number' ? error.code : 128;
            resolve({ code, stdout, stderr });
          },
        );
        child.stdin!.on('error', () => {});
        child.stdin!.end(input ?? '');
      }),
    async out(...args) {
      const { code, stdout, stderr } = await cli.run(args);
      expect({ args, code, stderr }).toEqual({ args, code: 0, stderr: '' });
      return stdout;
    },
    async removeContainers() {
      const ids = (await cli.run(['ps', '-aq'])).stdout.split('\n').filter((id) => id !== '');
      if (ids.length > 0) await cli.run(['rm', '-fv', ...ids]);
    },
    remove: () => removeTree(dir),
  };
  return cli;
}

/** An OCI layout directory with the busybox guest as the entrypoint `/busybox.wasm`. */
export function busyboxLayout(dir: string, reference = 'docker.io/library/busybox:test'): Promise<string> {
  return guestLayout(dir, 'busybox', reference);
}

/** An OCI layout directory with a guest of test/support/guests as its entrypoint. */
export function guestLayout(dir: string, guest: string, reference: string): Promise<string> {
  return moduleImage(dir, guest, guestBytes(guest), reference);
}

/** The same with a module as `/<name>.wasm`. */
export async function moduleImage(dir: string, name: string, module: Uint8Array, reference: string): Promise<string> {
  const layout = join(dir, name);
  const members = await moduleLayout(module, {
    fileName: `${name}.wasm`,
    reference,
    created: '2026-01-01T00:00:00Z',
    createHasher: nodeHasher,
  });
  await writeMembers(nodeFileSystem, layout, members);
  return layout;
}

export function writeFiles(dir: string, files: Readonly<Record<string, string | Uint8Array>>): void {
  for (const [name, content] of Object.entries(files)) writeFileSync(join(dir, name), content);
}
