// biome-ignore-all lint/suspicious/noTemplateCurlyInString: these are scripts of another language
/** Scripts that nobody meant to run: whatever they are, the shell ends with a status and at most a line. */
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { boxFile, runBox, runShell } from '../../support/box.ts';

beforeAll(async () => {
  await boxFile();
}, 300_000);

const TOKENS =
  'if then else elif fi while until do done for in case esac { } ( ) (( )) $( ` " \' \\ ; ;; && || | & < > << <<- >& <& $ ${ ${x:- ${#x} $((1+ )) x= x=1 a ! $@ "$@" * ? [ E # 1 2> f() echo ~ - + % %%'
    .split(' ')
    .concat(['\n', '\nE\n', ' ', '\t', '\xff', '\0']);

const SYNTAX_ERROR = /^sh: line \d+: syntax error: [^\n]*\n$/;

async function parses(script: string): Promise<void> {
  const { exitCode, out, err, reason } = await runBox(['sh', '-n'], { stdin: script });
  expect({ reason, out }).toEqual({ reason: undefined, out: '' });
  if (exitCode === 0) expect(err).toBe('');
  else {
    expect(exitCode).toBe(2);
    expect(err).toMatch(SYNTAX_ERROR);
  }
}

describe('the parser', () => {
  it('ends on any bytes', async () => {
    const bytes = fc.uint8Array({ maxLength: 60 }).map((array) => Buffer.from(array).toString('latin1'));
    await fc.assert(fc.asyncProperty(bytes, parses), { numRuns: 60 });
  });

  it('ends on any tokens', async () => {
    const tokens = fc.array(fc.constantFrom(...TOKENS), { maxLength: 30 }).map((all) => all.join(' '));
    await fc.assert(fc.asyncProperty(tokens, parses), { numRuns: 100 });
  });

  const many = (part: string, count = 5000) => part.repeat(count);

  it.each([
    ['(', `${many('(')}echo x${many(')')}`],
    ['$(', `echo ${many('$(echo ')}x${many(')')}`],
    ['"$(', `echo ${many('"$(echo ')}x${many(')"')}`],
    ['{', `${many('{ ')}echo x; ${many('}; ')}`],
    ['${x:-', `echo ${many('${x:-')}y${many('}')}`],
    ['if', `${many('if ')}true${many('; then :; fi')}`],
    ['elif', `if false; then :; ${many('elif false; then :; ')}fi`],
    ['for', `${many('for i in 1; do ')}echo x; ${many('done; ')}`],
    ['case', `${many('case x in x) ')}echo x${many(';; esac')}`],
    ['f()', `${many('f() { ')}:; ${many('}; ')}`],
    ['$( in a here-document', `cat <<E\n${many('$(echo ')}x${many(')')}\nE\n`],
  ])('refuses what is nested too deeply: %s', async (_name, script) => {
    const { exitCode, err } = await runShell(script);
    expect({ exitCode, err: err.replace(/\d+/, 'N') }).toEqual({
      exitCode: 2,
      err: 'sh: line N: syntax error: commands nested too deeply\n',
    });
  });

  it.each([
    ['&&', `${many('true && ')}echo ok`],
    [';', `${many('true; ')}echo ok`],
    ['|', `${many('true | ', 200)}echo ok`],
    ['!', `${many('! ')}true && echo ok || echo ok`],
    ['assignments', `${many('x=1 ')}true; echo ok`],
    ['stars', `case ${many('a', 40)} in ${many('*a', 30)}b) ;; *) echo ok;; esac`],
    ['words', `set -- ${many('a ', 50_000)}; [ $# = 50000 ] && echo ok`],
  ])('takes what is long: %s', async (_name, script) => {
    expect(await runShell(script)).toMatchObject({ out: 'ok\n', exitCode: 0 });
  });
});

describe('recursion without end', () => {
  it.each([
    'f() { f; }; f',
    'f() { eval f; }; f',
    'f() { (f); }; f',
    'f() { if f; then :; fi; }; f',
    'echo ". /tmp/r" > /tmp/r; . /tmp/r',
    'echo "sh /tmp/r" > /tmp/r; sh /tmp/r',
    'f() { case x in x) for i in 1; do while :; do { if :; then ( f ); fi; }; exit; done; done;; esac; }; f',
    `echo $((${'('.repeat(5000)}1${')'.repeat(5000)}))`,
    `echo $((${'-'.repeat(5000)}1))`,
    `echo $((${'1?'.repeat(5000)}1${':1'.repeat(5000)}))`,
  ])('%#', async (script) => {
    const { exitCode, err, reason } = await runShell(script);
    expect({ exitCode, reason }).toEqual({ exitCode: 2, reason: undefined });
    expect(err).toMatch(/nested too deeply/);
  });
});

describe('memory', () => {
  const MIB = 1024 * 1024;

  it.each([
    ['a loop', 'i=0; while [ $i -lt 20000 ]; do i=$((i+1)); x="$x"; done; echo $i', '20000\n'],
    ['substitutions', 'i=0; while [ $i -lt 3000 ]; do i=$(echo $((i+1))); done; echo $i', '3000\n'],
    ['a stream of lines', 'seq 30000 | while read n; do :; done; echo ok', 'ok\n'],
  ])('%s is collected', async (_name, script, out) => {
    expect(await runShell(script, { memoryBytes: 48 * MIB })).toMatchObject({ out, exitCode: 0 });
  });

  it('that runs out ends the shell, not its host', async () => {
    const { exitCode, oomKilled } = await runShell('x=aaaaaaaaaaaaaaaa; while :; do x=$x$x; done', {
      memoryBytes: 48 * MIB,
    });
    expect({ ended: exitCode !== 0, oomKilled }).toEqual({ ended: true, oomKilled: expect.any(Boolean) });
  });
});
