/** Finds the command a line names and runs it; writes help, and every error as one line with a hint. */
import { type CAC, cac } from 'cac';
import { ERROR_TABLE, isWctrError, WctrError } from '../errors.ts';
import type { Command, Context } from './command.ts';
import { COMMANDS, type CommandEntry } from './commands.ts';
import { type Flag, parseFlags } from './flags.ts';
import { printable } from './format/units.ts';
import { closest } from './suggest.ts';
import { paint, type Terminal } from './terminal.ts';

type Group = Readonly<Record<string, CommandEntry>>;

/** Exit codes of docker: 125 where wctr itself failed before anything ran; 1 for a failed command that runs nothing. */
const EXIT_USAGE = 125;

export async function runCli(argv: readonly string[], context: Context, version: string): Promise<number> {
  const { terminal } = context;
  try {
    return await dispatch(argv, context, version);
  } catch (error) {
    return report(error, argv, terminal);
  }
}

async function dispatch(argv: readonly string[], context: Context, version: string): Promise<number> {
  const { terminal } = context;
  const [first, second] = argv;
  if (first === undefined || first === '--help' || first === '-h' || first === 'help') {
    const named = first === 'help' ? argv.slice(1) : [];
    if (named.length > 0) return dispatch([...named, '--help'], context, version);
    terminal.out(groupHelp('wctr', COMMANDS));
    return 0;
  }
  if (first === '--version' || first === '-v') {
    terminal.out(`wctr version ${version}\n`);
    return 0;
  }
  const entry = Object.hasOwn(COMMANDS, first) ? COMMANDS[first]! : undefined;
  if (entry === undefined) throw unknownCommand(first, Object.keys(COMMANDS), 'wctr');
  if (isCommandEntry(entry)) return runCommand([first], entry, argv.slice(1), context);

  if (second === undefined || second === '--help' || second === '-h') {
    terminal.out(groupHelp(`wctr ${first}`, entry));
    return 0;
  }
  const inner = Object.hasOwn(entry, second) ? entry[second] : undefined;
  if (inner === undefined) throw unknownCommand(second, Object.keys(entry), `wctr ${first}`);
  return runCommand([first, second], inner, argv.slice(2), context);
}

function isCommandEntry(entry: CommandEntry | Group): entry is CommandEntry {
  return typeof entry.load === 'function';
}

const HELP: Flag = { name: 'help', type: 'boolean', description: 'Show this help' };

async function runCommand(
  path: readonly string[],
  entry: CommandEntry,
  line: readonly string[],
  context: Context,
): Promise<number> {
  const command = await entry.load();
  // `run -h` names the host of the container, as docker's does; there help is --help alone.
  const help = command.flags.some((flag) => flag.short === 'h') ? HELP : { ...HELP, short: 'h' };
  const { flags, args } = parseFlags(line, [...command.flags, help], command.interspersed ?? true);
  const name = `wctr ${path.join(' ')}`;
  if (flags.bool('help')) {
    context.terminal.out(commandHelp(name, entry.summary, command));
    return 0;
  }
  const [least, most] = command.args;
  if (args.length < least || args.length > most) {
    throw new WctrError('invalid-argument', `"${name}" ${argumentRule(least, most)}`, {
      hint: `usage: ${name} ${command.usage}`,
    });
  }
  return command.run(context, args, flags);
}

function argumentRule(least: number, most: number): string {
  const count = (n: number) => `${n} argument${n === 1 ? '' : 's'}`;
  if (least === most) return least === 0 ? 'accepts no arguments' : `requires exactly ${count(least)}`;
  return most === Number.POSITIVE_INFINITY ? `requires at least ${count(least)}` : `takes ${least} to ${count(most)}`;
}

function unknownCommand(word: string, known: readonly string[], name: string): WctrError {
  const near = closest(word, known);
  return new WctrError('invalid-argument', `'${word}' is not a ${name} command`, {
    hint: near === undefined ? `see '${name} --help'` : `did you mean '${name} ${near}'?`,
  });
}

/** `wctr --help`: cac lays the sections out. */
function groupHelp(name: string, entries: Readonly<Record<string, CommandEntry | Group>>): string {
  const app = cac(name);
  for (const [word, entry] of Object.entries(entries)) {
    if (isCommandEntry(entry)) app.command(word, entry.summary);
    else app.command(word, `Commands: ${Object.keys(entry).join(', ')}`);
  }
  app.usage('COMMAND [FLAGS] [ARGS]');
  return captureHelp(app, () => app.globalCommand.outputHelp(), `Run '${name} COMMAND --help' for more on a command.`);
}

function commandHelp(name: string, summary: string, command: Command): string {
  const app = cac(name);
  const described = app.command('', summary).usage(`[FLAGS] ${command.usage}`.trim());
  for (const flag of command.flags) described.option(flagUsage(flag), flag.description);
  for (const example of command.examples) described.example(`  $ ${example}`);
  return captureHelp(app, () => described.outputHelp(), undefined, summary);
}

function flagUsage(flag: Flag): string {
  const short = flag.short === undefined ? '    ' : `-${flag.short}, `;
  const value = flag.type === 'boolean' ? '' : ` <${flag.value ?? (flag.type === 'list' ? 'list' : 'string')}>`;
  return `${short}--${flag.name}${value}`;
}

/** cac writes its help to the console; the terminal of the context is where ours goes. */
function captureHelp(app: CAC, print: () => void, footer: string | undefined, summary?: string): string {
  let sections = '';
  app.globalCommand.helpCallback = (all) => {
    const kept = all.filter((section) => section.title === undefined || !section.title.startsWith('For more info'));
    kept[0] = { body: summary ?? 'Containers on WebAssembly: no kernel, no VM, no root.' };
    if (summary !== undefined) kept.splice(0, kept.length, ...kept.filter((section) => section.title !== 'Commands'));
    sections = kept
      .map((section) => (section.title === undefined ? section.body : `${section.title}:\n${section.body}`))
      .map((section) => section.replace(/[ \t]+$/gm, ''))
      .join('\n\n');
    return [];
  };
  const info = console.info;
  console.info = () => {};
  try {
    print();
  } finally {
    console.info = info;
  }
  return `${sections}\n${footer === undefined ? '' : `\n${footer}\n`}`;
}

function report(error: unknown, argv: readonly string[], terminal: Terminal): number {
  if (isWctrError(error)) {
    terminal.err(`${paint(terminal, 'red', 'wctr:')} ${printable(error.message)}\n`);
    if (error.hint !== undefined) terminal.err(`${paint(terminal, 'dim', 'hint:')} ${printable(error.hint)}\n`);
    if (error.code === 'cancelled') return ERROR_TABLE.cancelled.exit;
    return argv[0] === 'run' ? ERROR_TABLE[error.code].exit : error.code === 'invalid-argument' ? EXIT_USAGE : 1;
  }
  const detail = error instanceof Error ? (error.stack ?? error.message) : String(error);
  terminal.err(`${paint(terminal, 'red', 'wctr:')} internal error: ${printable(detail.split('\n')[0]!)}\n`);
  terminal.err(`${paint(terminal, 'dim', 'hint:')} this is a bug in wctr; WCTR_DEBUG=1 prints where it happened\n`);
  if (terminal.env.WCTR_DEBUG !== undefined) terminal.err(`${printable(detail)}\n`);
  return EXIT_USAGE;
}
