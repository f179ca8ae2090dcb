// biome-ignore-all lint/suspicious/noTemplateCurlyInString: these are Dockerfiles
/** What is read, and the place of every part: see test/support/dockerfile.ts for the form. */
export const CASES: readonly (readonly [name: string, text: string, expected: readonly string[]])[] = [
  ['name', 'FROM alpine AS build\n', ['1:1-1:21 from base="alpine"@1:6 as="AS"@1:13 stageName="build"@1:16']],
  ['lower as', 'FROM alpine as build\n', ['1:1-1:21 from base="alpine"@1:6 as="as"@1:13 stageName="build"@1:16']],
  [
    'name in capitals',
    'FROM alpine AS Build\n',
    ['1:1-1:21 from base="alpine"@1:6 as="AS"@1:13 stageName="Build"@1:16'],
  ],
  ['scratch', 'FROM scratch\n', ['1:1-1:13 from base="scratch"@1:6']],
  [
    'digest',
    'FROM alpine@sha256:0123456789012345678901234567890123456789012345678901234567890123\n',
    ['1:1-1:84 from base="alpine@sha256:0123456789012345678901234567890123456789012345678901234567890123"@1:6'],
  ],
  ['registry and port', 'FROM localhost:5000/a/b:c\n', ['1:1-1:26 from base="localhost:5000/a/b:c"@1:6']],
  [
    'platform',
    'FROM --platform=linux/arm64 alpine\n',
    ['1:1-1:35 from base="alpine"@1:29 platform="linux/arm64"@1:17'],
  ],
  [
    'platform of a variable',
    'FROM --platform=$BUILDPLATFORM alpine AS b\n',
    ['1:1-1:43 from base="alpine"@1:32 as="AS"@1:39 stageName="b"@1:42 platform="$BUILDPLATFORM"@1:17'],
  ],
  [
    'platform in quotes',
    'FROM --platform="linux/amd64" alpine\n',
    ['1:1-1:37 from base="alpine"@1:31 platform="linux/amd64"@1:6'],
  ],
  [
    'variable',
    'ARG V=1\nFROM alpine:${V:-2} AS b\n',
    [
      '1:1-1:8 arg args=[{key="V"@1:5 value="1"@1:7}]',
      '2:1-2:25 from base="alpine:${V:-2}"@2:6 as="AS"@2:21 stageName="b"@2:24',
    ],
  ],
  [
    'no argument',
    'FROM\n',
    ['invalid-dockerfile 1:1 FROM requires either one or three arguments (write FROM image, or FROM image AS name)'],
  ],
  [
    'two arguments',
    'FROM alpine b\n',
    ['invalid-dockerfile 1:13 FROM requires either one or three arguments (write FROM image, or FROM image AS name)'],
  ],
  [
    'as without name',
    'FROM alpine AS\n',
    ['invalid-dockerfile 1:13 FROM requires either one or three arguments (write FROM image, or FROM image AS name)'],
  ],
  [
    'four arguments',
    'FROM alpine AS b c\n',
    ['invalid-dockerfile 1:13 FROM requires either one or three arguments (write FROM image, or FROM image AS name)'],
  ],
  [
    'not as',
    'FROM alpine IS b\n',
    ['invalid-dockerfile 1:13 FROM requires either one or three arguments (write FROM image, or FROM image AS name)'],
  ],
  [
    'name begins with a digit',
    'FROM alpine AS 1b\n',
    [
      'invalid-dockerfile 1:16 invalid name for build stage: "1b", name can\'t start with a number or contain symbols (use a letter, then letters, digits and - _ .)',
    ],
  ],
  [
    'name with a symbol',
    'FROM alpine AS b/c\n',
    [
      'invalid-dockerfile 1:16 invalid name for build stage: "b/c", name can\'t start with a number or contain symbols (use a letter, then letters, digits and - _ .)',
    ],
  ],
  [
    'name with dots',
    'FROM alpine AS a.b-c_d\n',
    ['1:1-1:23 from base="alpine"@1:6 as="AS"@1:13 stageName="a.b-c_d"@1:16'],
  ],
  ['unknown flag', 'FROM --foo=x alpine\n', ['invalid-dockerfile 1:6 unknown flag: --foo (there is --platform)']],
  [
    'flag near to platform',
    'FROM --platfrom=x alpine\n',
    ['invalid-dockerfile 1:6 unknown flag: --platfrom (did you mean --platform?)'],
  ],
  [
    'flag without value',
    'FROM --platform alpine\n',
    ['invalid-dockerfile 1:6 missing a value on flag: --platform (write --platform=VALUE)'],
  ],
  [
    'flag twice',
    'FROM --platform=a --platform=b alpine\n',
    ['invalid-dockerfile 1:19 duplicate flag specified: --platform (give it once)'],
  ],
  [
    'flag behind',
    'FROM alpine --platform=a\n',
    ['invalid-dockerfile 1:13 FROM requires either one or three arguments (write FROM image, or FROM image AS name)'],
  ],
  [
    'two stages',
    'FROM a AS x\nRUN 1\nFROM x\nRUN 2\n',
    [
      '1:1-1:12 from base="a"@1:6 as="AS"@1:8 stageName="x"@1:11',
      '2:1-2:6 run command={form="shell" line="1"@2:5} network="default" security="sandbox"',
      '3:1-3:7 from base="x"@3:6',
      '4:1-4:6 run command={form="shell" line="2"@4:5} network="default" security="sandbox"',
    ],
  ],
  [
    'same name twice',
    'FROM a AS x\nFROM b AS x\n',
    [
      '1:1-1:12 from base="a"@1:6 as="AS"@1:8 stageName="x"@1:11',
      '2:1-2:12 from base="b"@2:6 as="AS"@2:8 stageName="x"@2:11',
    ],
  ],
];
