// biome-ignore-all lint/suspicious/noTemplateCurlyInString: these are Dockerfiles
/** What is read, and the place of every part: see test/support/dockerfile.ts for the form. */
export const CASES: readonly (readonly [name: string, text: string, expected: readonly string[]])[] = [
  ['one instruction', 'FROM alpine', ['1:1-1:12 from base="alpine"@1:6']],
  [
    'no newline at the end',
    'FROM alpine\nRUN ls',
    [
      '1:1-1:12 from base="alpine"@1:6',
      '2:1-2:7 run command={form="shell" line="ls"@2:5} network="default" security="sandbox"',
    ],
  ],
  [
    'blank lines',
    '\n\nFROM alpine\n\n\nRUN ls\n\n',
    [
      '3:1-3:12 from base="alpine"@3:6',
      '6:1-6:7 run command={form="shell" line="ls"@6:5} network="default" security="sandbox"',
    ],
  ],
  [
    'carriage returns',
    'FROM alpine\r\nRUN ls\r\n',
    [
      '1:1-1:12 from base="alpine"@1:6',
      '2:1-2:7 run command={form="shell" line="ls"@2:5} network="default" security="sandbox"',
    ],
  ],
  [
    'several carriage returns',
    'FROM alpine\r\r\nRUN ls\r\r\n',
    [
      '1:1-1:12 from base="alpine"@1:6',
      '2:1-2:7 run command={form="shell" line="ls"@2:5} network="default" security="sandbox"',
    ],
  ],
  [
    'byte order mark',
    '\ufeffFROM alpine\nRUN ls\n',
    [
      '1:2-1:13 from base="alpine"@1:7',
      '2:1-2:7 run command={form="shell" line="ls"@2:5} network="default" security="sandbox"',
    ],
  ],
  [
    'indented',
    'FROM alpine\n   RUN ls\n\tRUN pwd\n',
    [
      '1:1-1:12 from base="alpine"@1:6',
      '2:4-2:10 run command={form="shell" line="ls"@2:8} network="default" security="sandbox"',
      '3:2-3:9 run command={form="shell" line="pwd"@3:6} network="default" security="sandbox"',
    ],
  ],
  [
    'tabs and spaces behind the name',
    'FROM\talpine\nRUN \t ls\n',
    [
      '1:1-1:12 from base="alpine"@1:6',
      '2:1-2:9 run command={form="shell" line="ls"@2:7} network="default" security="sandbox"',
    ],
  ],
  [
    'lower case',
    'from alpine\nrun ls\n',
    [
      '1:1-1:12 from base="alpine"@1:6',
      '2:1-2:7 run command={form="shell" line="ls"@2:5} network="default" security="sandbox"',
    ],
  ],
  [
    'mixed case',
    'FrOm alpine\nrUn ls\n',
    [
      '1:1-1:12 from base="alpine"@1:6',
      '2:1-2:7 run command={form="shell" line="ls"@2:5} network="default" security="sandbox"',
    ],
  ],
  [
    'trailing space',
    'FROM alpine   \nRUN ls \t \n',
    [
      '1:1-1:15 from base="alpine"@1:6',
      '2:1-2:10 run command={form="shell" line="ls"@2:5} network="default" security="sandbox"',
    ],
  ],
  [
    'continuation',
    'FROM alpine\nRUN a \\\n b\n',
    [
      '1:1-1:12 from base="alpine"@1:6',
      '2:1-3:3 run command={form="shell" line="a  b"@2:5} network="default" security="sandbox"',
    ],
  ],
  [
    'continuation keeps the indent',
    'FROM alpine\nRUN a \\\n      b\n',
    [
      '1:1-1:12 from base="alpine"@1:6',
      '2:1-3:8 run command={form="shell" line="a       b"@2:5} network="default" security="sandbox"',
    ],
  ],
  [
    'space behind the escape character',
    'FROM alpine\nRUN a \\  \t\n b\n',
    [
      '1:1-1:12 from base="alpine"@1:6',
      '2:1-3:3 run command={form="shell" line="a  b"@2:5} network="default" security="sandbox"',
    ],
  ],
  [
    'continuation inside a word',
    'FROM alpine\nRUN ec\\\nho hi\n',
    [
      '1:1-1:12 from base="alpine"@1:6',
      '2:1-3:6 run command={form="shell" line="echo hi"@2:5} network="default" security="sandbox"',
    ],
  ],
  [
    'continuation inside the name',
    'FROM alpine\nRU\\\nN ls\n',
    [
      '1:1-1:12 from base="alpine"@1:6',
      '2:1-3:5 run command={form="shell" line="ls"@3:3} network="default" security="sandbox"',
    ],
  ],
  [
    'continuation right behind the name',
    'FROM alpine\nRUN \\\nls\n',
    [
      '1:1-1:12 from base="alpine"@1:6',
      '2:1-3:3 run command={form="shell" line="ls"@3:1} network="default" security="sandbox"',
    ],
  ],
  ['escape character alone', '\\\nFROM alpine\n', ['2:1-2:12 from base="alpine"@2:6']],
  [
    'two escape characters do not continue',
    'FROM alpine\nRUN a \\\\\nRUN b\n',
    [
      '1:1-1:12 from base="alpine"@1:6',
      '2:1-2:9 run command={form="shell" line="a \\\\\\\\"@2:5} network="default" security="sandbox"',
      '3:1-3:6 run command={form="shell" line="b"@3:5} network="default" security="sandbox"',
    ],
  ],
  [
    'three do not either',
    'FROM alpine\nRUN a \\\\\\\nRUN b\n',
    [
      '1:1-1:12 from base="alpine"@1:6',
      '2:1-2:10 run command={form="shell" line="a \\\\\\\\\\\\"@2:5} network="default" security="sandbox"',
      '3:1-3:6 run command={form="shell" line="b"@3:5} network="default" security="sandbox"',
    ],
  ],
  [
    'comment inside a continuation',
    'FROM alpine\nRUN a \\\n# no\n b\n',
    [
      '1:1-1:12 from base="alpine"@1:6',
      '2:1-4:3 run command={form="shell" line="a  b"@2:5} network="default" security="sandbox"',
    ],
  ],
  [
    'indented comment inside a continuation',
    'FROM alpine\nRUN a \\\n   # no\n b\n',
    [
      '1:1-1:12 from base="alpine"@1:6',
      '2:1-4:3 run command={form="shell" line="a  b"@2:5} network="default" security="sandbox"',
    ],
  ],
  [
    'comment ends with the escape character',
    'FROM alpine\nRUN a \\\n# no \\\n b\n',
    [
      '1:1-1:12 from base="alpine"@1:6',
      '2:1-4:3 run command={form="shell" line="a  b"@2:5} network="default" security="sandbox"',
    ],
  ],
  [
    'empty line inside a continuation',
    'FROM alpine\nRUN a \\\n\n b\n',
    [
      '1:1-1:12 from base="alpine"@1:6',
      '2:1-4:3 run command={form="shell" line="a  b"@2:5} network="default" security="sandbox"',
    ],
  ],
  [
    'blank line inside a continuation',
    'FROM alpine\nRUN a \\\n  \t\n b\n',
    [
      '1:1-1:12 from base="alpine"@1:6',
      '2:1-4:3 run command={form="shell" line="a  b"@2:5} network="default" security="sandbox"',
    ],
  ],
  [
    'continuation at the end of the file',
    'FROM alpine\nRUN a \\',
    [
      '1:1-1:12 from base="alpine"@1:6',
      '2:1-2:8 run command={form="shell" line="a"@2:5} network="default" security="sandbox"',
    ],
  ],
  [
    'continuation and newline at the end',
    'FROM alpine\nRUN a \\\n',
    [
      '1:1-1:12 from base="alpine"@1:6',
      '2:1-2:8 run command={form="shell" line="a"@2:5} network="default" security="sandbox"',
    ],
  ],
  [
    'continuation into a comment at the end',
    'FROM alpine\nRUN a \\\n# x',
    [
      '1:1-1:12 from base="alpine"@1:6',
      '2:1-3:4 run command={form="shell" line="a"@2:5} network="default" security="sandbox"',
    ],
  ],
  [
    'three lines',
    'FROM alpine\nRUN a && \\\n    b && \\\n    c\n',
    [
      '1:1-1:12 from base="alpine"@1:6',
      '2:1-4:6 run command={form="shell" line="a &&     b &&     c"@2:5} network="default" security="sandbox"',
    ],
  ],
  [
    'hash inside a line',
    'FROM alpine\nRUN echo # not a comment\n',
    [
      '1:1-1:12 from base="alpine"@1:6',
      '2:1-2:25 run command={form="shell" line="echo # not a comment"@2:5} network="default" security="sandbox"',
    ],
  ],
  [
    'hash without space',
    'FROM alpine\nRUN echo #x\n',
    [
      '1:1-1:12 from base="alpine"@1:6',
      '2:1-2:12 run command={form="shell" line="echo #x"@2:5} network="default" security="sandbox"',
    ],
  ],
  ['comment with instruction', '# RUN ls\nFROM alpine\n', ['2:1-2:12 from base="alpine"@2:6']],
  ['only comments', '# a\n# b\n', ['invalid-dockerfile 1:1 file with no instructions (begin with FROM)']],
  ['empty file', '', ['invalid-dockerfile 1:1 file with no instructions (begin with FROM)']],
  ['only blank lines', '\n\n  \n', ['invalid-dockerfile 1:1 file with no instructions (begin with FROM)']],
  [
    'only an escape character',
    '\\',
    [
      'invalid-dockerfile 1:1 unknown instruction:  (there is ADD, ARG, CMD, COPY, ENTRYPOINT, ENV, EXPOSE, FROM, HEALTHCHECK, LABEL, MAINTAINER, ONBUILD, RUN, SHELL, STOPSIGNAL, USER, VOLUME, WORKDIR)',
    ],
  ],
  [
    'unknown instruction',
    'FROM alpine\nFOO bar\n',
    [
      'invalid-dockerfile 2:1 unknown instruction: FOO (there is ADD, ARG, CMD, COPY, ENTRYPOINT, ENV, EXPOSE, FROM, HEALTHCHECK, LABEL, MAINTAINER, ONBUILD, RUN, SHELL, STOPSIGNAL, USER, VOLUME, WORKDIR)',
    ],
  ],
  ['near to RUN', 'FROM alpine\nRUNN ls\n', ['invalid-dockerfile 2:1 unknown instruction: RUNN (did you mean RUN?)']],
  [
    'near to COPY',
    'FROM alpine\ncpoy a b\n',
    ['invalid-dockerfile 2:1 unknown instruction: cpoy (did you mean COPY?)'],
  ],
  [
    'near to WORKDIR',
    'FROM alpine\nWORKDIRR /x\n',
    ['invalid-dockerfile 2:1 unknown instruction: WORKDIRR (did you mean WORKDIR?)'],
  ],
  [
    'heredoc of an unknown instruction',
    'FROM alpine\nFOO <<EOF\nEOF\n',
    [
      'invalid-dockerfile 2:1 unknown instruction: FOO (there is ADD, ARG, CMD, COPY, ENTRYPOINT, ENV, EXPOSE, FROM, HEALTHCHECK, LABEL, MAINTAINER, ONBUILD, RUN, SHELL, STOPSIGNAL, USER, VOLUME, WORKDIR)',
    ],
  ],
  [
    'no FROM',
    'RUN ls\n',
    ['invalid-dockerfile 1:1 no build stage in current context (begin with FROM; only ARG may stand before it)'],
  ],
  ['only ARG', 'ARG a\n', ['invalid-dockerfile 1:1 dockerfile contains no stages to build (begin with FROM)']],
  [
    'ARG before FROM',
    'ARG a=1\nFROM alpine\n',
    ['1:1-1:8 arg args=[{key="a"@1:5 value="1"@1:7}]', '2:1-2:12 from base="alpine"@2:6'],
  ],
  [
    'ENV before FROM',
    'ENV a=1\nFROM alpine\n',
    ['invalid-dockerfile 1:1 no build stage in current context (begin with FROM; only ARG may stand before it)'],
  ],
  [
    "name that is an object's",
    'FROM alpine\nconstructor x\n',
    [
      'invalid-dockerfile 2:1 unknown instruction: constructor (there is ADD, ARG, CMD, COPY, ENTRYPOINT, ENV, EXPOSE, FROM, HEALTHCHECK, LABEL, MAINTAINER, ONBUILD, RUN, SHELL, STOPSIGNAL, USER, VOLUME, WORKDIR)',
    ],
  ],
  [
    "name that is an object's in upper case",
    'FROM alpine\n__proto__ x\n',
    [
      'invalid-dockerfile 2:1 unknown instruction: __proto__ (there is ADD, ARG, CMD, COPY, ENTRYPOINT, ENV, EXPOSE, FROM, HEALTHCHECK, LABEL, MAINTAINER, ONBUILD, RUN, SHELL, STOPSIGNAL, USER, VOLUME, WORKDIR)',
    ],
  ],
  [
    'NUL',
    'FROM alpine\nRUN a\u0000b\n',
    ['invalid-dockerfile 2:6 there is a NUL character in this instruction (a Dockerfile is plain text in UTF-8)'],
  ],
  ['NUL in a comment', '# a\u0000b\nFROM alpine\n', ['2:1-2:12 from base="alpine"@2:6']],
  [
    'unusual spaces',
    'FROM\u000balpine\nRUN\fls\n',
    [
      '1:1-1:12 from base="alpine"@1:6',
      '2:1-2:7 run command={form="shell" line="ls"@2:5} network="default" security="sandbox"',
    ],
  ],
  [
    'no-break space ends an argument',
    'FROM alpine\nUSER me\u00a0\n',
    ['1:1-1:12 from base="alpine"@1:6', '2:1-2:9 user value="me"@2:6'],
  ],
  [
    'letters beyond ASCII',
    'FROM alpine\nRUN echo é 😀 x\nUSER ü\n',
    [
      '1:1-1:12 from base="alpine"@1:6',
      '2:1-2:16 run command={form="shell" line="echo é 😀 x"@2:5} network="default" security="sandbox"',
      '3:1-3:7 user value="ü"@3:6',
    ],
  ],
  [
    'line separators are characters',
    'FROM alpine\nRUN a\u2028b\n',
    [
      '1:1-1:12 from base="alpine"@1:6',
      '2:1-2:8 run command={form="shell" line="a\u2028b"@2:5} network="default" security="sandbox"',
    ],
  ],
];
