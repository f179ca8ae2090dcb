/** Finds the command a line names and runs it; writes help, and every error as one line with a hint. */
import { ERROR_TABLE, frameOf, isWctrError } from '../errors.ts';
import type { Command, Context } from './command.ts';
import { COMMANDS, type CommandEntry, HIDDEN_COMMANDS, isCommandEntry } from './commands.ts';
import { complain } from './complain.ts';
import { type Flag, parseFlags } from './flags.ts';
import { printable } from './format/units.ts';
import { closest } from './suggest.ts';
import type { Terminal } from './terminal.ts';

/**
 * Exit codes of docker: 125 for flags that cannot be read, and where `run` failed before anything ran; 1 for everything
 * else that fails, an unknown command and a wrong number of arguments included.
 */
const EXIT_USAGE = 125;
const EXIT_FAILED = 1;

export async function runCli(argv: readonly string[], context: Context, version: string): Promise<number> {
  const { terminal } = context;
  try {
    return await dispatch(argv, context, version);
  } catch (error) {
    return report(error, terminal);
  }
}

async function dispatch(argv: readonly string[], context: Context, version: string): Promise<number> {
  const { terminal } = context;
  const [first, second] = argv;
  if (first === undefined || first === '--help' || first === '-h' || first === 'help') {
    const named = first === 'help' ? argv.slice(1) : [];
    if (named.length > 0) return dispatch([...named, '--help'], context, version);
    terminal.out((await import('./help.ts')).groupHelp('wctr', COMMANDS));
    return 0;
  }
  if (first === '--version' || first === '-v') {
    terminal.out(`wctr version ${version}\n`);
    return 0;
  }
  const entry = Object.hasOwn(COMMANDS, first) ? COMMANDS[first] : HIDDEN_COMMANDS[first];
  if (entry === undefined) return unknownCommand(terminal, first, Object.keys(COMMANDS), 'wctr');
  if (isCommandEntry(entry)) return runCommand([first], entry, argv.slice(1), context);

  if (second === undefined || second === '--help' || second === '-h') {
    terminal.out((await import('./help.ts')).groupHelp(`wctr ${first}`, entry));
    return 0;
  }
  const inner = Object.hasOwn(entry, second) ? entry[second] : undefined;
  if (inner === undefined) return unknownCommand(terminal, second, Object.keys(entry), `wctr ${first}`);
  return runCommand([first, second], inner, argv.slice(2), context);
}

const HELP: Flag = { name: 'help', type: 'boolean', description: 'Show this help' };

async function runCommand(
  path: readonly string[],
  entry: CommandEntry,
  line: readonly string[],
  context: Context,
): Promise<number> {
  const command = await entry.load();
  // What the engine does not take is no mistake in the flags.
  let isUnderstood = false;
  const engine = () => {
    isUnderstood = true;
    return context.engine();
  };
  try {
    return await runLoaded(path, entry, command, line, Object.create(context, { engine: { value: engine } }));
  } catch (error) {
    if (!isWctrError(error)) throw error;
    const code = command.exitCode?.(error.code) ?? (isUnderstood ? EXIT_FAILED : undefined);
    return report(error, context.terminal, code);
  }
}

async function runLoaded(
  path: readonly string[],
  entry: CommandEntry,
  command: Command,
  line: readonly string[],
  context: Context,
): Promise<number> {
  // `run -h` names the host of the container, as docker's does; there help is --help alone.
  const help = command.flags.some((flag) => flag.short === 'h') ? HELP : { ...HELP, short: 'h' };
  const { flags, args } = parseFlags(line, [...command.flags, help], command.interspersed ?? true);
  const name = `wctr ${path.join(' ')}`;
  if (flags.bool('help')) {
    context.terminal.out((await import('./help.ts')).commandHelp(name, entry.summary, command));
    return 0;
  }
  const [least, most] = command.args;
  if (args.length < least || args.length > most) {
    complain(context.terminal, `"${name}" ${argumentRule(least, most)}`, `usage: ${name} ${command.usage}`.trimEnd());
    return EXIT_FAILED;
  }
  return command.run(context, args, flags);
}

function argumentRule(least: number, most: number): string {
  const count = (n: number) => `${n} argument${n === 1 ? '' : 's'}`;
  if (least === most) return least === 0 ? 'accepts no arguments' : `requires exactly ${count(least)}`;
  if (most === Number.POSITIVE_INFINITY) return `requires at least ${count(least)}`;
  return least === 0 ? `requires at most ${count(most)}` : `takes ${least} to ${count(most)}`;
}

function unknownCommand(terminal: Terminal, word: string, known: readonly string[], name: string): number {
  const near = closest(word, known);
  const hint = near === undefined ? `see '${name} --help'` : `did you mean '${name} ${near}'?`;
  const isFlag = word.startsWith('-');
  complain(terminal, isFlag ? `unknown flag: ${word}` : `'${word}' is not a ${name} command`, hint);
  return isFlag ? EXIT_USAGE : EXIT_FAILED;
}

function report(error: unknown, terminal: Terminal, exitCode?: number): number {
  if (isWctrError(error)) {
    complain(terminal, error.message, error.hint, frameOf(error));
    if (error.code === 'cancelled') return ERROR_TABLE.cancelled.exit;
    return exitCode ?? (error.code === 'invalid-argument' ? EXIT_USAGE : EXIT_FAILED);
  }
  const detail = error instanceof Error ? (error.stack ?? error.message) : String(error);
  const hint = 'this is a bug in wctr; WCTR_DEBUG=1 prints where it happened';
  complain(terminal, `internal error: ${detail.split('\n')[0]!}`, hint);
  if (terminal.env.WCTR_DEBUG !== undefined) terminal.err(`${printable(detail)}\n`);
  return EXIT_USAGE;
}
