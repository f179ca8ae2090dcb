#!/usr/bin/env node
import type { Engine } from '../engine/engine.ts';
/** The `wctr` command. */
import { prespawn } from '../host/process/sandbox.ts';
import { runCli } from './app.ts';
import { nodeCliHost } from './node-host.ts';
import { nodeTerminal } from './node-terminal.ts';

const argv = process.argv.slice(2);
// A container's process takes as long to boot as this one: started first, it boots while this one finds the image.
const early = startsContainer(argv) ? prespawn() : undefined;

const { openEngine, VERSION } = await import('../node.ts');

const interrupted = new AbortController();
process.once('SIGINT', () => interrupted.abort());

let engine: Promise<Engine> | undefined;
const terminal = nodeTerminal();
const code = await runCli(
  argv,
  {
    terminal,
    engine: () => {
      engine ??= openEngine({ env: process.env, ...(early === undefined ? {} : { early }) });
      return engine;
    },
    signal: interrupted.signal,
    host: nodeCliHost(),
  },
  VERSION,
);
await terminal.flush();
await (await engine)?.close();
// Node's own teardown costs milliseconds and has nothing left to do.
(process as unknown as { reallyExit(code: number): never }).reallyExit?.(code);
process.exit(code);

function startsContainer([command, ...rest]: readonly string[]): boolean {
  if (command !== 'run' || rest.length === 0 || rest.includes('--help')) return false;
  const at = rest.findIndex((word) => word === '--sandbox' || word.startsWith('--sandbox='));
  return at < 0 || rest[at] === '--sandbox=process' || rest[at + 1] === 'process';
}
