#!/usr/bin/env node
/** The `wctr` command. */
import type { Engine } from '../engine/engine.ts';
import { prespawn } from '../host/process/prespawn.ts';
import { VERSION } from '../version.ts';
import { runCli } from './app.ts';
import type { Context } from './command.ts';
import { nodeCliHost } from './node-host.ts';
import { nodeTerminal } from './node-terminal.ts';

const argv = process.argv.slice(2);
// A container's process takes as long to boot as this one: started first, it boots while this one finds the image.
const early = startsContainer(argv) ? prespawn() : undefined;

async function main(): Promise<number> {
  const interrupted = new AbortController();
  process.once('SIGINT', () => interrupted.abort());
  const terminal = nodeTerminal();
  let engine: Promise<Engine> | undefined;
  const context: Context = {
    terminal,
    engine: () => {
      engine ??= import('../node.ts').then(({ openEngine }) => openEngine(early === undefined ? {} : { early }));
      return engine;
    },
    signal: interrupted.signal,
    host: nodeCliHost(),
  };
  const code = await runCli(argv, context, VERSION);
  await terminal.flush();
  await (await engine)?.close();
  return code;
}

void main().then((code) => {
  // Node's own teardown costs milliseconds and has nothing left to do.
  const { reallyExit } = process as unknown as { reallyExit?(code: number): void };
  reallyExit?.(code);
  process.exit(code);
});

function startsContainer([command, ...rest]: readonly string[]): boolean {
  if (command !== 'run' || rest.length === 0 || rest.includes('--help')) return false;
  const at = rest.findIndex((word) => word === '--sandbox' || word.startsWith('--sandbox='));
  return at < 0 || rest[at] === '--sandbox=process' || rest[at + 1] === 'process';
}
