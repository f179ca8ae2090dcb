/**
 * Flags as docker's CLI reads them (pflag rules): `--name value`, `--name=value`, `-n value`, `-nvalue`, grouped
 * booleans `-it`, `--` ends the flags, and for commands that run something the first positional ends them as well.
 * cac's own reader turns `007` into 7, refuses values that begin with a dash and lets flags stand anywhere, so cac keeps
 * the commands and their help, and this reads the line.
 */
import { WctrError } from '../errors.ts';
import { closest } from './suggest.ts';

export interface Flag {
  /** Long name without dashes. */
  readonly name: string;
  readonly short?: string;
  readonly type: 'boolean' | 'string' | 'list';
  /** What the value is called in the help: `bytes`, `list`, `string`. */
  readonly value?: string;
  readonly description: string;
  /** Taken, or refused with a reason, and in no help: docker has it. */
  readonly isHidden?: boolean;
}

export interface ParsedFlags {
  has(name: string): boolean;
  /** False where absent. */
  bool(name: string): boolean;
  /** The last value given. */
  string(name: string): string | undefined;
  list(name: string): readonly string[];
  /** The flags that were given. */
  names(): readonly string[];
}

export interface ParsedLine {
  readonly flags: ParsedFlags;
  readonly args: readonly string[];
}

export function parseFlags(line: readonly string[], known: readonly Flag[], interspersed: boolean): ParsedLine {
  const values = new Map<string, string[]>();
  const args: string[] = [];
  const set = (flag: Flag, value: string) => values.set(flag.name, [...(values.get(flag.name) ?? []), value]);

  for (let i = 0; i < line.length; i++) {
    const word = line[i]!;
    if (word === '--') {
      args.push(...line.slice(i + 1));
      break;
    }
    if (!word.startsWith('-') || word === '-') {
      if (!interspersed) {
        args.push(...line.slice(i));
        break;
      }
      args.push(word);
      continue;
    }
    const next = () => line[++i];
    if (word.startsWith('--')) readLong(word, known, set, next);
    else readShort(word, known, set, next);
  }
  return { flags: accessors(values), args };
}

/** Older spellings that docker still takes. */
const ALIASES: Readonly<Record<string, string>> = {
  net: 'network',
  'net-alias': 'network-alias',
  'dns-opt': 'dns-option',
};

type Setter = (flag: Flag, value: string) => void;
type Next = () => string | undefined;

function readLong(word: string, known: readonly Flag[], set: Setter, next: Next): void {
  const equals = word.indexOf('=');
  const name = equals < 0 ? word.slice(2) : word.slice(2, equals);
  const flag = known.find((candidate) => candidate.name === (ALIASES[name] ?? name));
  if (flag === undefined) throw unknownFlag(`--${name}`, known);
  const given = equals < 0 ? undefined : word.slice(equals + 1);
  if (flag.type === 'boolean') set(flag, given === undefined ? 'true' : readBoolean(flag, given));
  else set(flag, given ?? needValue(flag, `--${name}`, next));
}

function readShort(word: string, known: readonly Flag[], set: Setter, next: Next): void {
  for (let at = 1; at < word.length; at++) {
    const letter = word[at]!;
    const flag = known.find((candidate) => candidate.short === letter);
    if (flag === undefined) throw unknownFlag(`-${letter}`, known);
    const rest = word.slice(at + 1);
    if (flag.type === 'boolean') {
      if (rest.startsWith('=')) {
        set(flag, readBoolean(flag, rest.slice(1)));
        return;
      }
      set(flag, 'true');
      continue;
    }
    set(flag, rest === '' ? needValue(flag, `-${letter}`, next) : rest.replace(/^=/, ''));
    return;
  }
}

function needValue(flag: Flag, spelled: string, next: Next): string {
  const value = next();
  if (value === undefined) {
    throw new WctrError('invalid-argument', `flag needs an argument: ${spelled}`, { data: { flag: flag.name } });
  }
  return value;
}

function readBoolean(flag: Flag, text: string): string {
  if (/^(1|t|true)$/i.test(text)) return 'true';
  if (/^(0|f|false)$/i.test(text)) return 'false';
  throw new WctrError('invalid-argument', `invalid argument "${text}" for --${flag.name}: expected true or false`);
}

function unknownFlag(spelled: string, known: readonly Flag[]): WctrError {
  const near = spelled.startsWith('--')
    ? closest(
        spelled.slice(2),
        known.map((flag) => flag.name),
      )
    : undefined;
  return new WctrError('invalid-argument', `unknown flag: ${spelled}`, {
    hint: near === undefined ? 'see --help for the flags of this command' : `did you mean --${near}?`,
  });
}

function accessors(values: ReadonlyMap<string, readonly string[]>): ParsedFlags {
  const last = (name: string) => values.get(name)?.at(-1);
  return {
    has: (name) => values.has(name),
    bool: (name) => last(name) === 'true',
    string: last,
    list: (name) => values.get(name) ?? [],
    names: () => [...values.keys()],
  };
}
