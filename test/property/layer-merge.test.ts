/** The merge against a simple model: nested Maps, one layer after the other, as the image-spec words it. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { mergeLayers } from '../support/layers.ts';
import type { EntryFields } from '../support/tar-builder.ts';

type Tree = Map<string, Tree | string>;

type Change =
  | { readonly kind: 'file' | 'dir' | 'whiteout'; readonly path: readonly string[] }
  | { readonly kind: 'opaque'; readonly path: readonly string[] };

const name = fc.constantFrom('a', 'b', 'c', 'B', 'b\u0301');
const path = fc.array(name, { minLength: 1, maxLength: 4 });
const change: fc.Arbitrary<Change> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('file' as const), path }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('dir' as const), path }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('whiteout' as const), path }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('opaque' as const), path: fc.array(name, { maxLength: 3 }) }) },
);

function asEntry({ kind, path: parts }: Change): EntryFields {
  const parent = parts.slice(0, -1);
  if (kind === 'opaque') return { name: [...parts, '.wh..wh..opq'].join('/') };
  if (kind === 'whiteout') return { name: [...parent, `.wh.${parts.at(-1)}`].join('/') };
  return kind === 'dir' ? { name: `${parts.join('/')}/`, type: '5' } : { name: parts.join('/'), data: 'x' };
}

/**
 * One layer over a tree: first what it hides, then what it has. False when an entry lies below a file that the layer
 * itself or one below has in its way, which the merge refuses.
 */
function apply(tree: Tree, layer: readonly Change[], id: string): boolean {
  for (const { kind, path: parts } of layer) {
    if (kind !== 'whiteout' && kind !== 'opaque') continue;
    const directory = descend(tree, kind === 'opaque' ? parts : parts.slice(0, -1));
    if (kind === 'whiteout') directory?.delete(parts.at(-1)!);
    else directory?.clear();
  }
  for (const { kind, path: parts } of layer) {
    if (kind === 'whiteout') continue;
    let directory = tree;
    for (const part of kind === 'opaque' ? parts : parts.slice(0, -1)) {
      const next = directory.get(part) ?? new Map();
      if (typeof next === 'string') return false;
      directory.set(part, next);
      directory = next;
    }
    if (kind === 'opaque') continue;
    const last = parts.at(-1)!;
    if (kind === 'file') directory.set(last, id);
    else if (!(directory.get(last) instanceof Map)) directory.set(last, new Map());
  }
  return true;
}

function descend(tree: Tree, parts: readonly string[]): Tree | undefined {
  let here: Tree = tree;
  for (const part of parts) {
    const next = here.get(part);
    if (!(next instanceof Map)) return undefined;
    here = next;
  }
  return here;
}

function* flatten(tree: Tree, prefix = ''): Generator<[string, string]> {
  for (const [key, value] of tree) {
    const full = prefix === '' ? key : `${prefix}/${key}`;
    yield [full, typeof value === 'string' ? value : '/'];
    if (typeof value !== 'string') yield* flatten(value, full);
  }
}

/** Each path once per layer, parents before children: what a layer made from a file system looks like. */
function asDiff(changes: readonly Change[]): Change[] {
  const seen = new Set<string>();
  const unique = changes.filter(({ kind, path: parts }) => {
    const key = `${kind === 'opaque'}${parts.join('/')}`;
    return !seen.has(key) && seen.add(key);
  });
  const files = unique.filter(({ kind }) => kind === 'file').map(({ path: parts }) => `${parts.join('/')}/`);
  return unique.filter(({ kind, path: parts }) => {
    const full = `${parts.join('/')}/`;
    return !files.some((file) => full.startsWith(file) && (kind === 'opaque' || file !== full));
  });
}

it('merges as the model does', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.array(change, { maxLength: 12 }), { minLength: 1, maxLength: 4 }), async (drawn) => {
      const layers = drawn.map(asDiff);
      const tree: Tree = new Map();
      const fits = layers.every((layer, i) => apply(tree, layer, String(i)));
      const merged = mergeLayers(...layers.map((layer) => layer.map(asEntry)));
      if (!fits) {
        await expect(merged).rejects.toMatchObject({ code: 'invalid-layer' });
        return;
      }
      const found = [...(await merged).walk()].map(({ path: full, node }): [string, string] => {
        return [full, (node.mode & 0o170000) === 0o040000 ? '/' : String(node.layer)];
      });
      expect(Object.fromEntries(found)).toEqual(Object.fromEntries(flatten(tree)));
    }),
    { numRuns: 150 },
  );
});
