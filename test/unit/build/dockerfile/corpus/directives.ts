// biome-ignore-all lint/suspicious/noTemplateCurlyInString: these are Dockerfiles
/** What is read, and the place of every part: see test/support/dockerfile.ts for the form. */
export const CASES: readonly (readonly [name: string, text: string, expected: readonly string[]])[] = [
  ['syntax', '# syntax=docker/dockerfile:1\nFROM alpine\n', ['2:1-2:12 from base="alpine"@2:6']],
  [
    'escape',
    '# escape=`\nFROM alpine\nRUN a `\n b\n',
    [
      '2:1-2:12 from base="alpine"@2:6',
      '3:1-4:3 run command={form="shell" line="a  b"@3:5} network="default" security="sandbox"',
    ],
  ],
  [
    'escape with spaces',
    '#  escape  =  `  \nFROM alpine\nRUN a `\n b\n',
    [
      '2:1-2:12 from base="alpine"@2:6',
      '3:1-4:3 run command={form="shell" line="a  b"@3:5} network="default" security="sandbox"',
    ],
  ],
  [
    'escape in capitals',
    '# ESCAPE=`\nFROM alpine\nRUN a `\n b\n',
    [
      '2:1-2:12 from base="alpine"@2:6',
      '3:1-4:3 run command={form="shell" line="a  b"@3:5} network="default" security="sandbox"',
    ],
  ],
  [
    'backslash is no escape then',
    '# escape=`\nFROM alpine\nCOPY a \\\nRUN b\n',
    [
      '2:1-2:12 from base="alpine"@2:6',
      '3:1-3:9 copy sources=["a"@3:6] destination="\\\\"@3:8',
      '4:1-4:6 run command={form="shell" line="b"@4:5} network="default" security="sandbox"',
    ],
  ],
  [
    'windows paths',
    '# escape=`\nFROM alpine\nCOPY a.txt c:\\\\\nRUN dir c:\\\n',
    [
      '2:1-2:12 from base="alpine"@2:6',
      '3:1-3:16 copy sources=["a.txt"@3:6] destination="c:\\\\\\\\"@3:12',
      '4:1-4:12 run command={form="shell" line="dir c:\\\\"@4:5} network="default" security="sandbox"',
    ],
  ],
  [
    'escape after syntax',
    '# syntax=x\n# escape=`\nFROM alpine\nRUN a `\n b\n',
    [
      '3:1-3:12 from base="alpine"@3:6',
      '4:1-5:3 run command={form="shell" line="a  b"@4:5} network="default" security="sandbox"',
    ],
  ],
  [
    'escape after a comment',
    '# hello\n# escape=`\nFROM alpine\nRUN a `\nRUN b\n',
    [
      '3:1-3:12 from base="alpine"@3:6',
      '4:1-4:8 run command={form="shell" line="a `"@4:5} network="default" security="sandbox"',
      '5:1-5:6 run command={form="shell" line="b"@5:5} network="default" security="sandbox"',
    ],
  ],
  [
    'escape after a blank line',
    '\n# escape=`\nFROM alpine\nRUN a `\nRUN b\n',
    [
      '3:1-3:12 from base="alpine"@3:6',
      '4:1-4:8 run command={form="shell" line="a `"@4:5} network="default" security="sandbox"',
      '5:1-5:6 run command={form="shell" line="b"@5:5} network="default" security="sandbox"',
    ],
  ],
  [
    'escape after FROM',
    'FROM alpine\n# escape=`\nRUN a `\nRUN b\n',
    [
      '1:1-1:12 from base="alpine"@1:6',
      '3:1-3:8 run command={form="shell" line="a `"@3:5} network="default" security="sandbox"',
      '4:1-4:6 run command={form="shell" line="b"@4:5} network="default" security="sandbox"',
    ],
  ],
  [
    'escape twice',
    '# escape=`\n# escape=`\nFROM alpine\n',
    ['invalid-dockerfile 2:1 only one escape parser directive can be used'],
  ],
  [
    'escape of something else',
    '# escape=x\nFROM alpine\n',
    [
      "invalid-dockerfile 1:1 invalid escape token 'x' does not match ` or \\ (write # escape=` or leave the directive out)",
    ],
  ],
  [
    'unknown directive ends them',
    '# foo=bar\n# escape=`\nFROM alpine\nRUN a `\nRUN b\n',
    [
      '3:1-3:12 from base="alpine"@3:6',
      '4:1-4:8 run command={form="shell" line="a `"@4:5} network="default" security="sandbox"',
      '5:1-5:6 run command={form="shell" line="b"@5:5} network="default" security="sandbox"',
    ],
  ],
  ['check', '# check=skip=all;error=true\nFROM alpine\n', ['2:1-2:12 from base="alpine"@2:6']],
  [
    'indented directive',
    '  # escape=`\nFROM alpine\nRUN a `\n b\n',
    [
      '2:1-2:12 from base="alpine"@2:6',
      '3:1-4:3 run command={form="shell" line="a  b"@3:5} network="default" security="sandbox"',
    ],
  ],
  [
    'escape with carriage return',
    '# escape=`\r\nFROM alpine\r\nRUN a `\r\n b\r\n',
    [
      '2:1-2:12 from base="alpine"@2:6',
      '3:1-4:3 run command={form="shell" line="a  b"@3:5} network="default" security="sandbox"',
    ],
  ],
  [
    'directive with a byte order mark',
    '\ufeff# escape=`\nFROM alpine\nRUN a `\n b\n',
    [
      '2:1-2:12 from base="alpine"@2:6',
      '3:1-4:3 run command={form="shell" line="a  b"@3:5} network="default" security="sandbox"',
    ],
  ],
  [
    'shebang ends them',
    '#!/usr/bin/env x\n# escape=`\nFROM alpine\nRUN a `\nRUN b\n',
    [
      '3:1-3:12 from base="alpine"@3:6',
      '4:1-4:8 run command={form="shell" line="a `"@4:5} network="default" security="sandbox"',
      '5:1-5:6 run command={form="shell" line="b"@5:5} network="default" security="sandbox"',
    ],
  ],
  [
    'no space',
    '#escape=`\nFROM alpine\nRUN a `\n b\n',
    [
      '2:1-2:12 from base="alpine"@2:6',
      '3:1-4:3 run command={form="shell" line="a  b"@3:5} network="default" security="sandbox"',
    ],
  ],
];
