import { describe, expect, it } from 'vitest';
import { LineDiscipline, toTerminal } from '../../../../src/host/terminal/line-discipline.ts';

const encoder = new TextEncoder();
const decoder = new TextDecoder();

function typed(text: string) {
  const seen = { echo: '', lines: [] as string[], signals: [] as string[] };
  const discipline = new LineDiscipline({
    echo: (bytes) => {
      seen.echo += decoder.decode(bytes, { stream: true });
    },
    line: (bytes) => void seen.lines.push(decoder.decode(bytes)),
    signal: (name) => void seen.signals.push(name),
  });
  discipline.input(encoder.encode(text));
  return seen;
}

describe('what is typed into a terminal', () => {
  it.each([
    ['a line', 'ls\r', 'ls\r\n', ['ls\n']],
    ['two lines', 'a\nb\r', 'a\r\nb\r\n', ['a\n', 'b\n']],
    ['a line that is not whole', 'abc', 'abc', []],
    ['backspace', 'ab\x7fc\r', 'ab\b \bc\r\n', ['ac\n']],
    ['backspace over a character of three bytes', 'a€\x7f\r', 'a€\b \b\r\n', ['a\n']],
    ['backspace where nothing is', '\x7f\x08x\r', 'x\r\n', ['x\n']],
    ['backspace over a control character', '\x01\x7f\r', '^A\b \b\b \b\r\n', ['\n']],
    ['kill the line', 'abc\x15d\r', 'abc\b \b\b \b\b \bd\r\n', ['d\n']],
    ['erase a word', 'one two \x17x\r', `one two ${'\b \b'.repeat(4)}x\r\n`, ['one x\n']],
    ['the end of input', '\x04', '', ['']],
    ['the end of input behind text', 'ab\x04', 'ab', ['ab']],
    ['a literal', '\x16\x03\r', '^C\r\n', ['\x03\n']],
    ['a tab', 'a\tb\r', 'a\tb\r\n', ['a\tb\n']],
  ])('%s', (_, input, echo, lines) => {
    expect(typed(input)).toEqual({ echo, lines, signals: [] });
  });

  it('makes signals, and forgets the line', () => {
    expect(typed('abc\x03d\r')).toEqual({ echo: 'abc^Cd\r\n', lines: ['d\n'], signals: ['SIGINT'] });
    expect(typed('\x1c')).toEqual({ echo: '^\\', lines: [], signals: ['SIGQUIT'] });
  });

  it('keeps no more of a line than a terminal does', () => {
    const { lines, echo } = typed(`${'x'.repeat(5000)}\r`);
    expect(lines[0]).toHaveLength(4096);
    expect(echo).toContain('\x07');
  });
});

it('shows a newline as a terminal wants it', () => {
  expect(decoder.decode(toTerminal(encoder.encode('a\nb\n\n')))).toBe('a\r\nb\r\n\r\n');
  const plain = encoder.encode('plain');
  expect(toTerminal(plain)).toBe(plain);
});
