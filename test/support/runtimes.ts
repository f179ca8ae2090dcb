/** The runtimes `wctr` runs on beside the Node of the tests: the newest Node, Deno and Bun, where they are installed. */
import { peer } from './peers.ts';

export interface Runtime {
  readonly name: string;
  /** What comes before the name of a program; null: it is not installed. */
  readonly command: readonly string[] | null;
  /** File name of its executable. */
  readonly executable: string;
}

function runtime(name: string, executable: string, ...flags: string[]): Runtime {
  const program = peer(executable);
  return { name, executable, command: program === undefined ? null : [program, ...flags] };
}

export const NODE: Runtime = runtime('the newest Node', 'node');
export const DENO: Runtime = runtime('Deno', 'deno', 'run', '--allow-all', '--quiet');
export const BUN: Runtime = runtime('Bun', 'bun');
