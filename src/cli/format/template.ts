/** Runs `--format` templates over plain objects, with the functions docker adds (json, join, upper, ...). */
import { badTemplate, type Call, type Node, type Operand, type Pipe, parseTemplate } from './template-parser.ts';

type Value = unknown;

/** A template compiled once, applied per row. `json` alone means the whole object as one JSON line. */
export function compileTemplate(source: string): (data: object) => string {
  if (source === 'json') return (data) => JSON.stringify(data);
  const nodes = parseTemplate(readEscapes(source));
  return (data) => {
    const runner = new Runner(source, data);
    return runner.run(nodes, new Scope(data));
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

  run(nodes: readonly Node[], scope: Scope): string {
    return nodes.map((node) => this.#node(node, scope)).join('');
  }

  #node(node: Node, scope: Scope): string {
    if (node.kind === 'text') return node.text;
    const value = this.#pipe(node.pipe, scope);
    switch (node.kind) {
      case 'print':
        return text(value);
      case 'set':
        if (node.isNew) scope.declare(node.name, value);
        else if (!scope.assign(node.name, value)) throw undefinedVariable(this.#source, node.name);
        return '';
      case 'if':
      case 'with': {
        const inner = scope.inner(node.kind === 'with' && truthy(value) ? value : scope.dot);
        if (node.names[0] !== undefined) inner.declare(node.names[0], value);
        return this.run(truthy(value) ? node.body : node.otherwise, inner);
      }
      case 'range': {
        const items = entries(value);
        if (items.length === 0) return this.run(node.otherwise, scope.inner(scope.dot));
        return items.map((entry) => this.run(node.body, rangeScope(scope, node.names, entry))).join('');
      }
    }
  }

  #pipe(pipe: Pipe, scope: Scope): Value {
    let carried: { value: Value } | undefined;
    for (const call of pipe) carried = { value: this.#call(call, scope, carried) };
    return carried?.value;
  }

  #call(call: Call, scope: Scope, carried: { value: Value } | undefined): Value {
    const [head, ...rest] = call as [Operand, ...Operand[]];
    if (head.kind !== 'function') {
      const value = this.#operand(head, scope);
      // A method of a row: `{{.Label "name"}}`.
      if (typeof value !== 'function') return value;
      const given = rest.map((operand) => this.#operand(operand, scope));
      return value(...given, ...(carried === undefined ? [] : [carried.value]));
    }
    const implementation = Object.hasOwn(FUNCTIONS, head.name) ? FUNCTIONS[head.name] : undefined;
    if (implementation === undefined) throw badTemplate(this.#source, `function "${head.name}" not defined`);
    const args = rest.map((operand) => this.#operand(operand, scope));
    return implementation(...args, ...(carried === undefined ? [] : [carried.value]));
  }

  #operand(operand: Operand, scope: Scope): Value {
    switch (operand.kind) {
      case 'literal':
        return operand.value;
      case 'field':
        return this.#field(scope.dot, operand.path);
      case 'variable': {
        const found = operand.name === '' ? { value: this.#root } : scope.find(operand.name);
        if (found === undefined) throw undefinedVariable(this.#source, operand.name);
        return this.#field(found.value, operand.path);
      }
      case 'group':
        return this.#field(this.#pipe(operand.pipe, scope), operand.path);
      case 'function':
        return this.#call([operand], scope, undefined);
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

/** What `.` is, and the variables that were declared up to here. */
class Scope {
  readonly dot: Value;
  readonly #outer: Scope | undefined;
  readonly #variables = new Map<string, Value>();

  constructor(dot: Value, outer?: Scope) {
    this.dot = dot;
    this.#outer = outer;
  }

  inner(dot: Value): Scope {
    return new Scope(dot, this);
  }

  declare(name: string, value: Value): void {
    this.#variables.set(name, value);
  }

  /** False where nobody declared it. */
  assign(name: string, value: Value): boolean {
    if (!this.#variables.has(name)) return this.#outer?.assign(name, value) ?? false;
    this.#variables.set(name, value);
    return true;
  }

  find(name: string): { value: Value } | undefined {
    return this.#variables.has(name) ? { value: this.#variables.get(name) } : this.#outer?.find(name);
  }
}

/** One variable is the element, two are its index or key and the element. */
function rangeScope(outer: Scope, names: readonly string[], [key, value]: readonly [Value, Value]): Scope {
  const scope = outer.inner(value);
  const [first, second] = names;
  if (first !== undefined) scope.declare(first, second === undefined ? value : key);
  if (second !== undefined) scope.declare(second, value);
  return scope;
}

function entries(value: Value): (readonly [Value, Value])[] {
  if (Array.isArray(value)) return value.map((item, at) => [at, item] as const);
  return isObject(value) ? sortedKeys(value).map((key) => [key, value[key]] as const) : [];
}

function undefinedVariable(source: string, name: string): Error {
  return badTemplate(source, `undefined variable "$${name}"`);
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

function sortedKeys(map: Record<string, Value>): string[] {
  return Object.keys(map).sort();
}

function truthy(value: Value): boolean {
  return isObject(value) ? Object.keys(value).length > 0 : Boolean(value);
}

/** As Go prints a value: lists in brackets, maps as `map[k:v]`, nothing as `<no value>`. */
function text(value: Value): string {
  if (value === undefined || value === null) return '<no value>';
  if (Array.isArray(value)) return `[${value.map(text).join(' ')}]`;
  if (isObject(value)) {
    return `map[${sortedKeys(value)
      .map((key) => `${key}:${text(value[key])}`)
      .join(' ')}]`;
  }
  return String(value);
}
