/** `--help`, laid out by cac. Loaded when somebody asks for it. */
import { type CAC, cac } from 'cac';
import type { Command } from './command.ts';
import { type CommandEntry, isCommandEntry } from './commands.ts';
import type { Flag } from './flags.ts';

type Group = Readonly<Record<string, CommandEntry>>;

/** The commands of `wctr`, or of a group such as `wctr image`. */
export function groupHelp(name: string, entries: Readonly<Record<string, CommandEntry | Group>>): string {
  const app = cac(name);
  for (const [word, entry] of Object.entries(entries)) {
    if (isCommandEntry(entry)) app.command(word, entry.summary);
    else app.command(word, `Commands: ${Object.keys(entry).join(', ')}`);
  }
  app.usage('COMMAND [FLAGS] [ARGS]');
  return captureHelp(app, () => app.globalCommand.outputHelp(), `Run '${name} COMMAND --help' for more on a command.`);
}

export function commandHelp(name: string, summary: string, command: Command): string {
  const app = cac(name);
  const described = app.command('', summary).usage(`[FLAGS] ${command.usage}`.trim());
  for (const flag of command.flags) if (flag.isHidden !== true) described.option(flagUsage(flag), flag.description);
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
      // cac takes every --no-x for a switch that turns x off, and says that it is on.
      .map((section) => section.replace(/^( .*--no-.*) \(default: true\)$/gm, '$1').replace(/[ \t]+$/gm, ''))
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
