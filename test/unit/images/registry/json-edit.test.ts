import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { removeMember, setMember } from '../../../../src/images/registry/json-edit.ts';

const DOCKER = `{
\t"auths": {
\t\t"a.example": {
\t\t\t"auth": "eDp5"
\t\t},
\t\t"b.example": {}
\t},
\t"HttpHeaders" : { "X-Meta":"1" },
\t"unknown": [1,  2, {"deep": null}]
}
`;

describe('a member', () => {
  it.each<[string, string, string[], unknown, string]>([
    ['in no file', '', ['auths', 'h', 'auth'], 'x', '{\n\t"auths": {\n\t\t"h": {\n\t\t\t"auth": "x"\n\t\t}\n\t}\n}'],
    ['in an empty object', '{}\n', ['a'], 1, '{\n\t"a": 1\n}\n'],
    ['beside others', DOCKER, ['auths', 'c'], {}, DOCKER.replace('"b.example": {}', '"b.example": {},\n\t\t"c": {}')],
    ['in place of another', DOCKER, ['auths', 'a.example', 'auth'], 'new', DOCKER.replace('eDp5', 'new')],
    [
      'below one that is empty',
      DOCKER,
      ['auths', 'b.example', 'auth'],
      'y',
      DOCKER.replace('"b.example": {}', '"b.example": {\n\t\t\t"auth": "y"\n\t\t}'),
    ],
    ['in one line', '{"z":1,"auths":{}}', ['auths', 'h'], { auth: 'x' }, '{"z":1,"auths":{"h":{"auth":"x"}}}'],
    ['with two spaces', '{\n  "z": 1\n}', ['a', 'b'], 2, '{\n  "z": 1,\n  "a": {\n    "b": 2\n  }\n}'],
    ['with CR LF', '{\r\n  "z": 1\r\n}\r\n', ['a', 'b'], 2, '{\r\n  "z": 1,\r\n  "a": {\r\n    "b": 2\r\n  }\r\n}\r\n'],
    ['of a hostile name', '{}', ['__proto__', 'x'], 1, '{\n\t"__proto__": {\n\t\t"x": 1\n\t}\n}'],
  ])('%s is set', (_where, text, path, value, expected) => {
    expect(setMember(text, path, value)).toBe(expected);
  });

  it.each<[string, string, string[], string]>([
    ['the first', DOCKER, ['auths', 'a.example'], DOCKER.replace(/"a\.example": \{[^}]*\},\n\t\t/, '')],
    ['the last', DOCKER, ['auths', 'b.example'], DOCKER.replace(',\n\t\t"b.example": {}', '')],
    ['the only', '{\n  "a": {\n    "b": 1\n  }\n}', ['a', 'b'], '{\n  "a": {}\n}'],
    ['none', DOCKER, ['auths', 'absent'], DOCKER],
    ['one of none', '', ['a'], ''],
    ['twice the same', '{"a":1,"b":2,"a":3}', ['a'], '{"b":2}'],
    ['one within a string', '{"a":"{\\"b\\":1}","b":2}', ['b'], '{"a":"{\\"b\\":1}"}'],
  ])('%s is removed', (_which, text, path, expected) => {
    expect(removeMember(text, path)).toBe(expected);
  });
});

/** Spreads a document with other white space, as people and programs do. */
function shown(document: unknown, style: number): string {
  if (style === 0) return JSON.stringify(document);
  const text = JSON.stringify(document, null, [2, '\t', 4][style - 1]);
  return style === 3 ? text.replace(/^(\s*"(?:[^"\\]|\\.)*"): /gm, '$1 :   ') : text;
}

it('is changed as it is in the parsed document, whatever the document', () => {
  const object = fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 3 }), { maxKeys: 5 });
  fc.assert(
    fc.property(
      object,
      object,
      fc.string(),
      fc.string(),
      fc.jsonValue(),
      fc.nat(3),
      (outer, inner, a, b, value, style) => {
        const document = { ...outer, [a]: inner };
        const before = shown(document, style);
        const set = setMember(before, [a, b], value);
        expect(JSON.parse(set)).toEqual(JSON.parse(JSON.stringify({ ...document, [a]: { ...inner, [b]: value } })));
        const removed = removeMember(set, [a, b]);
        const left = JSON.parse(removed) as Record<string, Record<string, unknown>>;
        expect(Object.hasOwn(left[a]!, b)).toBe(false);
        // What was not there before leaves no trace; an object that was empty may be written another way.
        if (!Object.hasOwn(inner, b) && Object.keys(inner).length > 0) expect(removed).toBe(before);
      },
    ),
  );
});
