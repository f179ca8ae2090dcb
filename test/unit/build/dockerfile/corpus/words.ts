// biome-ignore-all lint/suspicious/noTemplateCurlyInString: these are Dockerfiles
/** What is read, and the place of every part: see test/support/dockerfile.ts for the form. */
export const CASES: readonly (readonly [name: string, text: string, expected: readonly string[]])[] = [
  ['user', 'FROM a\nUSER me\n', ['1:1-1:7 from base="a"@1:6', '2:1-2:8 user value="me"@2:6']],
  ['user and group', 'FROM a\nUSER 1000:1000\n', ['1:1-1:7 from base="a"@1:6', '2:1-2:15 user value="1000:1000"@2:6']],
  [
    'user nothing',
    'FROM a\nUSER\n',
    ['invalid-dockerfile 2:1 USER requires exactly one argument (write USER name, or USER uid:gid)'],
  ],
  ['user with spaces', 'FROM a\nUSER a b\n', ['1:1-1:7 from base="a"@1:6', '2:1-2:9 user value="a b"@2:6']],
  ['user flag', 'FROM a\nUSER --x a\n', ['invalid-dockerfile 2:6 unknown flag: --x (this instruction has no flags)']],
  ['workdir', 'FROM a\nWORKDIR /a b/c\n', ['1:1-1:7 from base="a"@1:6', '2:1-2:15 workdir value="/a b/c"@2:9']],
  ['workdir variable', 'FROM a\nWORKDIR /$a\n', ['1:1-1:7 from base="a"@1:6', '2:1-2:12 workdir value="/$a"@2:9']],
  [
    'workdir nothing',
    'FROM a\nWORKDIR\n',
    ['invalid-dockerfile 2:1 WORKDIR requires exactly one argument (write WORKDIR /path)'],
  ],
  [
    'stopsignal',
    'FROM a\nSTOPSIGNAL SIGTERM\n',
    ['1:1-1:7 from base="a"@1:6', '2:1-2:19 stopsignal value="SIGTERM"@2:12'],
  ],
  [
    'stopsignal nothing',
    'FROM a\nSTOPSIGNAL\n',
    ['invalid-dockerfile 2:1 STOPSIGNAL requires exactly one argument (write STOPSIGNAL SIGTERM)'],
  ],
  [
    'maintainer',
    'FROM a\nMAINTAINER Me <me@example.com>\n',
    ['1:1-1:7 from base="a"@1:6', '2:1-2:31 maintainer value="Me <me@example.com>"@2:12'],
  ],
  [
    'expose',
    'FROM a\nEXPOSE 80 443/tcp 8000-8001/udp\n',
    ['1:1-1:7 from base="a"@1:6', '2:1-2:32 expose values=["80"@2:8 "443/tcp"@2:11 "8000-8001/udp"@2:19]'],
  ],
  [
    'expose nothing',
    'FROM a\nEXPOSE\n',
    ['invalid-dockerfile 2:1 EXPOSE requires at least one argument (write EXPOSE 8080, or EXPOSE 53/udp)'],
  ],
  ['volume', 'FROM a\nVOLUME /a /b\n', ['1:1-1:7 from base="a"@1:6', '2:1-2:13 volume values=["/a"@2:8 "/b"@2:11]']],
  [
    'volume json',
    'FROM a\nVOLUME ["/a b", " /c "]\n',
    ['1:1-1:7 from base="a"@1:6', '2:1-2:24 volume values=["/a b"@2:9 "/c"@2:17]'],
  ],
  [
    'volume empty',
    'FROM a\nVOLUME ["/a", ""]\n',
    ['invalid-dockerfile 2:15 VOLUME specified can not be an empty string (write VOLUME /path)'],
  ],
  [
    'volume nothing',
    'FROM a\nVOLUME\n',
    ['invalid-dockerfile 2:1 VOLUME requires at least one argument (write VOLUME /path)'],
  ],
  [
    'onbuild',
    'FROM a\nONBUILD RUN x\n',
    [
      '1:1-1:7 from base="a"@1:6',
      '2:1-2:14 onbuild trigger=<2:9-2:14 run command={form="shell" line="x"@2:13} network="default" security="sandbox"> expression="RUN x"',
    ],
  ],
  [
    'onbuild in small letters',
    'FROM a\nonbuild run x\n',
    [
      '1:1-1:7 from base="a"@1:6',
      '2:1-2:14 onbuild trigger=<2:9-2:14 run command={form="shell" line="x"@2:13} network="default" security="sandbox"> expression="run x"',
    ],
  ],
  [
    'onbuild copy',
    'FROM a\nONBUILD COPY --from=b c d\n',
    [
      '1:1-1:7 from base="a"@1:6',
      '2:1-2:26 onbuild trigger=<2:9-2:26 copy sources=["c"@2:23] destination="d"@2:25 from="b"@2:21> expression="COPY --from=b c d"',
    ],
  ],
  [
    'onbuild nothing',
    'FROM a\nONBUILD\n',
    ['invalid-dockerfile 2:1 ONBUILD requires at least one argument (write ONBUILD COPY . /app)'],
  ],
  [
    'onbuild onbuild',
    'FROM a\nONBUILD ONBUILD RUN x\n',
    [
      "invalid-dockerfile 2:9 Chaining ONBUILD via `ONBUILD ONBUILD` isn't allowed (write the inner instruction after one ONBUILD)",
    ],
  ],
  [
    'onbuild from',
    'FROM a\nONBUILD FROM b\n',
    [
      "invalid-dockerfile 2:9 FROM isn't allowed as an ONBUILD trigger (use any instruction but FROM, MAINTAINER and ONBUILD)",
    ],
  ],
  [
    'onbuild maintainer',
    'FROM a\nONBUILD MAINTAINER b\n',
    [
      "invalid-dockerfile 2:9 MAINTAINER isn't allowed as an ONBUILD trigger (use any instruction but FROM, MAINTAINER and ONBUILD)",
    ],
  ],
  [
    'onbuild unknown',
    'FROM a\nONBUILD RNU x\n',
    ['invalid-dockerfile 2:9 unknown instruction: RNU (did you mean RUN?)'],
  ],
  [
    'onbuild wrong inside',
    'FROM a\nONBUILD ENV x\n',
    ['invalid-dockerfile 2:13 ENV must have two arguments (write ENV key=value)'],
  ],
  [
    'onbuild over lines',
    'FROM a\nONBUILD RUN a \\\n  b\n',
    [
      '1:1-1:7 from base="a"@1:6',
      '2:1-3:4 onbuild trigger=<2:9-3:4 run command={form="shell" line="a   b"@2:13} network="default" security="sandbox"> expression="RUN a   b"',
    ],
  ],
];
