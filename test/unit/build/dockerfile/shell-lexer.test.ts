// biome-ignore-all lint/suspicious/noTemplateCurlyInString: these are substitutions of a Dockerfile
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { expand, LexerError, MAX_EXPANDED_CHARS } from '../../../../src/build/dockerfile/shell-lexer.ts';

const VARIABLES = new Map([
  ['x', 'val'],
  ['empty', ''],
  ['two', 'a  b'],
  ['path', '/usr/lib/a.tar.gz'],
  ['stars', 'a*b?c'],
  ['lines', 'one\ntwo'],
  ['é', 'accent'],
]);

const one = (word: string, options = {}) => {
  try {
    return expand(word, VARIABLES, options).text;
  } catch (error) {
    if (error instanceof LexerError) return `! ${error.message}`;
    throw error;
  }
};

describe('one word', () => {
  it.each([
    // quotes and escapes
    ['plain', 'plain'],
    ['"a b"', 'a b'],
    ["'a b'", 'a b'],
    ['a"b"\'c\'', 'abc'],
    ['"it\'s"', "it's"],
    ['\'say "x"\'', 'say "x"'],
    ['a\\ b', 'a b'],
    ['a\\"b', 'a"b'],
    ['"a\\"b"', 'a"b'],
    ['"a\\nb"', 'a\\nb'],
    ['"a\\\\b"', 'a\\b'],
    ["'a\\b'", 'a\\b'],
    ['a\\nb', 'anb'],
    ['end\\', 'end'],
    ['a  b', 'a  b'],
    ['"open', '! unexpected end of statement while looking for matching double-quote'],
    ["'open", '! unexpected end of statement while looking for matching single-quote'],
    // plain substitution
    ['$x', 'val'],
    ['${x}', 'val'],
    ['a$x.b', 'aval.b'],
    ['$xy', ''],
    ['${x}y', 'valy'],
    ['"$x"', 'val'],
    ["'$x'", '$x'],
    ['\\$x', '$x'],
    ['"\\$x"', '$x'],
    ['$', '$'],
    ['$.', '$.'],
    ['$ x', '$ x'],
    ['$1a', 'a'],
    ['$$x', 'x'],
    ['$no', ''],
    ['$é', 'accent'],
    ['$x$x', 'valval'],
    // defaults
    ['${no:-d}', 'd'],
    ['${no-d}', 'd'],
    ['${empty:-d}', 'd'],
    ['${empty-d}', ''],
    ['${x:-d}', 'val'],
    ['${no:-}', ''],
    ['${no:-$x}', 'val'],
    ['${no:-${no2:-deep}}', 'deep'],
    ['${no:-"a b"}', 'a b'],
    ["${no:-'}'}", '}'],
    ['${no:-\\}}', '}'],
    // alternatives
    ['${x:+a}', 'a'],
    ['${x+a}', 'a'],
    ['${empty:+a}', ''],
    ['${empty+a}', 'a'],
    ['${no:+a}', ''],
    ['${no+a}', ''],
    // must be set
    ['${x:?}', 'val'],
    ['${no:?}', '! no: is not allowed to be unset'],
    ['${no?say why}', '! no: say why'],
    ['${empty:?}', '! empty: is not allowed to be empty'],
    ['${empty?}', ''],
    // prefixes and suffixes
    ['${path#*/}', 'usr/lib/a.tar.gz'],
    ['${path##*/}', 'a.tar.gz'],
    ['${path%.*}', '/usr/lib/a.tar'],
    ['${path%%.*}', '/usr/lib/a'],
    ['${path%/*}', '/usr/lib'],
    ['${path%%/*}', ''],
    ['${path#/usr}', '/lib/a.tar.gz'],
    ['${path#usr}', '/usr/lib/a.tar.gz'],
    ['${path#????}', '/lib/a.tar.gz'],
    ['${path%gz}', '/usr/lib/a.tar.'],
    ['${path#$no}', '/usr/lib/a.tar.gz'],
    ['${stars#a\\*}', 'b?c'],
    ['${stars#a\\?}', 'a*b?c'],
    ['${stars%\\?c}', 'a*b'],
    ['${no#a}', ''],
    ['${lines#*e}', '\ntwo'],
    ['${lines##*o}', 'ne\ntwo'],
    ['${x#\\a}', "! invalid pattern (\\a) in substitution: invalid escape '\\a'"],
    ['${x:#a}', '! unsupported modifier (:#) in substitution'],
    // replacement
    ['${path/lib/LIB}', '/usr/LIB/a.tar.gz'],
    ['${path/r/R}', '/usR/lib/a.tar.gz'],
    ['${path//r/R}', '/usR/lib/a.taR.gz'],
    ['${path//\\//-}', '-usr-lib-a.tar.gz'],
    ['${path/.*/}', '/usr/lib/a'],
    ['${path//[a-z]/x}', '/usr/lib/a.tar.gz'],
    ['${path//?/x}', 'xxxxxxxxxxxxxxxxx'],
    ['${path/no/x}', '/usr/lib/a.tar.gz'],
    ['${x//*/y}', 'y'],
    ['${x///y}', 'yvyayly'],
    ['${x//a/$x}', 'vvall'],
    ['${no/a/b}', ''],
    ['${path/a}', "! syntax error: missing '/' in ${}"],
    // what is no substitution
    ['${}', '! syntax error: bad substitution'],
    ['${:-a}', '! syntax error: bad substitution'],
    ['${{x}}', '! syntax error: bad substitution'],
    ['${x', "! syntax error: missing '}'"],
    ['${x:-a', "! syntax error: missing '}'"],
    ['${', "! syntax error: missing '}'"],
    ['${x:=a}', '! unsupported modifier (:=) in substitution'],
    ['${x^^}', '! unsupported modifier (^) in substitution'],
    ['${.}', '! unsupported modifier (.) in substitution'],
    ['${x}}', 'val}'],
  ])('%s', (word, expected) => expect(one(word)).toBe(expected));
});

describe('options', () => {
  it.each([
    ['a\\b`c', { escape: '`' }, 'a\\bc'],
    ['`$x', { escape: '`' }, '$x'],
    ['"a b"', { keepsQuotes: true }, '"a b"'],
    ['\'$x\'"$x"', { keepsQuotes: true }, '\'$x\'"val"'],
    ['a\\ b', { keepsEscapes: true }, 'a\\ b'],
    ['"$x\'', { ignoresQuotes: true }, '"val\''],
    ['\\$x \\n', { ignoresQuotes: true }, '$x n'],
    ['$no ${no} ${no:-a} ${no:0:1} $x', { keepsUnset: true }, '$no ${no} ${no:-a} ${no:0:1} val'],
  ])('%s with %o', (word, options, expected) => expect(one(word, options)).toBe(expected));
});

describe('words', () => {
  it.each([
    ['a b', ['a', 'b']],
    ['  a \t b  ', ['a', 'b']],
    ['"a b" c', ['a b', 'c']],
    ['a\\ b', ['a b']],
    ['$two', ['a', 'b']],
    ['x$two', ['xa', 'b']],
    ['"$two"', ['a  b']],
    ['a"$two"b', ['aa  bb']],
    ['$no', []],
    ['""', []],
    ['<<EOF <<  X <', ['<<EOF', '<<  X', '<']],
    ['a${no:-b c}d', ['ab', 'cd']],
  ])('%s', (text, expected) => expect(expand(text, VARIABLES).words).toEqual(expected));
});

it('says which names were set and which were not', () => {
  const { used, unset } = expand('$x ${no:-$two} ${other}', VARIABLES);
  expect([[...used], [...unset]]).toEqual([
    ['x', 'two'],
    ['no', 'other'],
  ]);
});

describe('what cannot end badly', () => {
  it('any text: a result or an error of its own, in bounded time', () => {
    const piece = fc.constantFrom(
      '$',
      '{',
      '}',
      'x',
      'no',
      ':',
      '-',
      '#',
      '%',
      '/',
      '*',
      '?',
      '\\',
      '"',
      "'",
      ' ',
      '<',
    );
    fc.assert(
      fc.property(
        fc.array(piece, { maxLength: 40 }).map((parts) => parts.join('')),
        (text) => {
          const result = one(text);
          expect(typeof result).toBe('string');
        },
      ),
      { numRuns: 2000 },
    );
  });

  it('substitutions inside each other', () => {
    expect(one(`${'${no:-'.repeat(100)}a${'}'.repeat(100)}`)).toBe('a');
    expect(one(`${'${no:-'.repeat(50_000)}a`)).toBe('! more than 100 substitutions inside each other');
  });

  it('a value that doubles', () => {
    const big = new Map([['x', 'x'.repeat(MAX_EXPANDED_CHARS / 2)]]);
    expect(expand('$x$x', big).text).toHaveLength(MAX_EXPANDED_CHARS);
    expect(() => expand('$x$x$x', big)).toThrow(/grows beyond/);
    expect(() => expand('${x//x/yy}${x//x/yyy}', big)).toThrow(/grows beyond/);
  });

  it('patterns that try every way', () => {
    const value = new Map([['x', 'a'.repeat(20_000)]]);
    const started = performance.now();
    for (const word of [`\${x//${'a*'.repeat(2000)}b/c}`, `\${x##${'*a'.repeat(2000)}*b}`, `\${x//*b/c}`]) {
      try {
        expect(expand(word, value).text).toHaveLength(20_000);
      } catch (error) {
        expect((error as Error).message).toMatch(/takes too long/);
      }
    }
    expect(performance.now() - started).toBeLessThan(10_000);
  });
});
