/**
 * A conformance case: one WASI program, what it is given, what must come out. Own cases carry this as JSON in their
 * first comment; the public suites have formats of their own (public-suites.ts).
 */
import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';

/** Path -> content, `null` for an empty directory (the path ends in a slash), or a symbolic link. */
export type Tree = Readonly<Record<string, string | Uint8Array | null | { readonly link: string }>>;

export interface ConformanceCase {
  readonly name: string;
  /** The module's bytes; own cases are compiled on first use. */
  wasm(): Uint8Array<ArrayBuffer>;
  readonly args: readonly string[];
  readonly env: readonly string[];
  /** Absent: no directory is preopened. */
  readonly root?: Tree;
  readonly cwd?: string;
  /** [name, path]; default: the container's root as "/". */
  readonly preopens?: readonly (readonly [name: string, path: string])[];
  readonly stdin?: string;
  readonly expect: Expectation;
}

export interface Expectation {
  /** Default 0. 128 + n after signal n, 134 after a trap. */
  readonly exitCode: number;
  /** Absent: not looked at. */
  readonly stdout?: string;
  readonly stderr?: string;
}

export interface Outcome {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
  /** What ended the guest, when it did not end by itself. */
  readonly reason?: string;
}

/** What a conforming host does with a case. */
export interface ConformanceHost {
  readonly name: string;
  run(test: ConformanceCase): Promise<Outcome> | Outcome;
}

/** undefined when the case holds, else one paragraph that says why not. */
export async function verdict(host: ConformanceHost, test: ConformanceCase): Promise<string | undefined> {
  let outcome: Outcome;
  try {
    outcome = await host.run(test);
  } catch (error) {
    return `${host.name} threw: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`;
  }
  const { expect } = test;
  const wrong: string[] = [];
  if (outcome.exitCode !== expect.exitCode) wrong.push(`exit code ${outcome.exitCode}, expected ${expect.exitCode}`);
  if (expect.stdout !== undefined && outcome.stdout !== expect.stdout)
    wrong.push(`stdout ${JSON.stringify(outcome.stdout)}, expected ${JSON.stringify(expect.stdout)}`);
  if (expect.stderr !== undefined && outcome.stderr !== expect.stderr)
    wrong.push(`stderr ${JSON.stringify(outcome.stderr)}, expected ${JSON.stringify(expect.stderr)}`);
  if (wrong.length === 0) return undefined;
  if (outcome.reason !== undefined) wrong.push(outcome.reason);
  if (outcome.stderr !== '') wrong.push(outcome.stderr.trimEnd());
  return wrong.join('\n');
}

const CASES = new URL('./cases/', import.meta.url).pathname;

interface CaseComment {
  args?: string[];
  env?: string[];
  root?: Tree;
  cwd?: string;
  preopens?: [string, string][];
  stdin?: string;
  stdout?: string;
  stderr?: string;
  exit?: number;
  trap?: boolean;
  signal?: string;
}

const TRAP_EXIT = 134;
const SIGNAL_EXIT: Readonly<Record<string, number>> = { TERM: 143 };

/** Our own cases. `compile` turns a source file into a module (toolchain.ts). */
export function ownCases(compile: (source: string) => Uint8Array<ArrayBuffer>): ConformanceCase[] {
  return readdirSync(CASES)
    .filter((file) => /\.(c|wat)$/.test(file))
    .sort()
    .map((file) => {
      const source = join(CASES, file);
      const comment = /(?:\/\*|\(;) case (.*?) (?:\*\/|;\))/s.exec(readFileSync(source, 'utf8'))?.[1];
      if (comment === undefined) throw new Error(`${file} does not say what it expects`);
      const given = JSON.parse(comment) as CaseComment;
      const name = file.replace(/\.(c|wat)$/, '');
      const { root, cwd, preopens, stdin, stdout, stderr } = given;
      return {
        name,
        wasm: () => compile(source),
        args: [`${basename(name)}.wasm`, ...(given.args ?? [])],
        env: given.env ?? [],
        ...(root && { root }),
        ...(cwd !== undefined && { cwd }),
        ...(preopens && { preopens }),
        ...(stdin !== undefined && { stdin }),
        expect: {
          exitCode: given.trap ? TRAP_EXIT : given.signal ? SIGNAL_EXIT[given.signal]! : (given.exit ?? 0),
          ...(stdout !== undefined && { stdout }),
          ...(stderr !== undefined && { stderr }),
        },
      };
    });
}
