import { describe, expect, it } from 'vitest';
import { MAX_DOCKERFILE_BYTES, parseDockerfile, parseTrigger } from '../../../../src/build/dockerfile/parse.ts';
import { isWctrError, type WctrError } from '../../../../src/errors.ts';
import { summary } from '../../../support/dockerfile.ts';
import { CASES as COMMANDS } from './corpus/commands.ts';
import { CASES as COPY } from './corpus/copy-and-add.ts';
import { CASES as DIRECTIVES } from './corpus/directives.ts';
import { CASES as FROM } from './corpus/from.ts';
import { CASES as HEREDOCS } from './corpus/heredocs.ts';
import { CASES as LINES } from './corpus/lines.ts';
import { CASES as PAIRS } from './corpus/pairs.ts';
import { CASES as RUN } from './corpus/run.ts';
import { CASES as WORDS } from './corpus/words.ts';

const CORPUS = { LINES, DIRECTIVES, FROM, COPY, HEREDOCS, RUN, PAIRS, COMMANDS, WORDS };

describe.each(Object.entries(CORPUS))('the corpus: %s', (_, cases) => {
  it.each(cases)('%s', (_name, text, expected) => expect(summary(text)).toEqual(expected));
});

it('has a corpus of some size', () => expect(Object.values(CORPUS).flat().length).toBeGreaterThan(300));

function refusal(text: string | Uint8Array): WctrError {
  try {
    parseDockerfile(text);
  } catch (error) {
    if (isWctrError(error)) return error;
    throw error;
  }
  throw new Error('it was taken');
}

describe('what is refused', () => {
  it('shows its line with a caret, and the lines before it', () => {
    const { message, hint, data } = refusal('FROM alpine\n\nENV a=b\nCOPY --chwon=1 a b\nRUN x\n');
    expect(message).toBe('dockerfile parse error on line 4: unknown flag: --chwon');
    expect(hint).toBe('did you mean --chown?');
    expect(data).toMatchObject({ file: 'Dockerfile', line: 4, column: 6, offset: 26, length: 9 });
    expect(data.frame).toBe(
      ['   2 |', '   3 | ENV a=b', '   4 | COPY --chwon=1 a b', '     |      ^^^^^^^^^'].join('\n'),
    );
  });

  it('keeps the caret below its place behind tabs, and inside a long line', () => {
    expect(refusal('FROM a\nCOPY\t--x\ta b').data.frame).toBe(
      ['   1 | FROM a', '   2 | COPY    --x    a b', '     |         ^^^'].join('\n'),
    );
    const long = String(refusal(`FROM a\nCOPY ${'x '.repeat(500)}--x\nFOO`).data.frame);
    expect(Math.max(...long.split('\n').map((line) => line.length))).toBeLessThan(120);
    const far = String(refusal(`FROM a\nEXPOSE ${'1 '.repeat(200)}\nENV ${'a=b '.repeat(100)} c`).data.frame).split(
      '\n',
    );
    expect(far.at(-2)?.[far.at(-1)?.indexOf('^') ?? 0]).toBe('c');
  });

  it('steers no terminal', () => {
    const { message, data } = refusal('FROM a\nFO\u001b[31mO\u202e x\n');
    for (const char of ['\u001b', '\u202e']) expect(`${message}${data.frame}`).not.toContain(char);
  });

  it('names the file it is in', () => {
    const file = parseDockerfile('FROM a', { name: 'web.Dockerfile' });
    expect(file.source.name).toBe('web.Dockerfile');
  });
});

describe('bytes', () => {
  const bytes = (...parts: (string | number[])[]) =>
    Uint8Array.from(parts.flatMap((part) => (typeof part === 'string' ? [...new TextEncoder().encode(part)] : part)));

  it.each([
    [
      'in an instruction',
      bytes('FROM a\nRUN b', [0xff], '\n'),
      ['invalid-dockerfile 2:6 this line is not valid UTF-8 (save the file as UTF-8)'],
    ],
    [
      'in a here-document',
      bytes('FROM a\nRUN <<E\nx', [0xe9], '\nE\n'),
      ['invalid-dockerfile 3:2 this line is not valid UTF-8 (save the file as UTF-8)'],
    ],
    ['in a comment', bytes('# Jos', [0xe9], '\nFROM a\n'), ['2:1-2:7 from base="a"@2:6']],
    [
      'a replacement character that is meant',
      bytes('FROM a\nUSER \ufffd\n'),
      ['1:1-1:7 from base="a"@1:6', '2:1-2:7 user value="\ufffd"@2:6'],
    ],
    [
      'UTF-16',
      bytes([0xff, 0xfe], 'F\0R\0'),
      [
        'invalid-dockerfile the Dockerfile is UTF-16, and has to be UTF-8 (save it as UTF-8; PowerShell writes UTF-16 with >)',
      ],
    ],
    ['a byte order mark', bytes([0xef, 0xbb, 0xbf], 'FROM a'), ['1:2-1:8 from base="a"@1:7']],
  ] as const)('%s', (_, input, expected) => expect(summary(input)).toEqual(expected));
});

describe('limits', () => {
  it('takes a line of 65,535 bytes, and refuses one more', () => {
    const rest = 65_535 - 'RUN '.length;
    expect(summary(`FROM a\nRUN ${'x'.repeat(rest)}\n`)).toHaveLength(2);
    expect(summary(`FROM a\nRUN ${'x'.repeat(rest + 1)}\n`)).toEqual([
      'limit-exceeded 2:1 dockerfile line greater than max allowed size of 65535 (break the line up)',
    ]);
    expect(summary(`FROM a\nRUN ${'é'.repeat(rest / 2)}é\n`)[0]).toMatch(/^limit-exceeded 2:1/);
  });

  it('refuses a file that is too long by its size alone', () => {
    const text = `FROM a\n${'# x\n'.repeat((MAX_DOCKERFILE_BYTES >> 2) + 1)}`;
    expect(summary(text)[0]).toMatch(/^limit-exceeded the Dockerfile has \d+ bytes; 4194304 are allowed/);
    expect(summary(new TextEncoder().encode(text))[0]).toMatch(/^limit-exceeded/);
  });
});

describe('what an instruction keeps', () => {
  const [stage] = parseDockerfile('# one\n#\n# two\n# three\nFROM a\n\n# four\n\nRUN a \\\n\n  b\n').stages;

  it('comments above it, from the last empty comment on', () => {
    expect(stage?.from.comments).toEqual(['two', 'three']);
    expect(stage?.instructions[0]?.comments).toEqual(['four']);
  });

  it('its line, joined, and the lines it came from', () => {
    expect(stage?.instructions[0]).toMatchObject({
      text: 'RUN a   b',
      firstLine: 9,
      lastLine: 11,
      hasEmptyContinuation: true,
    });
  });
});

describe('triggers of a base image', () => {
  it('are one instruction', () => {
    expect(parseTrigger('COPY . /app', 'base').trigger).toMatchObject({ kind: 'copy' });
    expect(parseTrigger('RUN <<E\nx\nE', 'base').trigger).toMatchObject({
      kind: 'run',
      heredocs: [{ content: 'x\n' }],
    });
  });

  it.each([
    ['two', 'RUN a\nRUN b', 'onbuild trigger should be a single expression'],
    ['none', '', 'onbuild trigger should be a single expression'],
    ['FROM', 'FROM a', "FROM isn't allowed as an ONBUILD trigger"],
    ['ONBUILD', 'ONBUILD RUN a', "ONBUILD isn't allowed as an ONBUILD trigger"],
  ])('not %s', (_, text, message) => expect(() => parseTrigger(text, 'base')).toThrow(message));
});
