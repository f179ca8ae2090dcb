/** The `wctr` command; launch.ts loads it. */
import type { Engine } from '../engine/engine.ts';
import { VERSION } from '../version.ts';
import { runCli } from './app.ts';
import type { Context } from './command.ts';
import { nodeCliHost } from './node-host.ts';
import { nodeTerminal } from './node-terminal.ts';

const argv = process.argv.slice(2);
// A second process takes as long to boot as this one: started first, it boots while this one finds the image.
const early = needsSecondProcess(argv)
  ? import('../host/process/prespawn.ts').then(({ prespawn }) => prespawn())
  : undefined;

async function open(dataRoot?: string): Promise<Engine> {
  const { openEngine } = await import('../node.ts');
  const process = await early;
  return openEngine({
    becomesContainer: true,
    ...(dataRoot === undefined ? {} : { dataRoot }),
    ...(process === undefined ? {} : { early: process }),
  });
}

async function main(): Promise<number> {
  const terminal = nodeTerminal();
  let engine: Promise<Engine> | undefined;
  let interrupted: AbortController | undefined;
  const context: Context = {
    terminal,
    engine: () => {
      engine ??= open();
      return engine;
    },
    engineAt: (root) => open(root),
    get signal() {
      interrupted ??= abortOnInterrupt();
      return interrupted.signal;
    },
    host: nodeCliHost(),
  };
  const code = await runCli(argv, context, VERSION);
  await terminal.flush();
  await (await engine)?.close();
  return code;
}

void main().then((code) => {
  process.exit(code);
});

function abortOnInterrupt(): AbortController {
  const controller = new AbortController();
  process.once('SIGINT', () => controller.abort());
  return controller;
}

/** A guess from the line alone; where it is wrong the process is started later, or ends unused. */
function needsSecondProcess([command, ...rest]: readonly string[]): boolean {
  return command === 'run' && rest.some((word) => /^(-m|--memory|--timeout)/.test(word)) && !rest.includes('--help');
}
