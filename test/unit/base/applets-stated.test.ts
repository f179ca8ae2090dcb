/** What the utilities say when something is wrong, and what they do where Debian's differ among each other. */
import { beforeAll, describe, expect, it } from 'vitest';
import { boxFile, runShell } from '../../support/box.ts';

beforeAll(async () => {
  await boxFile();
}, 300_000);

/** Runs all scripts as one, each in a subshell; `text` is what a script wrote to the stream that is kept. */
async function each(scripts: readonly string[], stream: string): Promise<{ text: string; status: string }[]> {
  const parts = scripts.map(
    (script) => `printf '\\035'\n(\n${script}\n) ${stream} </dev/null\nprintf '\\036%s' "$?"\n`,
  );
  const { out } = await runShell(`mkdir /w; cd /w; printf 'a\\nb\\n' >f; mkdir d; ${parts.join('')}`);
  return out
    .split('\x1d')
    .slice(1)
    .map((part) => {
      const end = part.lastIndexOf('\x1e');
      return { text: part.slice(0, end), status: part.slice(end + 1) };
    });
}

const ERRORS = [
  ['cat nope', 'cat: nope: No such file or directory\n', '1'],
  ['cat d', 'cat: d: Is a directory\n', '1'],
  ['rm d', "rm: cannot remove 'd': Is a directory\n", '1'],
  ['rm nope', "rm: cannot remove 'nope': No such file or directory\n", '1'],
  ['rmdir f', "rmdir: failed to remove 'f': Not a directory\n", '1'],
  ['mkdir d', "mkdir: cannot create directory 'd': File exists\n", '1'],
  ['cp d x', "cp: -r not specified; omitting directory 'd'\n", '1'],
  ['cp f f', "cp: 'f' and 'f' are the same file\n", '1'],
  ['mv nope x', "mv: cannot stat 'nope': No such file or directory\n", '1'],
  ['ln -s x f', "ln: failed to create symbolic link 'f': File exists\n", '1'],
  ['ls nope', "ls: cannot access 'nope': No such file or directory\n", '2'],
  ['ls --foo', "ls: unrecognized option '--foo'\n", '2'],
  ['cut -y f', "cut: invalid option -- 'y'\n", '1'],
  ['chmod nope f', "chmod: invalid mode: 'nope'\n", '1'],
  ['chown nobody-here f', "chown: invalid user: 'nobody-here'\n", '1'],
  ["grep 'a[' f", 'grep: Unmatched [, [^, [:, [., or [=\n', '2'],
  ['grep -P a f', 'grep: Perl regular expressions are not supported; -E has most of what is needed\n', '2'],
  ['sed k f', "sed: -e expression #1, char 1: unknown command: `k'\n", '1'],
  ["sed 's/a/b' f", "sed: -e expression #1, char 5: unterminated `s' command\n", '1'],
  ["awk '{' f", 'awk: syntax error at line 1: unexpected end of program\n', '2'],
  ["awk 'BEGIN{print 1/0}'", 'awk: division by zero\n', '2'],
  ['find . -nope x', "find: unknown predicate '-nope'\n", '1'],
  ['expr 1 / 0', 'expr: division by zero\n', '2'],
  ['tar tf f', 'tar: Unexpected EOF in archive\ntar: Exiting with failure status due to previous errors\n', '2'],
  ['gzip -dc f', 'gzip: f: not in gzip format\n', '1'],
  ['tail -f f', 'tail: following a file (-f) is not supported\n', '1'],
  ['mkfifo p', 'mkfifo: named pipes cannot be made in this container\n', '1'],
  ['date -d junk', "date: invalid date 'junk'\n", '1'],
  ['rm -rf /', "rm: it is dangerous to operate recursively on '/'\n", '1'],
] as const;

const OUTPUTS = [
  [
    'integers of awk are shown whole',
    "awk 'BEGIN{print 2^31, 2^53, 100000*100000}'",
    '2147483648 9007199254740992 10000000000\n',
  ],
  ['substr counts from one', `awk 'BEGIN{print substr("hello", -1, 3)}'`, 'h\n'],
  ['-F t is a tab', "printf 'a\\tb\\n' | awk -Ft '{print $2}'", 'b\n'],
  [
    'awk runs commands',
    `awk 'BEGIN{while (("echo a b; echo c" | getline) > 0) print NF; print "z\\ny" | "sort"}'`,
    '2\n1\ny\nz\n',
  ],
  ['system tells the status', `awk 'BEGIN{r = system("exit 3"); print r}'`, '3\n'],
  ['find orders by name', 'mkdir o; touch o/c o/a o/b; find o', 'o\no/a\no/b\no/c\n'],
  ['find hands many to one command', 'touch o/d; find o -type f -exec echo {} +', 'o/a o/b o/c o/d\n'],
  ['xargs runs in the place of each', "printf 'a b\\nc\\n' | xargs -I{} echo '<{}>'", '<a b>\n<c>\n'],
  ['what a head leaves is there for the next', 'seq 1 5 | { head -n 2 >/dev/null; cat; }', '3\n4\n5\n'],
  ['yes ends when nobody reads', 'yes | head -n 2', 'y\ny\n'],
  [
    'an archive comes out as it went in',
    'mkdir t; echo x >t/f; ln -s f t/l; ln t/f t/h; chmod 750 t/f; tar czf t.tgz t; rm -r t; tar xzf t.tgz; stat -c "%n %a %h %F" t/*; readlink t/l; cat t/h',
    't/f 750 2 regular file\nt/h 750 2 regular file\nt/l 777 1 symbolic link\nf\nx\n',
  ],
  [
    'archives of the same files are the same',
    'mkdir u; echo x >u/f; touch -d @0 u u/f; tar czf 1.tgz u; tar czf 2.tgz u; [ "$(sha256sum <1.tgz)" = "$(sha256sum <2.tgz)" ] && echo same',
    'same\n',
  ],
  [
    'a member does not leave its place',
    'cd d; printf x >../e; tar cPf ../e.tar ../e; rm ../e; tar xf ../e.tar 2>/dev/null; echo $?; ls ..  | grep -cx e',
    '2\n0\n',
  ],
  [
    'compression keeps all bytes',
    'seq 1 20000 >n; gzip -k n; gzip -dc n.gz | sha256sum >s1; sha256sum <n >s2; [ "$(cat s1)" = "$(cat s2)" ] && echo same',
    'same\n',
  ],
  ['repetition of repetition takes no time', "seq 1 4000 | tr -d '\\n' | grep -cE '(x*)*y|([0-9]+)+z'", '0\n'],
] as const;

describe('what is said when something is wrong', () => {
  let found: { text: string; status: string }[] = [];
  beforeAll(async () => {
    found = await each(
      ERRORS.map(([script]) => script),
      '2>&1 >/dev/null',
    );
  }, 60_000);

  it.each(ERRORS.map(([script, text, status], i) => [script, text, status, i] as const))(
    '%s',
    (_script, text, status, i) => {
      expect(found[i]).toEqual({ text, status });
    },
  );
});

describe('where others differ', () => {
  let found: { text: string; status: string }[] = [];
  beforeAll(async () => {
    found = await each(
      OUTPUTS.map(([, script]) => script),
      '2>/dev/null',
    );
  }, 60_000);

  it.each(OUTPUTS.map(([name, script, text], i) => [name, script, text, i] as const))(
    '%s',
    (_name, _script, text, i) => {
      expect(found[i]?.text).toBe(text);
    },
  );
});
