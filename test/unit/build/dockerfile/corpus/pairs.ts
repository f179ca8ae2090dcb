// biome-ignore-all lint/suspicious/noTemplateCurlyInString: these are Dockerfiles
/** What is read, and the place of every part: see test/support/dockerfile.ts for the form. */
export const CASES: readonly (readonly [name: string, text: string, expected: readonly string[]])[] = [
  ['env', 'FROM a\nENV a=b\n', ['1:1-1:7 from base="a"@1:6', '2:1-2:8 env pairs=[{key="a"@2:5 value="b"@2:7}]']],
  [
    'env several',
    'FROM a\nENV a=b c=d e="f g"\n',
    [
      '1:1-1:7 from base="a"@1:6',
      '2:1-2:20 env pairs=[{key="a"@2:5 value="b"@2:7} {key="c"@2:9 value="d"@2:11} {key="e"@2:13 value="\\"f g\\""@2:15}]',
    ],
  ],
  [
    'env legacy',
    'FROM a\nENV a b c\n',
    ['1:1-1:7 from base="a"@1:6', '2:1-2:10 env pairs=[{key="a"@2:5 value="b c"@2:7 isLegacy}]'],
  ],
  [
    'env legacy with equals',
    'FROM a\nENV a b=c\n',
    ['1:1-1:7 from base="a"@1:6', '2:1-2:10 env pairs=[{key="a"@2:5 value="b=c"@2:7 isLegacy}]'],
  ],
  [
    'env legacy with more space',
    'FROM a\nENV a   b  c  \n',
    ['1:1-1:7 from base="a"@1:6', '2:1-2:15 env pairs=[{key="a"@2:5 value="b  c"@2:9 isLegacy}]'],
  ],
  [
    'env single quotes',
    "FROM a\nENV a='b c'\n",
    ['1:1-1:7 from base="a"@1:6', '2:1-2:12 env pairs=[{key="a"@2:5 value="\'b c\'"@2:7}]'],
  ],
  [
    'env escaped space',
    'FROM a\nENV a=b\\ c d=e\n',
    [
      '1:1-1:7 from base="a"@1:6',
      '2:1-2:15 env pairs=[{key="a"@2:5 value="b\\\\ c"@2:7} {key="d"@2:12 value="e"@2:14}]',
    ],
  ],
  [
    'env escaped quote',
    'FROM a\nENV a="b\\"c"\n',
    ['1:1-1:7 from base="a"@1:6', '2:1-2:13 env pairs=[{key="a"@2:5 value="\\"b\\\\\\"c\\""@2:7}]'],
  ],
  [
    'env over lines',
    'FROM a\nENV a=b \\\n    c=d\n',
    ['1:1-1:7 from base="a"@1:6', '2:1-3:8 env pairs=[{key="a"@2:5 value="b"@2:7} {key="c"@3:5 value="d"@3:7}]'],
  ],
  [
    'env empty value',
    'FROM a\nENV a= b=""\n',
    ['1:1-1:7 from base="a"@1:6', '2:1-2:12 env pairs=[{key="a"@2:5 value=""@2:7} {key="b"@2:8 value="\\"\\""@2:10}]'],
  ],
  [
    'env quoted name',
    'FROM a\nENV "a b"=c\n',
    ['1:1-1:7 from base="a"@1:6', '2:1-2:12 env pairs=[{key="\\"a b\\""@2:5 value="c"@2:11}]'],
  ],
  [
    'env quote not closed',
    'FROM a\nENV a="b c\n',
    ['1:1-1:7 from base="a"@1:6', '2:1-2:11 env pairs=[{key="a"@2:5 value="\\"b c"@2:7}]'],
  ],
  [
    'env escape at the end',
    'FROM a\nENV a=b\\\n',
    ['1:1-1:7 from base="a"@1:6', '2:1-2:9 env pairs=[{key="a"@2:5 value="b"@2:7}]'],
  ],
  [
    'env without value',
    'FROM a\nENV a\n',
    ['invalid-dockerfile 2:5 ENV must have two arguments (write ENV key=value)'],
  ],
  [
    'env without anything',
    'FROM a\nENV\n',
    ['invalid-dockerfile 2:1 ENV requires at least one argument (write ENV key=value)'],
  ],
  ['env without name', 'FROM a\nENV =a\n', ['invalid-dockerfile 2:6 ENV names can not be blank (write ENV key=value)']],
  [
    'env second without equals',
    'FROM a\nENV a=b c\n',
    [
      'invalid-dockerfile 2:9 Syntax error - can\'t find = in "c". Must be of the form: name=value (put a value with spaces in quotes)',
    ],
  ],
  [
    'env variable',
    'FROM a\nENV a=$b c=${d:-e}\n',
    [
      '1:1-1:7 from base="a"@1:6',
      '2:1-2:19 env pairs=[{key="a"@2:5 value="$b"@2:7} {key="c"@2:10 value="${d:-e}"@2:12}]',
    ],
  ],
  ['env flag', 'FROM a\nENV --x a=b\n', ['invalid-dockerfile 2:5 unknown flag: --x (this instruction has no flags)']],
  [
    'label',
    'FROM a\nLABEL a=b "c d"="e f"\n',
    [
      '1:1-1:7 from base="a"@1:6',
      '2:1-2:22 label pairs=[{key="a"@2:7 value="b"@2:9} {key="\\"c d\\""@2:11 value="\\"e f\\""@2:17}]',
    ],
  ],
  [
    'label legacy',
    'FROM a\nLABEL a b c\n',
    ['1:1-1:7 from base="a"@1:6', '2:1-2:12 label pairs=[{key="a"@2:7 value="b c"@2:9 isLegacy}]'],
  ],
  [
    'label without value',
    'FROM a\nLABEL a\n',
    ['invalid-dockerfile 2:7 LABEL must have two arguments (write LABEL key=value)'],
  ],
  [
    'label name with dots',
    'FROM a\nLABEL org.example.x-y="z"\n',
    ['1:1-1:7 from base="a"@1:6', '2:1-2:26 label pairs=[{key="org.example.x-y"@2:7 value="\\"z\\""@2:23}]'],
  ],
  ['arg', 'FROM a\nARG a\n', ['1:1-1:7 from base="a"@1:6', '2:1-2:6 arg args=[{key="a"@2:5}]']],
  ['arg default', 'FROM a\nARG a=b\n', ['1:1-1:7 from base="a"@1:6', '2:1-2:8 arg args=[{key="a"@2:5 value="b"@2:7}]']],
  [
    'arg several',
    'FROM a\nARG a b=c d="e f" g=\n',
    [
      '1:1-1:7 from base="a"@1:6',
      '2:1-2:21 arg args=[{key="a"@2:5} {key="b"@2:7 value="c"@2:9} {key="d"@2:11 value="\\"e f\\""@2:13} {key="g"@2:19 value=""@2:21}]',
    ],
  ],
  [
    'arg quoted',
    'FROM a\nARG "a=b c"\n',
    ['1:1-1:7 from base="a"@1:6', '2:1-2:12 arg args=[{key="\\"a"@2:5 value="b c\\""@2:8}]'],
  ],
  [
    'arg without name',
    'FROM a\nARG =b\n',
    ['invalid-dockerfile 2:5 ARG names can not be blank (write ARG name=value)'],
  ],
  [
    'arg without anything',
    'FROM a\nARG\n',
    ['invalid-dockerfile 2:1 ARG requires at least one argument (write ARG name or ARG name=value)'],
  ],
  [
    'arg flag is not looked at',
    'FROM a\nARG --x a\n',
    ['1:1-1:7 from base="a"@1:6', '2:1-2:10 arg args=[{key="a"@2:9}]'],
  ],
];
