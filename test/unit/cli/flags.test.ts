import { describe, expect, it } from 'vitest';
import { type Flag, parseFlags } from '../../../src/cli/flags.ts';

const FLAGS: readonly Flag[] = [
  { name: 'interactive', short: 'i', type: 'boolean', description: '' },
  { name: 'tty', short: 't', type: 'boolean', description: '' },
  { name: 'env', short: 'e', type: 'list', description: '' },
  { name: 'name', type: 'string', description: '' },
];

const read = (line: string[], interspersed = false) => {
  const { flags, args } = parseFlags(line, FLAGS, interspersed);
  return {
    args,
    it: flags.bool('interactive'),
    t: flags.bool('tty'),
    env: flags.list('env'),
    name: flags.string('name'),
  };
};

describe('flags, as docker reads them', () => {
  it.each([
    ['grouped booleans', ['-it', 'img'], { it: true, t: true, args: ['img'] }],
    ['a value that looks like a number stays text', ['--name', '007', 'img'], { name: '007', args: ['img'] }],
    ['a value that begins with a dash', ['-e', '-x=1', 'img'], { env: ['-x=1'], args: ['img'] }],
    ['a value glued to its letter', ['-eA=1', '-e=B=2', 'img'], { env: ['A=1', 'B=2'], args: ['img'] }],
    ['a letter with a value ends its group', ['-iteA=1', 'img'], { it: true, t: true, env: ['A=1'], args: ['img'] }],
    ['an equals sign in a value', ['--env=A=b=c', 'img'], { env: ['A=b=c'], args: ['img'] }],
    [
      'the first argument ends the flags',
      ['img', '-i', '--name', 'x'],
      { it: false, args: ['img', '-i', '--name', 'x'] },
    ],
    ['two dashes end the flags', ['-i', '--', '-t'], { it: true, t: false, args: ['-t'] }],
    ['a boolean switched off', ['-i', '--interactive=false', 'img'], { it: false, args: ['img'] }],
    ['the last single value wins', ['--name', 'a', '--name', 'b'], { name: 'b', args: [] }],
  ])('%s', (_name, line, expected) => {
    expect(read(line)).toMatchObject(expected);
  });

  it('lets flags follow arguments where the command says so', () => {
    expect(read(['img', '-i'], true)).toMatchObject({ it: true, args: ['img'] });
  });

  it.each([
    [['--nam', 'x'], 'unknown flag: --nam', 'did you mean --name?'],
    [['-x'], 'unknown flag: -x', 'see --help for the flags of this command'],
    [['--name'], 'flag needs an argument: --name', undefined],
    [['--tty=maybe'], 'invalid argument "maybe" for --tty: expected true or false', undefined],
  ])('refuses %j', (line, message, hint) => {
    expect(() => read(line)).toThrowError(expect.objectContaining({ message, hint }));
  });
});
