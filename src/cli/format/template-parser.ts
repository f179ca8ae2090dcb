/**
 * The part of Go's text/template that docker users write in `--format`: fields, pipelines, function calls, literals,
 * variables, `if/else if/else`, `range`, `with`, comments and `{{-` trimming. https://pkg.go.dev/text/template
 */
import { WctrError } from '../../errors.ts';

export type Node =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'print'; readonly pipe: Pipe }
  /** `$x := pipe`; `$x = pipe` where it is not `isNew`. */
  | { readonly kind: 'set'; readonly name: string; readonly isNew: boolean; readonly pipe: Pipe }
  | {
      readonly kind: 'if' | 'range' | 'with';
      /** `range $key, $value := pipe`. */
      readonly names: readonly string[];
      readonly pipe: Pipe;
      readonly body: Node[];
      readonly otherwise: Node[];
    };

/** Commands left to right; the value of one is the last argument of the next. */
export type Pipe = readonly Call[];
export type Call = readonly Operand[];
export type Operand =
  | { readonly kind: 'literal'; readonly value: string | number | boolean | null }
  | { readonly kind: 'field'; readonly path: readonly string[] }
  /** An empty name is what the template was given, `$`. */
  | { readonly kind: 'variable'; readonly name: string; readonly path: readonly string[] }
  | { readonly kind: 'function'; readonly name: string }
  | { readonly kind: 'group'; readonly pipe: Pipe; readonly path: readonly string[] };

const ACTION = /\{\{(-\s)?([\s\S]*?)(\s-)?\}\}/g;
const TOKEN =
  /\s+|"(?:[^"\\]|\\.)*"|`[^`]*`|-?\d+(?:\.\d+)?|\$\w*(?:\.[A-Za-z_]\w*)*|(?:\.[A-Za-z_]\w*)+|\.|[A-Za-z_]\w*|\||\(|\)(?:\.[A-Za-z_]\w*)*/gy;
const DECLARED = /^\$(\w+)(?:\s*,\s*\$(\w+))?\s*(:?=)\s*/;

export function parseTemplate(source: string): Node[] {
  const root: Node[] = [];
  const open: { nodes: Node[]; block?: Extract<Node, { body: Node[] }> }[] = [{ nodes: root }];
  const add = (node: Node) => open.at(-1)!.nodes.push(node);
  const begin = (kind: 'if' | 'range' | 'with', text: string, nodes: Node[]) => {
    const { names, isNew, pipe } = declared(text, source, kind === 'range' ? 2 : 1);
    if (names.length > 0 && !isNew) throw badTemplate(source, `{{${kind}}} declares variables with :=`);
    const block = { kind, names, pipe, body: [], otherwise: [] };
    nodes.push(block);
    open.push({ nodes: block.body, block });
  };
  let last = 0;
  let trimNext = false;

  for (const match of source.matchAll(ACTION)) {
    const [whole, trimLeft, body, trimRight] = match;
    addText(source.slice(last, match.index), trimNext, trimLeft !== undefined, add);
    last = match.index + whole.length;
    trimNext = trimRight !== undefined;
    const action = body!.trim();
    if (action.startsWith('/*')) continue;
    const [, keyword, rest] = /^(if|range|with|else|end)\b\s*([\s\S]*)$/.exec(action) ?? [];
    if (keyword === 'end') {
      if (open.length === 1) throw badTemplate(source, 'unexpected {{end}}');
      open.pop();
    } else if (keyword === 'else') {
      const block = open.pop()?.block;
      if (block === undefined) throw badTemplate(source, 'unexpected {{else}}');
      const [, condition] = /^if\b\s*([\s\S]*)$/.exec(rest!) ?? [];
      if (rest !== '' && condition === undefined) throw badTemplate(source, `{{else ${rest}}} is not supported`);
      // `else if` is an `if` in there that ends where the outer one does.
      open.push({ nodes: block.otherwise });
      if (condition !== undefined) begin('if', condition, open.pop()!.nodes);
    } else if (keyword !== undefined) begin(keyword as 'if', rest!, open.at(-1)!.nodes);
    else {
      const { names, isNew, pipe } = declared(action, source, 1);
      add(names[0] === undefined ? { kind: 'print', pipe } : { kind: 'set', name: names[0], isNew, pipe });
    }
  }
  if (open.length > 1) throw badTemplate(source, 'a {{if}}, {{range}} or {{with}} has no {{end}}');
  const tail = source.slice(last);
  if (tail.includes('{{')) throw badTemplate(source, 'unclosed action');
  addText(tail, trimNext, false, add);
  return root;
}

function addText(text: string, trimStart: boolean, trimEnd: boolean, add: (node: Node) => void): void {
  let kept = trimStart ? text.trimStart() : text;
  if (trimEnd) kept = kept.trimEnd();
  if (kept !== '') add({ kind: 'text', text: kept });
}

function declared(text: string, source: string, most: number): { names: string[]; isNew: boolean; pipe: Pipe } {
  const [whole = '', first, second, sign] = DECLARED.exec(text) ?? [];
  const names = [first, second].filter((name) => name !== undefined);
  if (names.length > most) throw badTemplate(source, 'too many declarations');
  return { names, isNew: sign === ':=', pipe: parsePipe(text.slice(whole.length), source) };
}

function parsePipe(text: string, source: string): Pipe {
  const tokens: string[] = [];
  TOKEN.lastIndex = 0;
  while (TOKEN.lastIndex < text.length) {
    const at = TOKEN.lastIndex;
    const token = TOKEN.exec(text)?.[0];
    if (token === undefined) throw badTemplate(source, `unexpected "${text.slice(at, at + 10)}"`);
    if (token.trim() !== '') tokens.push(token);
  }
  let at = 0;
  const readPipe = (nested: boolean): Pipe => {
    const calls: Operand[][] = [[]];
    for (; at < tokens.length && !(nested && tokens[at]!.startsWith(')')); at++) {
      const token = tokens[at]!;
      if (token === '|') calls.push([]);
      else if (token === '(') {
        at++;
        const pipe = readPipe(true);
        const close = tokens[at];
        if (close === undefined) throw badTemplate(source, 'unclosed left paren');
        calls.at(-1)!.push({ kind: 'group', pipe, path: close.split('.').slice(1) });
      } else calls.at(-1)!.push(operand(token, source));
    }
    if (calls.some((call) => call.length === 0)) throw badTemplate(source, 'missing value for command');
    return calls;
  };
  const pipe = readPipe(false);
  return pipe;
}

function operand(token: string, source: string): Operand {
  if (token.startsWith('`')) return { kind: 'literal', value: token.slice(1, -1) };
  if (token.startsWith('"')) return { kind: 'literal', value: unquote(token, source) };
  if (/^-?\d/.test(token)) return { kind: 'literal', value: Number(token) };
  if (token === '.') return { kind: 'field', path: [] };
  if (token.startsWith('.')) return { kind: 'field', path: token.slice(1).split('.') };
  if (token.startsWith('$')) {
    const [name = '', ...path] = token.slice(1).split('.');
    return { kind: 'variable', name, path };
  }
  if (token === 'true' || token === 'false') return { kind: 'literal', value: token === 'true' };
  if (token === 'nil') return { kind: 'literal', value: null };
  if (/^[A-Za-z_]/.test(token)) return { kind: 'function', name: token };
  throw badTemplate(source, `unexpected "${token}"`);
}

function unquote(token: string, source: string): string {
  try {
    return JSON.parse(token) as string;
  } catch {
    throw badTemplate(source, `bad string ${token}`);
  }
}

export function badTemplate(source: string, why: string): WctrError {
  return new WctrError('invalid-argument', `template parsing error in "${source}": ${why}`, {
    hint: "write a Go template such as '{{.ID}}' or 'json'",
  });
}
