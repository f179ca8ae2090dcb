// biome-ignore-all lint/suspicious/noTemplateCurlyInString: these are Dockerfiles
/** What is read, and the place of every part: see test/support/dockerfile.ts for the form. */
export const CASES: readonly (readonly [name: string, text: string, expected: readonly string[]])[] = [
  [
    'shell',
    'FROM a\nRUN echo hi && ls\n',
    [
      '1:1-1:7 from base="a"@1:6',
      '2:1-2:18 run command={form="shell" line="echo hi && ls"@2:5} network="default" security="sandbox"',
    ],
  ],
  [
    'exec',
    'FROM a\nRUN ["echo", "hi there"]\n',
    [
      '1:1-1:7 from base="a"@1:6',
      '2:1-2:25 run command={form="exec" args=["echo"@2:6 "hi there"@2:14]} network="default" security="sandbox"',
    ],
  ],
  [
    'exec with escapes',
    'FROM a\nRUN ["a\\n", "\\u00e9", "\\"q\\""]\n',
    [
      '1:1-1:7 from base="a"@1:6',
      '2:1-2:31 run command={form="exec" args=["a\\n"@2:6 "é"@2:13 "\\"q\\""@2:23]} network="default" security="sandbox"',
    ],
  ],
  [
    'exec of nothing',
    'FROM a\nRUN []\n',
    ['1:1-1:7 from base="a"@1:6', '2:1-2:7 run command={form="exec"} network="default" security="sandbox"'],
  ],
  [
    'exec with spaces',
    'FROM a\nRUN [ "a" , "b" ]\n',
    [
      '1:1-1:7 from base="a"@1:6',
      '2:1-2:18 run command={form="exec" args=["a"@2:7 "b"@2:13]} network="default" security="sandbox"',
    ],
  ],
  [
    'exec with more behind',
    'FROM a\nRUN ["a"] b\n',
    [
      '1:1-1:7 from base="a"@1:6',
      '2:1-2:12 run command={form="shell" line="[\\"a\\"] b"@2:5} network="default" security="sandbox"',
    ],
  ],
  [
    'exec with single quotes',
    "FROM a\nRUN ['a']\n",
    [
      '1:1-1:7 from base="a"@1:6',
      '2:1-2:10 run command={form="shell" line="[\'a\']"@2:5} network="default" security="sandbox"',
    ],
  ],
  [
    'exec with numbers',
    'FROM a\nRUN ["a", 1]\n',
    [
      'invalid-dockerfile 2:5 when using JSON array syntax, arrays must be comprised of strings only (put every element in double quotes)',
    ],
  ],
  [
    'exec nested',
    'FROM a\nRUN ["a", ["b"]]\n',
    [
      'invalid-dockerfile 2:5 when using JSON array syntax, arrays must be comprised of strings only (put every element in double quotes)',
    ],
  ],
  [
    'exec with null',
    'FROM a\nRUN [null]\n',
    [
      'invalid-dockerfile 2:5 when using JSON array syntax, arrays must be comprised of strings only (put every element in double quotes)',
    ],
  ],
  [
    'test of a shell',
    'FROM a\nRUN [ -f x ] && y\n',
    [
      '1:1-1:7 from base="a"@1:6',
      '2:1-2:18 run command={form="shell" line="[ -f x ] && y"@2:5} network="default" security="sandbox"',
    ],
  ],
  [
    'nothing',
    'FROM a\nRUN\n',
    [
      '1:1-1:7 from base="a"@1:6',
      '2:1-2:4 run command={form="shell" line=""@2:4} network="default" security="sandbox"',
    ],
  ],
  [
    'quotes stay',
    'FROM a\nRUN echo "a b" \'c\'\n',
    [
      '1:1-1:7 from base="a"@1:6',
      '2:1-2:19 run command={form="shell" line="echo \\"a b\\" \'c\'"@2:5} network="default" security="sandbox"',
    ],
  ],
  [
    'network',
    'FROM a\nRUN --network=none x\n',
    [
      '1:1-1:7 from base="a"@1:6',
      '2:1-2:21 run command={form="shell" line="x"@2:20} network="none" security="sandbox"',
    ],
  ],
  [
    'network host',
    'FROM a\nRUN --network=host x\n',
    [
      '1:1-1:7 from base="a"@1:6',
      '2:1-2:21 run command={form="shell" line="x"@2:20} network="host" security="sandbox"',
    ],
  ],
  [
    'network of another name',
    'FROM a\nRUN --network=nnoe x\n',
    ['invalid-dockerfile 2:15 invalid network mode "nnoe" (did you mean none?)'],
  ],
  [
    'security',
    'FROM a\nRUN --security=insecure x\n',
    [
      '1:1-1:7 from base="a"@1:6',
      '2:1-2:26 run command={form="shell" line="x"@2:25} network="default" security="insecure"',
    ],
  ],
  [
    'security of another name',
    'FROM a\nRUN --security=x y\n',
    ['invalid-dockerfile 2:16 security "x" is not valid (there is sandbox, insecure)'],
  ],
  [
    'bind',
    'FROM a\nRUN --mount=target=/x y\n',
    [
      '1:1-1:7 from base="a"@1:6',
      '2:1-2:24 run command={form="shell" line="y"@2:23} mounts=[{written="target=/x"@2:13 mount={type="bind" target="/x" readOnly}}] network="default" security="sandbox"',
    ],
  ],
  [
    'bind from',
    'FROM a\nRUN --mount=type=bind,from=b,source=/s,target=/t,rw y\n',
    [
      '1:1-1:7 from base="a"@1:6',
      '2:1-2:54 run command={form="shell" line="y"@2:53} mounts=[{written="type=bind,from=b,source=/s,target=/t,rw"@2:13 mount={type="bind" from="b" source="/s" target="/t"}}] network="default" security="sandbox"',
    ],
  ],
  [
    'cache',
    'FROM a\nRUN --mount=type=cache,id=i,target=/c,sharing=locked,mode=0700,uid=1,gid=2 y\n',
    [
      '1:1-1:7 from base="a"@1:6',
      '2:1-2:77 run command={form="shell" line="y"@2:76} mounts=[{written="type=cache,id=i,target=/c,sharing=locked,mode=0700,uid=1,gid=2"@2:13 mount={type="cache" target="/c" id="i" sharing="locked" mode=448 uid=1 gid=2}}] network="default" security="sandbox"',
    ],
  ],
  [
    'tmpfs',
    'FROM a\nRUN --mount=type=tmpfs,target=/t,size=64m y\n',
    [
      '1:1-1:7 from base="a"@1:6',
      '2:1-2:44 run command={form="shell" line="y"@2:43} mounts=[{written="type=tmpfs,target=/t,size=64m"@2:13 mount={type="tmpfs" target="/t" sizeBytes=67108864}}] network="default" security="sandbox"',
    ],
  ],
  [
    'secret',
    'FROM a\nRUN --mount=type=secret,id=k,required y\n',
    [
      '1:1-1:7 from base="a"@1:6',
      '2:1-2:40 run command={form="shell" line="y"@2:39} mounts=[{written="type=secret,id=k,required"@2:13 mount={type="secret" readOnly id="k" required}}] network="default" security="sandbox"',
    ],
  ],
  [
    'secret as variable',
    'FROM a\nRUN --mount=type=secret,id=k,env=K y\n',
    [
      '1:1-1:7 from base="a"@1:6',
      '2:1-2:37 run command={form="shell" line="y"@2:36} mounts=[{written="type=secret,id=k,env=K"@2:13 mount={type="secret" readOnly id="k" env="K"}}] network="default" security="sandbox"',
    ],
  ],
  [
    'secret with target',
    'FROM a\nRUN --mount=type=secret,id=k,dst=/k,mode=0400 y\n',
    [
      '1:1-1:7 from base="a"@1:6',
      '2:1-2:48 run command={form="shell" line="y"@2:47} mounts=[{written="type=secret,id=k,dst=/k,mode=0400"@2:13 mount={type="secret" target="/k" readOnly id="k" mode=256}}] network="default" security="sandbox"',
    ],
  ],
  [
    'ssh',
    'FROM a\nRUN --mount=type=ssh y\n',
    [
      '1:1-1:7 from base="a"@1:6',
      '2:1-2:23 run command={form="shell" line="y"@2:22} mounts=[{written="type=ssh"@2:13 mount={type="ssh" readOnly}}] network="default" security="sandbox"',
    ],
  ],
  [
    'type in capitals',
    'FROM a\nRUN --mount=TYPE=CACHE,target=/c y\n',
    [
      '1:1-1:7 from base="a"@1:6',
      '2:1-2:35 run command={form="shell" line="y"@2:34} mounts=[{written="TYPE=CACHE,target=/c"@2:13 mount={type="cache" target="/c"}}] network="default" security="sandbox"',
    ],
  ],
  [
    'mount with quotes',
    'FROM a\nRUN --mount=\'type=bind,"source=a,b",target=/t\' y\n',
    [
      '1:1-1:7 from base="a"@1:6',
      '2:1-2:49 run command={form="shell" line="y"@2:48} mounts=[{written="type=bind,\\"source=a,b\\",target=/t"@2:5 mount={type="bind" source="a,b" target="/t" readOnly}}] network="default" security="sandbox"',
    ],
  ],
  [
    'mount with a variable',
    'FROM a\nARG T\nRUN --mount=type=cache,target=$T y\n',
    [
      '1:1-1:7 from base="a"@1:6',
      '2:1-2:6 arg args=[{key="T"@2:5}]',
      '3:1-3:35 run command={form="shell" line="y"@3:34} mounts=[{written="type=cache,target=$T"@3:13}] network="default" security="sandbox"',
    ],
  ],
  [
    'mount from a variable',
    'FROM a\nRUN --mount=from=$x,target=/t y\n',
    [
      "invalid-dockerfile 2:13 'from' doesn't support variable expansion, define alias stage instead (write FROM ${IMAGE} AS name above, and from=name here)",
    ],
  ],
  [
    'two mounts',
    'FROM a\nRUN --mount=target=/a --mount=target=/b y\n',
    [
      '1:1-1:7 from base="a"@1:6',
      '2:1-2:42 run command={form="shell" line="y"@2:41} mounts=[{written="target=/a"@2:13 mount={type="bind" target="/a" readOnly}} {written="target=/b"@2:31 mount={type="bind" target="/b" readOnly}}] network="default" security="sandbox"',
    ],
  ],
  [
    'unknown type',
    'FROM a\nRUN --mount=type=bnid,target=/t y\n',
    ['invalid-dockerfile 2:13 unsupported mount type "bnid" (did you mean bind?)'],
  ],
  [
    'unknown key',
    'FROM a\nRUN --mount=type=cache,tarlet=/t y\n',
    ["invalid-dockerfile 2:13 unexpected key 'tarlet' in 'tarlet=/t' (did you mean target?)"],
  ],
  [
    'key without value',
    'FROM a\nRUN --mount=target y\n',
    ["invalid-dockerfile 2:13 invalid field 'target' must be a key=value pair"],
  ],
  [
    'sharing of another type',
    'FROM a\nRUN --mount=target=/t,sharing=shared y\n',
    ['invalid-dockerfile 2:13 invalid cache sharing set for bind mount'],
  ],
  [
    'unknown sharing',
    'FROM a\nRUN --mount=type=cache,target=/t,sharing=x y\n',
    ['invalid-dockerfile 2:13 unsupported sharing value "x" (there is shared, private, locked)'],
  ],
  [
    'size of a bind',
    'FROM a\nRUN --mount=target=/t,size=1 y\n',
    ["invalid-dockerfile 2:13 unexpected key 'size' for mount type 'bind'"],
  ],
  [
    'size that is none',
    'FROM a\nRUN --mount=type=tmpfs,target=/t,size=x y\n',
    ['invalid-dockerfile 2:13 invalid value for size: x'],
  ],
  [
    'mode of a bind',
    'FROM a\nRUN --mount=target=/t,mode=1 y\n',
    ['invalid-dockerfile 2:13 mode not allowed for "bind" type mounts'],
  ],
  [
    'mode that is none',
    'FROM a\nRUN --mount=type=cache,target=/t,mode=9 y\n',
    ['invalid-dockerfile 2:13 invalid value 9 for mode'],
  ],
  [
    'uid that is none',
    'FROM a\nRUN --mount=type=cache,target=/t,uid=x y\n',
    ['invalid-dockerfile 2:13 invalid value x for uid'],
  ],
  [
    'secret of nothing',
    'FROM a\nRUN --mount=type=secret y\n',
    ['invalid-dockerfile 2:13 invalid secret mount. one of source, target required'],
  ],
  [
    'secret with source and id',
    'FROM a\nRUN --mount=type=secret,source=a,id=b y\n',
    ["invalid-dockerfile 2:13 both source and id can't be set"],
  ],
  [
    'secret from',
    'FROM a\nRUN --mount=type=secret,id=a,from=b y\n',
    ['invalid-dockerfile 2:13 secret mount should not have a from'],
  ],
  [
    'required bind',
    'FROM a\nRUN --mount=target=/t,required y\n',
    ["invalid-dockerfile 2:13 unexpected key 'required' for mount type 'bind'"],
  ],
  [
    'mount without value',
    'FROM a\nRUN --mount y\n',
    ['invalid-dockerfile 2:5 missing a value on flag: --mount (write --mount=VALUE)'],
  ],
  [
    'mount of nothing',
    'FROM a\nRUN --mount= y\n',
    [
      'invalid-dockerfile 2:13 failed to parse csv mounts: nothing is there (write --mount=type=bind,source=…,target=…)',
    ],
  ],
  [
    'quote not closed',
    "FROM a\nRUN --mount='\"a' y\n",
    [
      'invalid-dockerfile 2:5 failed to parse csv mounts: a quote is not closed (write --mount=type=bind,source=…,target=…)',
    ],
  ],
  ['unknown flag', 'FROM a\nRUN --mout=x y\n', ['invalid-dockerfile 2:5 unknown flag: --mout (did you mean --mount?)']],
];
