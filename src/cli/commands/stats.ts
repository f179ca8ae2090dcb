import type { Engine } from '../../engine/engine.ts';
import { isWctrError } from '../../errors.ts';
import type { Command, Context } from '../command.ts';
import type { ParsedFlags } from '../flags.ts';
import { renderRows } from '../format/rows.ts';
import { emptyStatsRow, STATS_FORMAT, type StatsRow, statsRow } from './stats-rows.ts';

export const command: Command = {
  usage: '[CONTAINER...]',
  args: [0, Number.POSITIVE_INFINITY],
  flags: [
    { name: 'all', short: 'a', type: 'boolean', description: 'Show stopped ones too' },
    {
      name: 'format',
      type: 'string',
      value: 'template',
      description: "'table', 'table TEMPLATE', 'json' or a Go template",
    },
    { name: 'no-stream', type: 'boolean', description: 'Show the present values once' },
    { name: 'no-trunc', type: 'boolean', description: 'Show whole ids' },
  ],
  examples: ['wctr stats', "wctr stats --no-stream --format '{{.Name}} {{.CPUPerc}}' web"],
  async run(context, names, flags) {
    const engine = await context.engine();
    if (flags.bool('no-stream')) {
      const wanted = names.length > 0 ? [...names] : await listed(engine, flags);
      const rows = await Promise.all(wanted.map((name) => once(engine, name, names.length > 0, flags)));
      print(
        context,
        flags,
        rows.filter((row) => row !== undefined),
      );
      return 0;
    }
    // A name that is wrong is told before the screen is taken.
    for (const name of names) await engine.containers.inspect(name);
    await new LiveTable(context, engine, flags, names).run();
    return 0;
  },
};

async function listed({ containers }: Engine, flags: ParsedFlags): Promise<string[]> {
  return (await containers.list({ all: flags.bool('all') })).map(({ Id }) => Id);
}

/** Undefined for one that ended since it was listed. */
async function once(
  { containers }: Engine,
  name: string,
  isNamed: boolean,
  flags: ParsedFlags,
): Promise<StatsRow | undefined> {
  const whole = flags.bool('no-trunc');
  try {
    for await (const stats of containers.stats(name, { stream: false })) return statsRow(stats, whole, name);
  } catch (error) {
    if (isNamed || !isWctrError(error)) throw error;
  }
  return flags.bool('all') || isNamed ? emptyStatsRow(name, whole) : undefined;
}

function print({ terminal }: Context, flags: ParsedFlags, rows: readonly StatsRow[]): void {
  terminal.out(renderRows(flags.string('format'), STATS_FORMAT, rows));
}

const REDRAW_MS = 500;
/** How often the live table looks for containers that came. */
const LOOK_MS = 2000;

/** One reader per container, and a table drawn over itself twice a second until Ctrl-C or the last one named has ended. */
class LiveTable {
  readonly #context: Context;
  readonly #engine: Engine;
  readonly #flags: ParsedFlags;
  readonly #named: readonly string[];
  readonly #rows = new Map<string, StatsRow>();
  readonly #reading = new Set<string>();

  constructor(context: Context, engine: Engine, flags: ParsedFlags, named: readonly string[]) {
    this.#context = context;
    this.#engine = engine;
    this.#flags = flags;
    this.#named = named;
  }

  async run(): Promise<void> {
    const { signal, terminal } = this.#context;
    if (terminal.stdoutIsTTY) terminal.out('\u001b[2J\u001b[H');
    for (let lookedAt = 0; !signal.aborted; ) {
      if (Date.now() - lookedAt >= LOOK_MS) {
        lookedAt = Date.now();
        await this.#look();
      }
      if (this.#named.length > 0 && this.#reading.size === 0) return;
      this.#draw();
      await pause(REDRAW_MS, signal);
    }
  }

  async #look(): Promise<void> {
    const wanted = this.#named.length > 0 ? this.#named : await listed(this.#engine, this.#flags);
    for (const gone of [...this.#rows.keys()].filter((name) => !wanted.includes(name))) this.#rows.delete(gone);
    for (const name of wanted) {
      if (!this.#reading.has(name)) void this.#read(name);
    }
  }

  async #read(name: string): Promise<void> {
    const whole = this.#flags.bool('no-trunc');
    this.#reading.add(name);
    if (!this.#rows.has(name)) this.#rows.set(name, emptyStatsRow(name, whole));
    try {
      for await (const stats of this.#engine.containers.stats(name, { stream: true })) {
        if (this.#context.signal.aborted) return;
        this.#rows.set(name, statsRow(stats, whole, name));
      }
    } catch (error) {
      if (!isWctrError(error)) throw error;
      this.#rows.set(name, emptyStatsRow(name, whole));
    } finally {
      this.#reading.delete(name);
    }
  }

  #draw(): void {
    const { terminal } = this.#context;
    const text = renderRows(this.#flags.string('format'), STATS_FORMAT, [...this.#rows.values()]);
    // Each line is written over the old one, and what is left below is cleared: no flicker.
    if (terminal.stdoutIsTTY) terminal.out(`\u001b[H${text.replaceAll('\n', '\u001b[K\n')}\u001b[J`);
    else terminal.out(text);
  }
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener('abort', () => {
      clearTimeout(timer);
      resolve();
    });
  });
}
