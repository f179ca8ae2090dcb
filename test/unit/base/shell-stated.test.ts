// biome-ignore-all lint/suspicious/noTemplateCurlyInString: these are scripts of another language
/** What the shell does where shells differ, and what it says when something is wrong. */
import { beforeAll, describe, expect, it } from 'vitest';
import { boxFile, runBox, runShell } from '../../support/box.ts';

beforeAll(async () => {
  await boxFile();
}, 300_000);

describe('where shells differ, POSIX decides', () => {
  it.each([
    ['lengths of lists are their counts', 'set -- a bb; echo ${#@} ${#*}', '2 2\n'],
    ['arithmetic has a comma', 'echo $((1,2))', '2\n'],
    [
      'a command in parentheses may begin a substitution',
      'echo $((echo not) 2>/dev/null; echo arithmetic)',
      'not arithmetic\n',
    ],
    ['increments', 'x=1; echo $((x++)) $((++x)) $((x--)) $((--x)) $x', '1 3 3 1 1\n'],
    ['OPTARG is not set without an argument', 'getopts a o -a; echo ${OPTARG-none}', 'none\n'],
    ['a declaration does not split', 'x=\'a b\'; export y=$x; echo "$y"', 'a b\n'],
    ['dollar-single-quotes', "printf '%s|' $'a\\tb\\n' $'\\x41\\101\\'q'", "a\tb\n|AA'q|"],
    ['; & goes on in case', 'case a in a) echo 1;& b) echo 2;; c) echo 3;; esac', '1\n2\n'],
    ['pipefail', 'set -o pipefail; false | true; echo $?; true | true; echo $?', '1\n0\n'],
    ['pipefail tells the last that failed', 'set -o pipefail; (exit 3) | (exit 4) | true; echo $?', '4\n'],
    ['$LINENO', 'echo $LINENO\necho $LINENO', '1\n2\n'],
    ['an unquoted $* is joined by IFS when assigned', 'set -- a b; IFS=-; x="$*"; echo "$x"', 'a-b\n'],
    ['read with a delimiter', "printf 'a:b' | { read -d : x; echo $x; }", 'a\n'],
    ['bytes that are no UTF-8 pass', 'x=$(printf \'\\377\\200\'); printf %s "$x"', '\xff\x80'],
    ['a length counts bytes', "x=$(printf '\\303\\274'); echo ${#x}", '2\n'],
    ['set -o tells all', 'set -o | wc -l', '17\n'],
    ['set +o can be read back', 'set -f; x=$(set +o); set +f; eval "$x"; echo *', '*\n'],
    ['command -p finds without PATH', 'PATH=/nowhere; command -p basename /a/b', 'b\n'],
  ])('%s', async (_name, script, out) => {
    expect(await runShell(script)).toMatchObject({ out, err: '', exitCode: 0 });
  });

  it('takes no more of a script on standard input than it has run', async () => {
    const stdin = 'read x\nthis is input\necho "got $x"\ncat\nthe rest\nof it\n';
    expect(await runBox(['sh'], { stdin })).toMatchObject({ out: 'got this is input\nthe rest\nof it\n', exitCode: 0 });
  });

  it('traces where it was told to', async () => {
    const { err } = await runShell('set -x; echo "a b" \'\' c; x=1 y=2; PS4="[$x] "; : end');
    expect(err).toBe("+ echo 'a b' '' c\n+ x=1\n+ y=2\n+ PS4='[1] '\n[1] : end\n");
  });

  it('shows what it reads with -v', async () => {
    const { out, err } = await runBox(['sh', '-v'], { stdin: 'echo a\n' });
    expect({ out, err }).toEqual({ out: 'a\n', err: 'echo a\n' });
  });
});

describe('says what is wrong', () => {
  it.each([
    ['if true; then :', 2, 'sh: line 1: syntax error: unexpected end of file (expecting "fi")\n'],
    ['if true; then', 2, 'sh: line 1: syntax error: unexpected end of file\n'],
    ['echo a\n fi', 2, 'sh: line 2: syntax error: unexpected "fi"\n'],
    ['echo "a', 2, 'sh: line 1: syntax error: unexpected end of file while looking for the other "\n'],
    ['echo )', 2, 'sh: line 1: syntax error: unexpected ")"\n'],
    ['echo a | | b', 2, 'sh: line 1: syntax error: unexpected "|"\n'],
    ['for 1 in a; do :; done', 2, 'sh: line 1: syntax error: bad for loop variable: 1\n'],
    ['cat <', 2, 'sh: line 1: syntax error: unexpected end of file\n'],
    ['${x!y}', 2, 'sh: bad substitution\n'],
    ['nosuch', 127, 'sh: nosuch: not found\n'],
    ['/no/such', 127, 'sh: /no/such: No such file or directory\n'],
    ['/tmp', 126, 'sh: /tmp: Permission denied\n'],
    ['cat < /no/such', 1, 'sh: cannot open /no/such: No such file or directory\n'],
    ['echo > /no/such', 1, 'sh: cannot create /no/such: No such file or directory\n'],
    ['echo >&7', 1, 'sh: 7: Bad file descriptor\n'],
    ['readonly a; a=1', 2, 'sh: a: is read only\n'],
    ['echo ${a?is needed}', 2, 'sh: a: is needed\n'],
    ['echo ${a:?}', 2, 'sh: a: parameter null or not set\n'],
    ['set -u; echo $a', 2, 'sh: a: parameter not set\n'],
    ['echo $((1/0))', 2, 'sh: arithmetic expression: division by zero\n'],
    ['echo $((1+))', 2, 'sh: arithmetic expression: expected a value before end of expression\n'],
    ['echo $((08))', 2, 'sh: arithmetic expression: bad number: 08\n'],
    ['cd /no/such', 2, "sh: cd: can't cd to /no/such: No such file or directory\n"],
    ['. /no/such', 2, 'sh: .: cannot open /no/such: No such file or directory\n'],
    ['shift 2', 2, "sh: shift: can't shift that many\n"],
    ['set -Z', 2, 'sh: set: illegal option -Z\n'],
    ['break x', 2, 'sh: break: Illegal number: x\n'],
    ['ulimit -n 10', 1, /^sh: ulimit: limits are set where the container is started: .*--memory/],
    ['sleep 1 &', 126, 'sh: sleep: this host cannot start programs\n'],
    ['f() { f; }; f', 2, 'sh: f: functions nested too deeply\n'],
    ['x="eval \\$x"; eval $x', 2, 'sh: eval: nested too deeply\n'],
    [
      'echo "\\0asm" > /tmp/p; chmod +x /tmp/p; printf "\\0asm\\1\\0\\0\\0" > /tmp/p; /tmp/p',
      126,
      'sh: /tmp/p: this host cannot start programs\n',
    ],
    ['printf "\\1\\0\\2" > /tmp/p; chmod +x /tmp/p; /tmp/p', 126, 'sh: /tmp/p: Exec format error\n'],
  ])('%s', async (script, exitCode, err) => {
    const outcome = await runShell(script);
    expect(outcome.exitCode).toBe(exitCode);
    if (typeof err === 'string') expect(outcome.err).toBe(err);
    else expect(outcome.err).toMatch(err);
  });

  it('with the line, in a file', async () => {
    const script = 'printf "\\n\\nnosuch\\n" > /tmp/s; sh /tmp/s; echo "fi" > /tmp/t; sh /tmp/t; sh /no/such';
    expect((await runShell(script)).err).toBe(
      '/tmp/s: line 3: nosuch: not found\n/tmp/t: line 1: syntax error: unexpected "fi"\n' +
        '/no/such: cannot open /no/such: No such file or directory\n',
    );
  });
});

describe('a pipeline in one process', () => {
  it.each([
    ['yes | head -2', 'y\ny\n'],
    ['yes | tr y n | sed 2q', 'n\nn\n'],
    ['(while :; do echo loop; done) | grep -m1 loop', 'loop\n'],
    ['x=$(yes | head -3 | wc -l); echo $((x))', '3\n'],
    ['yes abc | head -100000 | wc -c', '400000\n'],
    ['seq 300000 | tail -1', '300000\n'],
    ['seq 3 | while read n; do echo $n; done | cat', '1\n2\n3\n'],
    ['yes | true; echo $?', '0\n'],
    ['set -o pipefail; yes | head -1; echo $?', 'y\n141\n'],
  ])('%s', async (script, out) => {
    const outcome = await runShell(script);
    expect({ out: outcome.out.replace(/^ +/gm, ''), err: outcome.err }).toEqual({ out, err: '' });
  });
});
