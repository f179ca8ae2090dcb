import type { EventMessage } from '../../spec/engine-api.ts';
import type { Command } from '../command.ts';
import { compileTemplate } from '../format/template.ts';
import { localNanoTime, readTime } from '../format/time.ts';
import { printableLine } from '../format/units.ts';
import { FILTER_FLAG, readFilters } from './filters.ts';

export const command: Command = {
  usage: '',
  args: [0, 0],
  flags: [
    { ...FILTER_FLAG, description: 'Only what fits (type=container, event=start, container=web)' },
    { name: 'format', type: 'string', value: 'template', description: "Go template or 'json'" },
    { name: 'since', type: 'string', value: 'time', description: 'Past ones too, from this time on' },
    { name: 'until', type: 'string', value: 'time', description: 'End at this time' },
  ],
  examples: ['wctr events --since 10m', "wctr events -f type=container --format '{{.Action}} {{.Actor.ID}}'"],
  async run({ terminal, engine, signal }, _args, flags) {
    const since = readTime(flags.string('since'), '--since', Date.now());
    const until = readTime(flags.string('until'), '--until', Date.now());
    const format = flags.string('format');
    const render = format === undefined ? undefined : compileTemplate(format);
    const filters = readFilters(flags.list('filter'));
    const events = (await engine()).system.events({
      signal,
      filters,
      ...(since === undefined ? {} : { since }),
      ...(until === undefined ? {} : { until }),
    });
    for await (const event of events) {
      terminal.out(`${render === undefined ? eventLine(event) : render(withGoNames(event))}\n`);
    }
    return 0;
  },
};

/** `TIME TYPE ACTION ID (name=value, …)`, as docker prints it. */
function eventLine(event: EventMessage): string {
  const { ID: id, Attributes: attributes } = event.Actor;
  // A double holds the time to a quarter of a microsecond: whole microseconds are what is true of it.
  const nanoseconds = Number(BigInt(Math.round(event.timeNano / 1000)) % 1_000_000n) * 1000;
  const shown = Object.keys(attributes ?? {})
    .sort()
    .map((name) => `${name}=${attributes[name]}`);
  const tail = shown.length === 0 ? '' : ` (${shown.join(', ')})`;
  const time = localNanoTime(event.time, nanoseconds);
  return printableLine(`${time} ${event.Type} ${event.Action} ${id}${tail}`);
}

/** Templates name Go's fields, `{{json .}}` shows the document: the Go names are there and not listed. */
function withGoNames(event: EventMessage): object {
  const names = {
    Status: event.status ?? event.Action,
    ID: event.id ?? event.Actor.ID,
    From: event.from ?? '',
    Scope: event.scope,
    Time: event.time,
    TimeNano: event.timeNano,
  };
  const row: Record<string, unknown> = { ...event };
  for (const [name, value] of Object.entries(names)) Object.defineProperty(row, name, { value, enumerable: false });
  return row;
}
