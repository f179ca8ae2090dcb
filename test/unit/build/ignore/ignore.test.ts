import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { cleanPath } from '../../../../src/build/ignore/clean-path.ts';
import { IgnoreMatcher, parseIgnoreFile } from '../../../../src/build/ignore/ignore-matcher.ts';
import { BadPatternError, hasWildcard, PathPattern } from '../../../../src/build/ignore/path-match.ts';
import { isWctrError } from '../../../../src/errors.ts';

describe('the file', () => {
  it.each([
    ['a\nb\n', ['a', 'b']],
    ['a\r\nb\r\n', ['a', 'b']],
    ['\uFEFFa', ['a']],
    ['# a\n #b\n', ['#b']],
    ['\n  \na', ['a']],
    ['  a b  ', ['a b']],
    ['/a/b/', ['a/b']],
    ['./a//b/../c', ['a/c']],
    ['/', ['/']],
    ['.', ['.']],
    ['..', ['..']],
    ['!a', ['!a']],
    ['! /a/', ['!a']],
    ['!', ['!']],
    ['\\#a', ['\\#a']],
    ['a # b', ['a # b']],
  ])('%j', (text, expected) => {
    expect(parseIgnoreFile(text)).toEqual(expected);
    expect(parseIgnoreFile(new TextEncoder().encode(text))).toEqual(expected);
  });
});

describe('what is ignored', () => {
  it.each([
    // plain names are of the root, and take what is below with them
    ['a', ['a', 'a/b', 'a/b/c'], ['b', 'b/a', 'ab', 'A']],
    ['a/b', ['a/b', 'a/b/c'], ['a', 'b', 'x/a/b']],
    ['a.b', ['a.b'], ['aXb']],
    ['(a)|b{1}+$', ['(a)|b{1}+$'], ['a', 'b']],
    ['.', [], ['a']],
    ['..', [], ['a']],
    ['/', [], ['a']],
    // one part
    ['*', ['a', 'a/b', '.x'], []],
    ['*.md', ['a.md', '.md', 'a.md/b'], ['a/b.md', 'a.mdx']],
    ['a*c', ['ac', 'abc', 'abbc'], ['a/c', 'abcd']],
    ['*/b', ['a/b', 'c/b/d'], ['b', 'a/a/b']],
    ['?', ['a', 'é', '😀', 'a/b'], ['ab']],
    ['a?c', ['abc'], ['ac', 'a/c']],
    ['[ab]', ['a', 'b'], ['c', '[ab]']],
    ['[a-c]x', ['ax', 'cx'], ['dx']],
    ['[^a]', ['b'], ['a']],
    ['[!a]', ['a', '!'], ['b']],
    // any number of parts
    ['**', ['a', 'a/b/c'], []],
    ['**/a', ['a', 'x/a', 'x/y/a', 'x/a/z'], ['ab', 'xa']],
    ['**a', ['a', 'ba', 'x/ba'], ['ab']],
    ['a/**', ['a/b', 'a/b/c'], ['a', 'ab']],
    ['a**', ['a', 'ab', 'a/b'], ['b']],
    ['a/**/b', ['a/b', 'a/x/b', 'a/x/y/b'], ['a', 'b', 'a/xb']],
    ['**/*.md', ['a.md', 'x/a.md', 'x/y/.md'], ['a.mdx']],
    ['**/a/**', ['a/b', 'x/a/b'], ['a', 'x/a']],
    ['**/**/a', ['a', 'x/a'], []],
    ['a/***/b', ['a/c/b'], ['a/b']],
    // escapes
    ['\\*', ['*'], ['a']],
    ['a\\?', ['a?'], ['ab']],
    ['\\[a]', ['[a]'], ['a']],
    ['\\!a', ['!a'], ['a']],
    ['a\\ b', ['a b'], []],
    ['\\d', ['1'], ['d']],
    // the last one that matches decides
    ['*\n!a', ['b'], ['a', 'a/b']],
    ['!a\n*', ['a', 'b'], []],
    ['*.md\n!README*.md\nREADME-x.md', ['a.md', 'README-x.md'], ['README.md', 'README-y.md', 'x']],
    ['a\n!a/b', ['a', 'a/c'], ['a/b', 'a/b/c']],
    ['a\n!a/b\na/b/c', ['a', 'a/b/c', 'a/b/c/d'], ['a/b', 'a/b/d']],
    ['**/x\n!**/x/y', ['x', 'a/x/z'], ['x/y', 'a/x/y']],
    ['*\n!**/*.go', ['a', 'a/b'], ['a.go', 'a/b.go']],
    ['*\n!src/**', ['a', 'src'], ['src/a', 'src/a/b']],
    // found while walking: an exception of a directory comes too late for what is named below it
    ['a/b\n!a', ['a/b'], ['a', 'a/c']],
  ])('%j', (text, ignored, kept) => {
    const matcher = new IgnoreMatcher(parseIgnoreFile(text));
    expect(ignored.filter((path) => !matcher.ignores(path))).toEqual([]);
    expect(kept.filter((path) => matcher.ignores(path))).toEqual([]);
  });

  it.each(['[', 'a[', '[]', '[a', '[a-]', '[-a]', 'a\\', '!', '\\y'])('refuses %s', (pattern) => {
    expect(() => new IgnoreMatcher([pattern])).toThrow(expect.objectContaining({ code: 'invalid-argument' }));
  });

  it('knows whether there are exceptions, and whether the root is gone', () => {
    const { hasExceptions, ignoresRoot } = new IgnoreMatcher(['a', '!b', '**/*']);
    expect([hasExceptions, ignoresRoot, new IgnoreMatcher(['a/*']).ignoresRoot]).toEqual([true, true, false]);
  });
});

describe('a walk', () => {
  it.each([
    ['a', 'a', true],
    ['a', 'b', false],
    ['*\n!a', 'a', false],
    ['*\n!a', 'b', true],
    ['*\n!a/b/c', 'a', false],
    ['*\n!a/b/c', 'a/b', false],
    ['*\n!a/b/c', 'a/x', true],
    ['*\n!a/*/c', 'a/x', false],
    ['*\n!a/*/c', 'b', true],
    ['*\n!**/x', 'b', false],
    ['*\n!a*', 'b', true],
  ])('%j may skip %s: %s', (text, path, expected) => {
    const matcher = new IgnoreMatcher(parseIgnoreFile(text));
    let state = matcher.root;
    const parts = path.split('/');
    for (let i = 1; i <= parts.length; i += 1) state = matcher.enter(parts.slice(0, i).join('/'), state);
    expect(matcher.canSkip(path, state)).toBe(expected);
  });

  it('skips nothing that would come back', () => {
    const part = fc.constantFrom('a', 'b', 'ab', '*', '**', '?', '[ab]', 'a*');
    const pattern = fc.tuple(fc.boolean(), fc.array(part, { minLength: 1, maxLength: 3 }));
    const name = fc.constantFrom('a', 'b', 'ab');
    const property = fc.property(
      fc.array(pattern, { minLength: 1, maxLength: 4 }),
      fc.array(name, { minLength: 2, maxLength: 4 }),
      (patterns, parts) => {
        const matcher = new IgnoreMatcher(patterns.map(([not, all]) => `${not ? '!' : ''}${all.join('/')}`));
        let state = matcher.root;
        for (let i = 1; i < parts.length; i += 1) {
          const directory = parts.slice(0, i).join('/');
          state = matcher.enter(directory, state);
          if (matcher.canSkip(directory, state)) expect(matcher.ignores(parts.join('/'))).toBe(true);
        }
      },
    );
    fc.assert(property, { numRuns: 2000 });
  });
});

describe('paths of COPY', () => {
  it.each([
    ['*', ['a', '', '*'], ['a/b']],
    ['a*', ['a', 'ab'], ['ba', 'a/']],
    ['*.txt', ['a.txt', '.txt'], ['a.txts']],
    ['a?c', ['abc', 'aéc', 'a😀c'], ['ac', 'a/c']],
    ['[a-c]', ['b'], ['d']],
    ['[^a-c]', ['d'], ['b']],
    ['\\*', ['*'], ['a']],
    ['a/*/c', ['a/b/c'], ['a/c', 'a/b/b/c']],
    ['*a*b*', ['ab', 'xaxbx'], ['ba', 'a/b']],
    ['**', ['a'], ['a/b']],
    ['[\\]a]', [']', 'a'], ['b']],
  ])('%s', (pattern, matched, not) => {
    const compiled = new PathPattern(pattern);
    expect(matched.filter((name) => !compiled.matches(name))).toEqual([]);
    expect(not.filter((name) => compiled.matches(name))).toEqual([]);
  });

  it.each(['[', '[]', '[a', '[a-', '[a-]', '[-]', '\\', '[^]'])('not %s', (pattern) =>
    expect(() => new PathPattern(pattern)).toThrow(BadPatternError),
  );

  it.each([
    ['a/b', false],
    ['a\\*b', false],
    ['a*', true],
    ['?', true],
    ['[a]', true],
    ['\\\\*', true],
  ])('%s has a wildcard: %s', (text, expected) => expect(hasWildcard(text)).toBe(expected));
});

it.each([
  ['', '.'],
  ['.', '.'],
  ['/', '/'],
  ['//a', '/a'],
  ['a/', 'a'],
  ['a/./b//c', 'a/b/c'],
  ['a/../b', 'b'],
  ['../a/..', '..'],
  ['/../a', '/a'],
  ['a/..', '.'],
])('the shortest name of %s is %s', (path, expected) => expect(cleanPath(path)).toBe(expected));

describe('what cannot end badly', () => {
  it('any pattern and path: an answer or an error of its own', () => {
    const piece = fc.constantFrom(
      '*',
      '**',
      '?',
      '[',
      ']',
      '^',
      '-',
      '\\',
      '/',
      '!',
      'a',
      'b',
      '.',
      '#',
      '(',
      '$',
      ':',
      'é',
    );
    const text = fc.array(piece, { maxLength: 12 }).map((parts) => parts.join(''));
    const property = fc.property(text, fc.string({ maxLength: 12 }), (pattern, path) => {
      try {
        expect(typeof new IgnoreMatcher(parseIgnoreFile(pattern)).ignores(path)).toBe('boolean');
      } catch (error) {
        expect(isWctrError(error, 'invalid-argument')).toBe(true);
      }
    });
    fc.assert(property, { numRuns: 3000 });
  });

  it('patterns that have many ways to match', () => {
    const matcher = new IgnoreMatcher([`${'*a'.repeat(50)}b`, `**/${'*/**/'.repeat(20)}x`, `${'[^b]*'.repeat(30)}c`]);
    const started = performance.now();
    expect(matcher.ignores('a'.repeat(4000))).toBe(false);
    expect(matcher.ignores('a/'.repeat(1000).slice(0, -1))).toBe(false);
    expect(performance.now() - started).toBeLessThan(20_000);
  });

  it('more patterns than anyone writes', () => {
    expect(() => new IgnoreMatcher(Array.from({ length: 5001 }, (_, i) => `a${i}`))).toThrow(
      expect.objectContaining({ code: 'limit-exceeded' }),
    );
  });
});
