/** Runs `--format` templates over plain objects, with the functions docker adds (json, join, upper, ...). */
import { badTemplate, type Call, type Node, type Operand, type Pipe, parseTemplate } from './template-parser.ts';

type Value = unknown;

/** A template compiled once, applied per row. `json` alone means the whole object as one JSON line. */
export function compileTemplate(source: string): (data: object) => string {
  if (source === 'json') return (data) => JSON.stringify(data);
  const nodes = parseTemplate(readEscapes(source));
  return (data) => {
    const runner = new Runner(source, data);
    return runner.run(nodes, data);
  };
}

/** Shells pass `\t` and `\n` of a format through as two characters; docker reads them as one. */
function readEscapes(source: string): string {
  return source.replace(/\\t/g, '\t').replace(/\\n/g, '\n');
}

class Runner {
  readonly #source: string;
  readonly #root: Value;

  constructor(source: string, root: Value) {
    this.#source = source;
    this.#root = root;
  }

  run(nodes: readonly Node[], dot: Value): string {
    return nodes.map((node) => this.#node(node, dot)).join('');
  }

  #node(node: Node, dot: Value): string {
    switch (node.kind) {
      case 'text':
        return node.text;
      case 'print':
        return text(this.#pipe(node.pipe, dot));
      case 'if':
        return this.run(truthy(this.#pipe(node.pipe, dot)) ? node.body : node.otherwise, dot);
      case 'with': {
        const value = this.#pipe(node.pipe, dot);
        return truthy(value) ? this.run(node.body, value) : this.run(node.otherwise, dot);
      }
      case 'range': {
        const value = this.#pipe(node.pipe, dot);
        const items = Array.isArray(value) ? value : isObject(value) ? sortedValues(value) : [];
        return items.length === 0
          ? this.run(node.otherwise, dot)
          : items.map((item) => this.run(node.body, item)).join('');
      }
    }
  }

  #pipe(pipe: Pipe, dot: Value): Value {
    let carried: { value: Value } | undefined;
    for (const call of pipe) carried = { value: this.#call(call, dot, carried) };
    return carried?.value;
  }

  #call(call: Call, dot: Value, carried: { value: Value } | undefined): Value {
    const [head, ...rest] = call as [Operand, ...Operand[]];
    if (head.kind !== 'function') {
      const value = this.#operand(head, dot);
      // A method of a row: `{{.Label "name"}}`.
      if (typeof value !== 'function') return value;
      const given = rest.map((operand) => this.#operand(operand, dot));
      return value(...given, ...(carried === undefined ? [] : [carried.value]));
    }
    const implementation = Object.hasOwn(FUNCTIONS, head.name) ? FUNCTIONS[head.name] : undefined;
    if (implementation === undefined) throw badTemplate(this.#source, `function "${head.name}" not defined`);
    const args = rest.map((operand) => this.#operand(operand, dot));
    return implementation(...args, ...(carried === undefined ? [] : [carried.value]));
  }

  #operand(operand: Operand, dot: Value): Value {
    switch (operand.kind) {
      case 'literal':
        return operand.value;
      case 'field':
        return this.#field(operand.root ? this.#root : dot, operand.path);
      case 'group':
        return this.#field(this.#pipe(operand.pipe, dot), operand.path);
      case 'function':
        return this.#call([operand], dot, undefined);
    }
  }

  #field(start: Value, path: readonly string[]): Value {
    return path.reduce<Value>((value, name) => {
      if (isObject(value) && Object.hasOwn(value, name)) return value[name];
      // A row's missing field is a spelling mistake; a missing key of a map is empty, as in Go.
      if (value === this.#root) throw badTemplate(this.#source, `can't evaluate field ${name}`);
      return undefined;
    }, start);
  }
}

const FUNCTIONS: Readonly<Record<string, (...args: Value[]) => Value>> = {
  json: (value) => JSON.stringify(value ?? null),
  upper: (value) => text(value).toUpperCase(),
  lower: (value) => text(value).toLowerCase(),
  title: (value) => text(value).replace(/\b\w/g, (letter) => letter.toUpperCase()),
  split: (value, separator) => text(value).split(text(separator)),
  join: (list, separator) => (Array.isArray(list) ? list.map(text).join(text(separator)) : text(list)),
  pad: (value, before, after) => ' '.repeat(Number(before)) + text(value) + ' '.repeat(Number(after)),
  truncate: (value, length) => text(value).slice(0, Number(length)),
  println: (...values) => `${values.map(text).join(' ')}\n`,
  print: (...values) => values.map(text).join(''),
  printf: (format, ...values) => printf(text(format), values),
  len: (value) => (isObject(value) ? Object.keys(value).length : text(value).length),
  index: (value, ...keys) => keys.reduce<Value>((at, key) => (isObject(at) ? at[text(key)] : undefined), value),
  slice: (value, from, to) =>
    (Array.isArray(value) ? value : text(value)).slice(Number(from), to === undefined ? undefined : Number(to)),
  not: (value) => !truthy(value),
  and: (...values) => values.find((value) => !truthy(value)) ?? values.at(-1),
  or: (...values) => values.find(truthy) ?? values.at(-1),
  eq: (first, ...others) => others.includes(first),
  ne: (a, b) => a !== b,
  lt: (a, b) => (a as number) < (b as number),
  le: (a, b) => (a as number) <= (b as number),
  gt: (a, b) => (a as number) > (b as number),
  ge: (a, b) => (a as number) >= (b as number),
};

function printf(format: string, values: readonly Value[]): string {
  let next = 0;
  return format.replace(/%(-?\d*)([%sdvq])/g, (_, width: string, verb: string) => {
    if (verb === '%') return '%';
    const value = values[next++];
    const shown = verb === 'q' ? JSON.stringify(text(value)) : text(value);
    return width.startsWith('-') ? shown.padEnd(Number(width.slice(1))) : shown.padStart(Number(width || 0));
  });
}

function isObject(value: Value): value is Record<string, Value> {
  return typeof value === 'object' && value !== null;
}

function sortedValues(map: Record<string, Value>): Value[] {
  return Object.keys(map)
    .sort()
    .map((key) => map[key]);
}

function truthy(value: Value): boolean {
  return isObject(value) ? Object.keys(value).length > 0 : Boolean(value);
}

/** As Go prints a value: lists in brackets, maps as `map[k:v]`, nothing as `<no value>`. */
function text(value: Value): string {
  if (value === undefined || value === null) return '<no value>';
  if (Array.isArray(value)) return `[${value.map(text).join(' ')}]`;
  if (isObject(value)) {
    return `map[${Object.keys(value)
      .sort()
      .map((key) => `${key}:${text(value[key])}`)
      .join(' ')}]`;
  }
  return String(value);
}
