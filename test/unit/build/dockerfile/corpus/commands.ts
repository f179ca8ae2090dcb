// biome-ignore-all lint/suspicious/noTemplateCurlyInString: these are Dockerfiles
/** What is read, and the place of every part: see test/support/dockerfile.ts for the form. */
export const CASES: readonly (readonly [name: string, text: string, expected: readonly string[]])[] = [
  [
    'cmd exec',
    'FROM a\nCMD ["a", "b"]\n',
    ['1:1-1:7 from base="a"@1:6', '2:1-2:15 cmd command={form="exec" args=["a"@2:6 "b"@2:11]}'],
  ],
  [
    'cmd shell',
    'FROM a\nCMD a "b c"\n',
    ['1:1-1:7 from base="a"@1:6', '2:1-2:12 cmd command={form="shell" line="a \\"b c\\""@2:5}'],
  ],
  ['cmd nothing', 'FROM a\nCMD\n', ['1:1-1:7 from base="a"@1:6', '2:1-2:4 cmd command={form="shell" line=""@2:4}']],
  ['cmd empty', 'FROM a\nCMD []\n', ['1:1-1:7 from base="a"@1:6', '2:1-2:7 cmd command={form="exec"}']],
  ['cmd flag', 'FROM a\nCMD --x a\n', ['invalid-dockerfile 2:5 unknown flag: --x (this instruction has no flags)']],
  [
    'entrypoint exec',
    'FROM a\nENTRYPOINT ["a"]\n',
    ['1:1-1:7 from base="a"@1:6', '2:1-2:17 entrypoint command={form="exec" args=["a"@2:13]}'],
  ],
  [
    'entrypoint shell',
    'FROM a\nENTRYPOINT exec a\n',
    ['1:1-1:7 from base="a"@1:6', '2:1-2:18 entrypoint command={form="shell" line="exec a"@2:12}'],
  ],
  [
    'entrypoint empty',
    'FROM a\nENTRYPOINT []\n',
    ['1:1-1:7 from base="a"@1:6', '2:1-2:14 entrypoint command={form="exec"}'],
  ],
  [
    'shell',
    'FROM a\nSHELL ["/bin/bash", "-c"]\n',
    ['1:1-1:7 from base="a"@1:6', '2:1-2:26 shell values=["/bin/bash"@2:8 "-c"@2:21]'],
  ],
  [
    'shell without json',
    'FROM a\nSHELL /bin/bash -c\n',
    ['invalid-dockerfile 2:1 SHELL requires the arguments to be in JSON form (write SHELL ["/bin/sh", "-c"])'],
  ],
  [
    'shell empty',
    'FROM a\nSHELL []\n',
    ['invalid-dockerfile 2:1 SHELL requires at least one argument (write SHELL ["/bin/sh", "-c"])'],
  ],
  [
    'shell nothing',
    'FROM a\nSHELL\n',
    ['invalid-dockerfile 2:1 SHELL requires at least one argument (write SHELL ["/bin/sh", "-c"])'],
  ],
  ['healthcheck none', 'FROM a\nHEALTHCHECK NONE\n', ['1:1-1:7 from base="a"@1:6', '2:1-2:17 healthcheck']],
  [
    'healthcheck none in small letters',
    'FROM a\nHEALTHCHECK none\n',
    ['1:1-1:7 from base="a"@1:6', '2:1-2:17 healthcheck'],
  ],
  [
    'healthcheck none with more',
    'FROM a\nHEALTHCHECK NONE x\n',
    [
      'invalid-dockerfile 2:18 HEALTHCHECK NONE takes no arguments (write HEALTHCHECK CMD command, or HEALTHCHECK NONE)',
    ],
  ],
  [
    'healthcheck shell',
    'FROM a\nHEALTHCHECK CMD curl -f x\n',
    ['1:1-1:7 from base="a"@1:6', '2:1-2:26 healthcheck command={form="shell" line="curl -f x"@2:17}'],
  ],
  [
    'healthcheck exec',
    'FROM a\nHEALTHCHECK CMD ["curl", "x"]\n',
    ['1:1-1:7 from base="a"@1:6', '2:1-2:30 healthcheck command={form="exec" args=["curl"@2:18 "x"@2:26]}'],
  ],
  [
    'healthcheck flags',
    'FROM a\nHEALTHCHECK --interval=1m30s --timeout=500ms --start-period=2s --start-interval=1s --retries=3 CMD x\n',
    [
      '1:1-1:7 from base="a"@1:6',
      '2:1-2:101 healthcheck command={form="shell" line="x"@2:100} times={interval=90000000000 timeout=500000000 startPeriod=2000000000 startInterval=1000000000 retries=3}',
    ],
  ],
  [
    'healthcheck odd duration',
    'FROM a\nHEALTHCHECK --interval=1.5h30us CMD x\n',
    [
      '1:1-1:7 from base="a"@1:6',
      '2:1-2:38 healthcheck command={form="shell" line="x"@2:37} times={interval=5400000030000}',
    ],
  ],
  [
    'healthcheck zero',
    'FROM a\nHEALTHCHECK --interval=0 CMD x\n',
    ['1:1-1:7 from base="a"@1:6', '2:1-2:31 healthcheck command={form="shell" line="x"@2:30}'],
  ],
  [
    'healthcheck too short',
    'FROM a\nHEALTHCHECK --interval=1us CMD x\n',
    ['invalid-dockerfile 2:24 Interval "interval" cannot be less than 1ms (write 30s or 500ms)'],
  ],
  [
    'healthcheck no duration',
    'FROM a\nHEALTHCHECK --timeout=5 CMD x\n',
    ['invalid-dockerfile 2:23 time: invalid duration "5" (write 30s, 1m30s or 500ms)'],
  ],
  [
    'healthcheck negative retries',
    'FROM a\nHEALTHCHECK --retries=-1 CMD x\n',
    ['invalid-dockerfile 2:23 --retries cannot be negative (-1) (write --retries=3)'],
  ],
  [
    'healthcheck retries that are none',
    'FROM a\nHEALTHCHECK --retries=x CMD x\n',
    ['invalid-dockerfile 2:23 --retries is no whole number: "x" (write --retries=3)'],
  ],
  [
    'healthcheck other type',
    'FROM a\nHEALTHCHECK RUN x\n',
    [
      'invalid-dockerfile 2:13 Unknown type "RUN" in HEALTHCHECK (try CMD) (write HEALTHCHECK CMD command, or HEALTHCHECK NONE)',
    ],
  ],
  [
    'healthcheck without command',
    'FROM a\nHEALTHCHECK CMD\n',
    [
      'invalid-dockerfile 2:13 Missing command after HEALTHCHECK CMD (write HEALTHCHECK CMD command, or HEALTHCHECK NONE)',
    ],
  ],
  [
    'healthcheck nothing',
    'FROM a\nHEALTHCHECK\n',
    [
      'invalid-dockerfile 2:1 HEALTHCHECK requires at least one argument (write HEALTHCHECK CMD command, or HEALTHCHECK NONE)',
    ],
  ],
  [
    'healthcheck flag that is near',
    'FROM a\nHEALTHCHECK --intervall=1s CMD x\n',
    ['invalid-dockerfile 2:13 unknown flag: --intervall (did you mean --interval?)'],
  ],
];
