// biome-ignore-all lint/suspicious/noTemplateCurlyInString: these are Dockerfiles
/** What is read, and the place of every part: see test/support/dockerfile.ts for the form. */
export const CASES: readonly (readonly [name: string, text: string, expected: readonly string[]])[] = [
  [
    'run',
    'FROM a\nRUN <<EOF\necho 1\necho 2\nEOF\nRUN x\n',
    [
      '1:1-1:7 from base="a"@1:6',
      '2:1-5:4 run command={form="shell" line="<<EOF"@2:5} heredocs=[{name="EOF" expands raw="echo 1\\necho 2\\n" content="echo 1\\necho 2\\n"}] network="default" security="sandbox"',
      '6:1-6:6 run command={form="shell" line="x"@6:5} network="default" security="sandbox"',
    ],
  ],
  [
    'run with interpreter',
    'FROM a\nRUN <<EOF python3\nprint(1)\nEOF\n',
    [
      '1:1-1:7 from base="a"@1:6',
      '2:1-4:4 run command={form="shell" line="<<EOF python3"@2:5} heredocs=[{name="EOF" expands raw="print(1)\\n" content="print(1)\\n"}] network="default" security="sandbox"',
    ],
  ],
  [
    'run with shebang',
    'FROM a\nRUN <<EOF\n#!/bin/x\n1\nEOF\n',
    [
      '1:1-1:7 from base="a"@1:6',
      '2:1-5:4 run command={form="shell" line="<<EOF"@2:5} heredocs=[{name="EOF" expands raw="#!/bin/x\\n1\\n" content="#!/bin/x\\n1\\n"}] network="default" security="sandbox"',
    ],
  ],
  [
    'empty',
    'FROM a\nRUN <<EOF\nEOF\n',
    [
      '1:1-1:7 from base="a"@1:6',
      '2:1-3:4 run command={form="shell" line="<<EOF"@2:5} heredocs=[{name="EOF" expands}] network="default" security="sandbox"',
    ],
  ],
  [
    'tabs stay',
    'FROM a\nRUN <<EOF\n\ta\n\tEOF\nEOF\n',
    [
      '1:1-1:7 from base="a"@1:6',
      '2:1-5:4 run command={form="shell" line="<<EOF"@2:5} heredocs=[{name="EOF" expands raw="\\ta\\n\\tEOF\\n" content="\\ta\\n\\tEOF\\n"}] network="default" security="sandbox"',
    ],
  ],
  [
    'tabs go',
    'FROM a\nRUN <<-EOF\n\ta\n\t\tb\n\tEOF\n',
    [
      '1:1-1:7 from base="a"@1:6',
      '2:1-5:5 run command={form="shell" line="<<-EOF"@2:5} heredocs=[{name="EOF" expands stripsTabs raw="\\ta\\n\\t\\tb\\n" content="a\\nb\\n"}] network="default" security="sandbox"',
    ],
  ],
  [
    'spaces stay',
    'FROM a\nRUN <<-EOF\n  a\nEOF\n',
    [
      '1:1-1:7 from base="a"@1:6',
      '2:1-4:4 run command={form="shell" line="<<-EOF"@2:5} heredocs=[{name="EOF" expands stripsTabs raw="  a\\n" content="  a\\n"}] network="default" security="sandbox"',
    ],
  ],
  [
    'single quotes',
    "FROM a\nRUN <<'EOF'\n$a\nEOF\n",
    [
      '1:1-1:7 from base="a"@1:6',
      '2:1-4:4 run command={form="shell" line="<<\'EOF\'"@2:5} heredocs=[{name="EOF" raw="$a\\n" content="$a\\n"}] network="default" security="sandbox"',
    ],
  ],
  [
    'double quotes',
    'FROM a\nRUN <<"EOF"\n$a\nEOF\n',
    [
      '1:1-1:7 from base="a"@1:6',
      '2:1-4:4 run command={form="shell" line="<<\\"EOF\\""@2:5} heredocs=[{name="EOF" raw="$a\\n" content="$a\\n"}] network="default" security="sandbox"',
    ],
  ],
  [
    'part in quotes',
    "FROM a\nRUN <<E'O'F\n$a\nEOF\n",
    [
      '1:1-1:7 from base="a"@1:6',
      '2:1-4:4 run command={form="shell" line="<<E\'O\'F"@2:5} heredocs=[{name="EOF" raw="$a\\n" content="$a\\n"}] network="default" security="sandbox"',
    ],
  ],
  [
    'name with a space',
    "FROM a\nRUN <<'a b'\nx\na b\n",
    [
      '1:1-1:7 from base="a"@1:6',
      '2:1-4:4 run command={form="shell" line="<<\'a b\'"@2:5} heredocs=[{name="a b" raw="x\\n" content="x\\n"}] network="default" security="sandbox"',
    ],
  ],
  [
    'descriptor',
    'FROM a\nRUN 3<<EOF x\n1\nEOF\n',
    [
      '1:1-1:7 from base="a"@1:6',
      '2:1-4:4 run command={form="shell" line="3<<EOF x"@2:5} heredocs=[{name="EOF" expands descriptor=3 raw="1\\n" content="1\\n"}] network="default" security="sandbox"',
    ],
  ],
  [
    'space before the name',
    'FROM a\nRUN <<  EOF  > x\n1\nEOF\n',
    [
      '1:1-1:7 from base="a"@1:6',
      '2:1-4:4 run command={form="shell" line="<<  EOF  > x"@2:5} heredocs=[{name="EOF" expands raw="1\\n" content="1\\n"}] network="default" security="sandbox"',
    ],
  ],
  [
    'two',
    'FROM a\nRUN cat <<A <<B\n1\nA\n2\nB\n',
    [
      '1:1-1:7 from base="a"@1:6',
      '2:1-6:2 run command={form="shell" line="cat <<A <<B"@2:5} heredocs=[{name="A" expands raw="1\\n" content="1\\n"} {name="B" expands raw="2\\n" content="2\\n"}] network="default" security="sandbox"',
    ],
  ],
  [
    'one inside another',
    'FROM a\nRUN cat <<A <<B\nB\nA\nA\nB\n',
    [
      '1:1-1:7 from base="a"@1:6',
      '2:1-6:2 run command={form="shell" line="cat <<A <<B"@2:5} heredocs=[{name="A" expands raw="B\\n" content="B\\n"} {name="B" expands raw="A\\n" content="A\\n"}] network="default" security="sandbox"',
    ],
  ],
  [
    'not closed',
    'FROM a\nRUN <<EOF\n1\n',
    ['invalid-dockerfile 2:1 unterminated heredoc (end it with a line that holds "EOF" alone)'],
  ],
  [
    'closing line with a space',
    'FROM a\nRUN <<EOF\nEOF \n',
    ['invalid-dockerfile 2:1 unterminated heredoc (end it with a line that holds "EOF" alone)'],
  ],
  [
    'carriage returns',
    'FROM a\r\nRUN <<EOF\r\na\r\nEOF\r\nRUN x\r\n',
    [
      '1:1-1:7 from base="a"@1:6',
      '2:1-4:4 run command={form="shell" line="<<EOF"@2:5} heredocs=[{name="EOF" expands raw="a\\r\\n" content="a\\r\\n"}] network="default" security="sandbox"',
      '5:1-5:6 run command={form="shell" line="x"@5:5} network="default" security="sandbox"',
    ],
  ],
  [
    'comments inside are content',
    'FROM a\nRUN <<EOF\n# a\nEOF\n',
    [
      '1:1-1:7 from base="a"@1:6',
      '2:1-4:4 run command={form="shell" line="<<EOF"@2:5} heredocs=[{name="EOF" expands raw="# a\\n" content="# a\\n"}] network="default" security="sandbox"',
    ],
  ],
  [
    'continuation inside is content',
    'FROM a\nRUN <<EOF\na \\\nEOF\n',
    [
      '1:1-1:7 from base="a"@1:6',
      '2:1-4:4 run command={form="shell" line="<<EOF"@2:5} heredocs=[{name="EOF" expands raw="a \\\\\\n" content="a \\\\\\n"}] network="default" security="sandbox"',
    ],
  ],
  [
    'json has none',
    'FROM a\nRUN ["<<EOF"]\nRUN x\n',
    [
      '1:1-1:7 from base="a"@1:6',
      '2:1-2:14 run command={form="exec" args=["<<EOF"@2:6]} network="default" security="sandbox"',
      '3:1-3:6 run command={form="shell" line="x"@3:5} network="default" security="sandbox"',
    ],
  ],
  [
    'in quotes it is none',
    'FROM a\nRUN echo "<<EOF"\nRUN x\n',
    [
      '1:1-1:7 from base="a"@1:6',
      '2:1-2:17 run command={form="shell" line="echo \\"<<EOF\\""@2:5} network="default" security="sandbox"',
      '3:1-3:6 run command={form="shell" line="x"@3:5} network="default" security="sandbox"',
    ],
  ],
  [
    'three signs',
    'FROM a\nRUN cat <<<EOF\nRUN x\n',
    [
      '1:1-1:7 from base="a"@1:6',
      '2:1-2:15 run command={form="shell" line="cat <<<EOF"@2:5} network="default" security="sandbox"',
      '3:1-3:6 run command={form="shell" line="x"@3:5} network="default" security="sandbox"',
    ],
  ],
  [
    'quotes that do not match',
    "FROM a\nRUN echo 'a <<EOF\nRUN x\n",
    [
      '1:1-1:7 from base="a"@1:6',
      '2:1-2:18 run command={form="shell" line="echo \'a <<EOF"@2:5} network="default" security="sandbox"',
      '3:1-3:6 run command={form="shell" line="x"@3:5} network="default" security="sandbox"',
    ],
  ],
  [
    'copy',
    'FROM a\nCOPY <<EOF /x\n1\nEOF\n',
    ['1:1-1:7 from base="a"@1:6', '2:1-4:4 copy heredocs=[{name="EOF" content="1\\n" expands}] destination="/x"@2:12'],
  ],
  [
    'copy two',
    'FROM a\nCOPY <<a.txt <<b.txt /x/\n1\na.txt\n2\nb.txt\n',
    [
      '1:1-1:7 from base="a"@1:6',
      '2:1-6:6 copy heredocs=[{name="a.txt" content="1\\n" expands} {name="b.txt" content="2\\n" expands}] destination="/x/"@2:22',
    ],
  ],
  [
    'copy with a file',
    'FROM a\nCOPY f <<g /x/\n1\ng\n',
    [
      '1:1-1:7 from base="a"@1:6',
      '2:1-4:2 copy sources=["f"@2:6] heredocs=[{name="g" content="1\\n" expands}] destination="/x/"@2:12',
    ],
  ],
  [
    'copy in quotes',
    'FROM a\nCOPY <<"EOF" /x\n$a\nEOF\n',
    ['1:1-1:7 from base="a"@1:6', '2:1-4:4 copy heredocs=[{name="EOF" content="$a\\n"}] destination="/x"@2:14'],
  ],
  [
    'copy tabs go',
    'FROM a\nCOPY <<-EOF /x\n\t1\n\tEOF\n',
    ['1:1-1:7 from base="a"@1:6', '2:1-4:5 copy heredocs=[{name="EOF" content="1\\n" expands}] destination="/x"@2:13'],
  ],
  [
    'copy to a heredoc',
    'FROM a\nCOPY a <<EOF\nEOF\n',
    ['invalid-dockerfile 2:8 COPY cannot accept a heredoc as a destination (put the destination last)'],
  ],
  [
    'copy with a space',
    'FROM a\nCOPY << EOF /x\nEOF\n',
    ['invalid-dockerfile 2:1 COPY needs the name of a heredoc right behind its <<, without spaces (write <<NAME)'],
  ],
  [
    'copy with chmod',
    'FROM a\nCOPY --chmod=755 <<EOF /x\n1\nEOF\n',
    [
      '1:1-1:7 from base="a"@1:6',
      '2:1-4:4 copy heredocs=[{name="EOF" content="1\\n" expands}] destination="/x"@2:24 chmod="755"@2:14',
    ],
  ],
  [
    'add',
    'FROM a\nADD <<EOF /x\n1\nEOF\n',
    ['1:1-1:7 from base="a"@1:6', '2:1-4:4 add heredocs=[{name="EOF" content="1\\n" expands}] destination="/x"@2:11'],
  ],
  [
    'onbuild run',
    'FROM a\nONBUILD RUN <<EOF\n1\nEOF\nRUN x\n',
    [
      '1:1-1:7 from base="a"@1:6',
      '2:1-4:4 onbuild trigger=<2:9-4:4 run command={form="shell" line="<<EOF"@2:13} heredocs=[{name="EOF" expands raw="1\\n" content="1\\n"}] network="default" security="sandbox"> expression="RUN <<EOF\\n1\\nEOF"',
      '5:1-5:6 run command={form="shell" line="x"@5:5} network="default" security="sandbox"',
    ],
  ],
  [
    'onbuild copy',
    'FROM a\nONBUILD COPY <<EOF /x\n1\nEOF\n',
    [
      '1:1-1:7 from base="a"@1:6',
      '2:1-4:4 onbuild trigger=<2:9-4:4 copy heredocs=[{name="EOF" content="1\\n" expands}] destination="/x"@2:20> expression="COPY <<EOF /x\\n1\\nEOF"',
    ],
  ],
  [
    'env has none',
    'FROM a\nENV a=<<EOF\nRUN x\n',
    [
      '1:1-1:7 from base="a"@1:6',
      '2:1-2:12 env pairs=[{key="a"@2:5 value="<<EOF"@2:7}]',
      '3:1-3:6 run command={form="shell" line="x"@3:5} network="default" security="sandbox"',
    ],
  ],
  [
    'cmd has none',
    'FROM a\nCMD cat <<EOF\nRUN x\n',
    [
      '1:1-1:7 from base="a"@1:6',
      '2:1-2:14 cmd command={form="shell" line="cat <<EOF"@2:5}',
      '3:1-3:6 run command={form="shell" line="x"@3:5} network="default" security="sandbox"',
    ],
  ],
  [
    'substring of a shell',
    'FROM a\nRUN echo ${x:0:3} <<EOF\n1\nEOF\n',
    [
      '1:1-1:7 from base="a"@1:6',
      '2:1-4:4 run command={form="shell" line="echo ${x:0:3} <<EOF"@2:5} heredocs=[{name="EOF" expands raw="1\\n" content="1\\n"}] network="default" security="sandbox"',
    ],
  ],
  [
    'with mounts',
    'FROM a\nRUN --mount=type=cache,target=/c <<EOF\n1\nEOF\n',
    [
      '1:1-1:7 from base="a"@1:6',
      '2:1-4:4 run command={form="shell" line="<<EOF"@2:34} heredocs=[{name="EOF" expands raw="1\\n" content="1\\n"}] mounts=[{written="type=cache,target=/c"@2:13 mount={type="cache" target="/c"}}] network="default" security="sandbox"',
    ],
  ],
  [
    'over lines',
    'FROM a\nRUN a \\\n  <<EOF && b\n1\nEOF\n',
    [
      '1:1-1:7 from base="a"@1:6',
      '2:1-5:4 run command={form="shell" line="a   <<EOF && b"@2:5} heredocs=[{name="EOF" expands raw="1\\n" content="1\\n"}] network="default" security="sandbox"',
    ],
  ],
];
