/** `wctr` commands on registries, run in this process with a home of the test's own. */
import { join } from 'node:path';
import { expect } from 'vitest';
import { runCli } from '../../src/cli/app.ts';
import { openRegistryTools } from '../../src/node.ts';
import { testContext } from './cli-context.ts';
import { startDockerRegistry } from './docker-registry.ts';
import { peer } from './peers.ts';
import { startRegistry } from './wctr-registry.ts';

export interface RegistryCli {
  run(...line: string[]): Promise<{ code: number; stdout: string; stderr: string }>;
  /** What it printed; fails the test when the command does. */
  done(...line: string[]): Promise<string>;
}

export function registryCli(home: string, env: Readonly<Record<string, string>> = {}): RegistryCli {
  const run = async (...line: string[]) => {
    const registry = () => openRegistryTools({ env: { HOME: home, ...env }, dataRoot: join(home, 'store') });
    const files = {
      resolvePath: (path: string) => (path.startsWith('/') ? path : join(home, path)),
      kind: async (path: string) => (path === home ? ('directory' as const) : undefined),
    };
    const context = Object.assign(testContext({ host: files, env }), { registry });
    const code = await runCli(line, context, '0.0.0');
    return { code, stdout: context.stdout(), stderr: context.stderr() };
  };
  return {
    run,
    done: async (...line) => {
      const { code, stdout, stderr } = await run(...line);
      // Progress is no error.
      expect([code, stderr.replace(/^[0-9a-f]{12}: .*\n|^(Note|The push).*\n/gm, '')]).toEqual([0, '']);
      return stdout.trim();
    },
  };
}

/** Registries to go through with the same test: Debian's, where it is installed, and our own. */
export const REGISTRIES: readonly (readonly [string, () => Promise<{ host: string; stop(): Promise<void> }>])[] = [
  ...(peer('docker-registry') ? [['docker-registry', () => startDockerRegistry()] as const] : []),
  ['wctr registry', () => startRegistry({ storage: 'memory' })],
];
