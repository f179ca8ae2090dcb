// biome-ignore-all lint/suspicious/noTemplateCurlyInString: these are Dockerfiles
/** What is read, and the place of every part: see test/support/dockerfile.ts for the form. */
export const CASES: readonly (readonly [name: string, text: string, expected: readonly string[]])[] = [
  [
    'two paths',
    'FROM a\nCOPY a b\n',
    ['1:1-1:7 from base="a"@1:6', '2:1-2:9 copy sources=["a"@2:6] destination="b"@2:8'],
  ],
  [
    'many paths',
    'FROM a\nCOPY a b c /d/\n',
    ['1:1-1:7 from base="a"@1:6', '2:1-2:15 copy sources=["a"@2:6 "b"@2:8 "c"@2:10] destination="/d/"@2:12'],
  ],
  [
    'json',
    'FROM a\nCOPY ["a b", "c", "/d e/"]\n',
    ['1:1-1:7 from base="a"@1:6', '2:1-2:27 copy sources=["a b"@2:7 "c"@2:14] destination="/d e/"@2:19'],
  ],
  [
    'json that is none',
    'FROM a\nCOPY ["a b", c\n',
    ['1:1-1:7 from base="a"@1:6', '2:1-2:15 copy sources=["[\\"a"@2:6 "b\\","@2:10] destination="c"@2:14'],
  ],
  [
    'json with numbers',
    'FROM a\nCOPY ["a", 1]\n',
    [
      'invalid-dockerfile 2:6 when using JSON array syntax, arrays must be comprised of strings only (put every element in double quotes)',
    ],
  ],
  [
    'json with one element',
    'FROM a\nCOPY ["a"]\n',
    [
      'invalid-dockerfile 2:7 COPY requires at least two arguments, but only one was provided. Destination could not be determined (write COPY source … destination)',
    ],
  ],
  [
    'one path',
    'FROM a\nCOPY a\n',
    [
      'invalid-dockerfile 2:6 COPY requires at least two arguments, but only one was provided. Destination could not be determined (write COPY source … destination)',
    ],
  ],
  [
    'no path',
    'FROM a\nCOPY\n',
    [
      'invalid-dockerfile 2:1 COPY requires at least two arguments, but only one was provided. Destination could not be determined (write COPY source … destination)',
    ],
  ],
  [
    'quotes stay',
    'FROM a\nCOPY "a b" c\n',
    ['1:1-1:7 from base="a"@1:6', '2:1-2:13 copy sources=["\\"a"@2:6 "b\\""@2:9] destination="c"@2:12'],
  ],
  [
    'from',
    'FROM a\nCOPY --from=b /x /y\n',
    ['1:1-1:7 from base="a"@1:6', '2:1-2:20 copy sources=["/x"@2:15] destination="/y"@2:18 from="b"@2:13'],
  ],
  [
    'from empty',
    'FROM a\nCOPY --from= /x /y\n',
    ['1:1-1:7 from base="a"@1:6', '2:1-2:19 copy sources=["/x"@2:14] destination="/y"@2:17'],
  ],
  [
    'from without value',
    'FROM a\nCOPY --from /x /y\n',
    ['invalid-dockerfile 2:6 missing a value on flag: --from (write --from=VALUE)'],
  ],
  [
    'chown and chmod',
    'FROM a\nCOPY --chown=1:2 --chmod=0755 a b\n',
    [
      '1:1-1:7 from base="a"@1:6',
      '2:1-2:34 copy sources=["a"@2:31] destination="b"@2:33 chown="1:2"@2:14 chmod="0755"@2:26',
    ],
  ],
  [
    'chown of a variable',
    'FROM a\nCOPY --chown=$U a b\n',
    ['1:1-1:7 from base="a"@1:6', '2:1-2:20 copy sources=["a"@2:17] destination="b"@2:19 chown="$U"@2:14'],
  ],
  [
    'link',
    'FROM a\nCOPY --link a b\n',
    ['1:1-1:7 from base="a"@1:6', '2:1-2:16 copy sources=["a"@2:13] destination="b"@2:15 link'],
  ],
  [
    'link=false',
    'FROM a\nCOPY --link=false a b\n',
    ['1:1-1:7 from base="a"@1:6', '2:1-2:22 copy sources=["a"@2:19] destination="b"@2:21'],
  ],
  [
    'link=TRUE',
    'FROM a\nCOPY --link=TRUE a b\n',
    ['1:1-1:7 from base="a"@1:6', '2:1-2:21 copy sources=["a"@2:18] destination="b"@2:20 link'],
  ],
  [
    'link=maybe',
    'FROM a\nCOPY --link=maybe a b\n',
    ['invalid-dockerfile 2:6 expecting boolean value for flag --link, not: maybe (write true or false)'],
  ],
  [
    'link=',
    'FROM a\nCOPY --link= a b\n',
    ['invalid-dockerfile 2:6 missing a value on flag: --link (write --link alone)'],
  ],
  [
    'link twice',
    'FROM a\nCOPY --link --link a b\n',
    ['invalid-dockerfile 2:13 duplicate flag specified: --link (give it once)'],
  ],
  [
    'parents and exclude',
    'FROM a\nCOPY --parents --exclude=*.md --exclude=x a b\n',
    [
      '1:1-1:7 from base="a"@1:6',
      '2:1-2:46 copy sources=["a"@2:43] destination="b"@2:45 exclude=["*.md"@2:26 "x"@2:41] parents',
    ],
  ],
  [
    'exclude without value',
    'FROM a\nCOPY --exclude a b\n',
    ['invalid-dockerfile 2:6 missing a value on flag: --exclude (write --exclude=VALUE)'],
  ],
  [
    'near to parents',
    'FROM a\nCOPY --parent a b\n',
    ['invalid-dockerfile 2:6 unknown flag: --parent (did you mean --parents?)'],
  ],
  [
    'flag of ADD',
    'FROM a\nCOPY --checksum=x a b\n',
    [
      'invalid-dockerfile 2:6 unknown flag: --checksum (there is --chown, --chmod, --link, --exclude, --from, --parents)',
    ],
  ],
  [
    'flag in quotes',
    'FROM a\nCOPY "--chown=a b" c d\n',
    [
      '1:1-1:7 from base="a"@1:6',
      '2:1-2:23 copy sources=["\\"--chown=a"@2:6 "b\\""@2:17 "c"@2:20] destination="d"@2:22',
    ],
  ],
  [
    'value in quotes',
    'FROM a\nCOPY --chown="a b" c d\n',
    ['1:1-1:7 from base="a"@1:6', '2:1-2:23 copy sources=["c"@2:20] destination="d"@2:22 chown="a b"@2:6'],
  ],
  [
    'value with escape',
    'FROM a\nCOPY --chown=a\\ b c d\n',
    ['1:1-1:7 from base="a"@1:6', '2:1-2:22 copy sources=["c"@2:19] destination="d"@2:21 chown="a b"@2:6'],
  ],
  [
    'dashes end flags',
    'FROM a\nCOPY -- --a b\n',
    ['1:1-1:7 from base="a"@1:6', '2:1-2:14 copy sources=["--a"@2:9] destination="b"@2:13'],
  ],
  [
    'dash is a path',
    'FROM a\nCOPY - b\n',
    ['1:1-1:7 from base="a"@1:6', '2:1-2:9 copy sources=["-"@2:6] destination="b"@2:8'],
  ],
  [
    'flags over lines',
    'FROM a\nCOPY --chown=1 \\\n  --chmod=644 \\\n  a b\n',
    ['1:1-1:7 from base="a"@1:6', '2:1-4:6 copy sources=["a"@4:3] destination="b"@4:5 chown="1"@2:14 chmod="644"@3:11'],
  ],
  ['add', 'FROM a\nADD a b\n', ['1:1-1:7 from base="a"@1:6', '2:1-2:8 add sources=["a"@2:5] destination="b"@2:7']],
  [
    'add url',
    'FROM a\nADD https://example.com/x /x\n',
    ['1:1-1:7 from base="a"@1:6', '2:1-2:29 add sources=["https://example.com/x"@2:5] destination="/x"@2:27'],
  ],
  [
    'add checksum',
    'FROM a\nADD --checksum=sha256:abc https://example.com/x /x\n',
    [
      '1:1-1:7 from base="a"@1:6',
      '2:1-2:51 add sources=["https://example.com/x"@2:27] destination="/x"@2:49 checksum="sha256:abc"@2:16',
    ],
  ],
  [
    'add keep-git-dir',
    'FROM a\nADD --keep-git-dir=true https://example.com/x.git /x\n',
    [
      '1:1-1:7 from base="a"@1:6',
      '2:1-2:53 add sources=["https://example.com/x.git"@2:25] destination="/x"@2:51 keepGitDir',
    ],
  ],
  [
    'add keep-git-dir false',
    'FROM a\nADD --keep-git-dir=false https://example.com/x.git /x\n',
    ['1:1-1:7 from base="a"@1:6', '2:1-2:54 add sources=["https://example.com/x.git"@2:26] destination="/x"@2:52'],
  ],
  [
    'add unpack',
    'FROM a\nADD --unpack=false a.tar /\n',
    ['1:1-1:7 from base="a"@1:6', '2:1-2:27 add sources=["a.tar"@2:20] destination="/"@2:26'],
  ],
  [
    'add from',
    'FROM a\nADD --from=x a b\n',
    [
      'invalid-dockerfile 2:5 unknown flag: --from (there is --chown, --chmod, --link, --exclude, --checksum, --unpack, --keep-git-dir)',
    ],
  ],
  [
    'add everything',
    'FROM a\nADD --chown=a --chmod=1 --link --exclude=b --checksum=c --unpack --keep-git-dir d e\n',
    [
      '1:1-1:7 from base="a"@1:6',
      '2:1-2:84 add sources=["d"@2:81] destination="e"@2:83 chown="a"@2:13 chmod="1"@2:23 link exclude=["b"@2:42] checksum="c"@2:55 unpack keepGitDir',
    ],
  ],
];
