// biome-ignore-all lint/suspicious/noTemplateCurlyInString: these are substitutions of a Dockerfile
import { describe, expect, it } from 'vitest';
import { parseDockerfile } from '../../../../src/build/dockerfile/parse.ts';
import { type Origin, type PlanOptions, planStages } from '../../../../src/build/dockerfile/stages.ts';
import { globalVariables, proxyVariables, StageVariables } from '../../../../src/build/dockerfile/variables.ts';

const PLATFORMS = {
  targetPlatform: { os: 'wasip1', architecture: 'wasm' },
  buildPlatform: { os: 'linux', architecture: 'arm64', variant: 'v8' },
};

const shown = (origin: Origin) =>
  origin.kind === 'stage' ? origin.index : origin.kind === 'scratch' ? 'scratch' : `${origin.kind}:${origin.name}`;

function plan(text: string, options: Partial<PlanOptions> = {}) {
  const { stages, needed, target } = planStages(parseDockerfile(text), { ...PLATFORMS, ...options });
  return {
    bases: stages.map(({ base }) => shown(base)),
    takes: stages.map(({ origins }) => [...origins.values()].flat().map(shown)),
    needed: needed.map(({ stage }) => stage.index),
    target: target.stage.index,
    platforms: stages.map(({ platform }) => platform),
  };
}

describe('the graph', () => {
  it.each([
    ['one stage', 'FROM alpine', {}, { bases: ['image:alpine'], needed: [0], target: 0 }],
    ['scratch', 'FROM scratch', {}, { bases: ['scratch'] }],
    ['a stage on a stage', 'FROM a AS x\nFROM x', {}, { bases: ['image:a', 0], needed: [0, 1] }],
    ['a stage not needed', 'FROM a AS x\nFROM b AS y\nFROM x', {}, { needed: [0, 2] }],
    ['target', 'FROM a AS x\nFROM b AS y', { target: 'x' }, { needed: [0], target: 0 }],
    ['target in capitals', 'FROM a AS x\nFROM b', { target: 'X' }, { target: 0 }],
    ['copy from a name', 'FROM a AS x\nFROM b\nCOPY --from=x /a /b', {}, { takes: [[], [0]], needed: [0, 1] }],
    ['copy from a name in capitals', 'FROM a AS x\nFROM b\nCOPY --from=X /a /b', {}, { takes: [[], [0]] }],
    ['copy from a number', 'FROM a\nFROM b\nCOPY --from=0 /a /b', {}, { takes: [[], [0]], needed: [0, 1] }],
    ['copy from an image', 'FROM b\nCOPY --from=nginx:1 /a /b', {}, { takes: [['image:nginx:1']], needed: [0] }],
    [
      'mount from a stage',
      'FROM a AS x\nFROM b\nRUN --mount=from=x,target=/x y',
      {},
      { takes: [[], [0]], needed: [0, 1] },
    ],
    ['mount from an image', 'FROM b\nRUN --mount=from=c,target=/x y', {}, { takes: [['image:c']] }],
    ['mount of the context', 'FROM b\nRUN --mount=target=/x y', {}, { takes: [[]] }],
    ['a name in capitals is an image', 'FROM a AS x\nFROM X', {}, { bases: ['image:a', 'image:X'] }],
    ['a stage of a later name is an image', 'FROM x\nFROM a AS x', {}, { bases: ['image:x', 'image:a'] }],
    ['the later of two of one name', 'FROM a AS x\nFROM b AS x\nFROM x', {}, { bases: ['image:a', 'image:b', 1] }],
    ['a stage named after its image', 'FROM a AS a\nFROM a', {}, { bases: ['image:a', 0] }],
    ['a diamond', 'FROM a AS w\nFROM w AS x\nFROM w AS y\nFROM x\nCOPY --from=y / /', {}, { needed: [0, 1, 2, 3] }],
    ['a context instead of an image', 'FROM a', { contexts: new Set(['a']) }, { bases: ['context:a'] }],
    [
      'a context instead of a stage',
      'FROM a AS x\nCOPY --from=n / /\nFROM b\nCOPY --from=x / /',
      { contexts: new Set(['x']) },
      { bases: ['context:x', 'image:b'], takes: [[], ['context:x']], needed: [1] },
    ],
    ['a variable', 'ARG V=3\nARG N=node:$V\nFROM $N', {}, { bases: ['image:node:3'] }],
    ['a variable given', 'ARG V=3\nFROM node:${V}', { buildArgs: { V: '4' } }, { bases: ['image:node:4'] }],
    ['a variable not declared', 'FROM node$V', { buildArgs: { V: '4' } }, { bases: ['image:node'] }],
    ['a default', 'FROM ${V:-alpine}', {}, { bases: ['image:alpine'] }],
    ['an ARG of a stage is not global', 'FROM a\nARG V=1\nFROM b$V', {}, { bases: ['image:a', 'image:b'] }],
    ['the stage of a variable', 'ARG S=x\nFROM a AS x\nFROM $S', {}, { bases: ['image:a', 0] }],
  ] as const)('%s', (_, text, options, expected) => expect(plan(text, options)).toMatchObject(expected));

  it('has no limit of its own on how many stages there are', () => {
    const text = Array.from({ length: 3000 }, (_, i) => `FROM ${i === 0 ? 'a' : `s${i - 1}`} AS s${i}`).join('\n');
    expect(plan(text).needed).toHaveLength(3000);
    expect(() => plan(`${text}\nCOPY --from=s2999 / /`)).toThrow('circular dependency');
  });
});

describe('platforms', () => {
  it.each([
    ['linux/arm64', { os: 'linux', architecture: 'arm64' }],
    ['$BUILDPLATFORM', { os: 'linux', architecture: 'arm64' }],
    ['$TARGETPLATFORM', { os: 'wasip1', architecture: 'wasm' }],
    ['arm64', { os: 'wasip1', architecture: 'arm64' }],
    ['linux', { os: 'linux', architecture: 'wasm' }],
    ['${NO:-wasi/wasm32}', { os: 'wasi', architecture: 'wasm32' }],
  ])('%s', (text, expected) => expect(plan(`FROM --platform=${text} a`).platforms).toEqual([expected]));
});

describe('what is refused', () => {
  it.each([
    ['a stage that copies from itself', 'FROM a AS x\nCOPY --from=x / /', 'circular dependency detected on stage: x'],
    [
      'a cycle of two',
      'FROM a AS x\nCOPY --from=y / /\nFROM b AS y\nCOPY --from=x / /',
      'circular dependency detected on stage: x',
    ],
    [
      'a stage that comes later',
      'FROM a AS x\nCOPY --from=y / /\nFROM b AS y',
      'cannot copy from stage "y", it needs to be defined before current stage "x"',
    ],
    ['a number too high', 'FROM a\nCOPY --from=1 / /', 'invalid stage index 1'],
    ['a negative number', 'FROM a\nCOPY --from=-1 / /', 'invalid stage index -1'],
    ['a variable in --from', 'ARG x\nFROM a\nCOPY --from=$x / /', 'variable expansion is not supported for --from'],
    ['an empty base', 'ARG x\nFROM $x', 'base name ($x) should not be blank'],
    ['an empty platform', 'FROM --platform=$TARGETPLATFROM a', 'empty platform value from expression $TARGETPLATFROM'],
    ['a platform that is none', 'FROM --platform=a/b/c/d x', '"a/b/c/d" is not a platform'],
    ['a quote not closed', 'FROM "a', 'failed to process'],
    ['a variable that has to be set', 'FROM "${x:?version}"', 'x: version'],
  ])('%s', (_, text, message) =>
    expect(() => plan(text)).toThrow(
      expect.objectContaining({ code: 'invalid-dockerfile', message: expect.stringContaining(message) }),
    ),
  );

  it('a target there is not, with the nearest', () => {
    expect(() => plan('FROM a AS build\nFROM b', { target: 'biuld' })).toThrow(
      expect.objectContaining({ code: 'not-found', hint: 'did you mean build?' }),
    );
  });
});

describe('variables', () => {
  const globals = (text: string, buildArgs = {}) =>
    Object.fromEntries(globalVariables(parseDockerfile(text), { ...PLATFORMS, buildArgs }));

  it('has those of the platform before the first FROM', () => {
    expect(globals('FROM a AS x')).toEqual({
      BUILDPLATFORM: 'linux/arm64/v8',
      BUILDOS: 'linux',
      BUILDOSVERSION: '',
      BUILDARCH: 'arm64',
      BUILDVARIANT: 'v8',
      TARGETPLATFORM: 'wasip1/wasm',
      TARGETOS: 'wasip1',
      TARGETOSVERSION: '',
      TARGETARCH: 'wasm',
      TARGETVARIANT: '',
      TARGETSTAGE: 'x',
    });
    expect(globals('FROM a', { TARGETARCH: 'x' })).toMatchObject({ TARGETARCH: 'x', TARGETSTAGE: 'default' });
    expect(Object.keys(globals('ARG toString\nFROM a'))).not.toContain('toString');
  });

  /** What a stage's ARG and ENV leave: `ENV`s are set as they are. */
  function stage(text: string, buildArgs: Record<string, string> = {}) {
    const file = parseDockerfile(text);
    const variables = new StageVariables(globalVariables(file, { ...PLATFORMS, buildArgs }), buildArgs, {
      values: [['PATH', '/bin']],
    });
    for (const instruction of file.stages[0]!.instructions) {
      if (instruction.kind === 'arg') variables.declare(instruction, file);
      if (instruction.kind !== 'env') continue;
      for (const { key, value } of instruction.pairs) variables.setEnv(key.text, value.text);
    }
    return variables;
  }

  it.each([
    ['a default', 'FROM a\nARG x=1', {}, { x: '1' }],
    ['no value', 'FROM a\nARG x', {}, {}],
    ['a build argument', 'FROM a\nARG x=1', { x: '2' }, { x: '2' }],
    ['an empty build argument', 'FROM a\nARG x=1', { x: '' }, { x: '' }],
    ['a build argument that is not declared', 'FROM a', { x: '2' }, {}],
    ['a global one', 'ARG x=g\nFROM a\nARG x', {}, { x: 'g' }],
    ['a global one not declared again', 'ARG x=g\nFROM a', {}, {}],
    ['its own default before the global one', 'ARG x=g\nFROM a\nARG x=o', {}, { x: 'o' }],
    ['one of the platform', 'FROM a\nARG TARGETOS', {}, { TARGETOS: 'wasip1' }],
    ['one that uses another', 'FROM a\nARG x=1\nARG y=$x$x', {}, { x: '1', y: '11' }],
    ['one that uses another of its line', 'FROM a\nARG x=1 y=${x}2', {}, { x: '1', y: '12' }],
    ['ENV after ARG', 'FROM a\nARG x=1\nENV x=2', {}, { x: '2' }],
    ['ARG after ENV', 'FROM a\nENV x=2\nARG x=1', {}, { x: '1' }],
    ['ARG of no value after ENV', 'FROM a\nENV x=2\nARG x', {}, { x: '2' }],
    ['a default that is given is not looked at', 'FROM a\nARG x=${y:?no}', { x: '1' }, { x: '1' }],
  ])('takes %s', (_, text, buildArgs, expected) => {
    expect(Object.fromEntries(stage(text, buildArgs).entries())).toEqual({ PATH: '/bin', ...expected });
  });

  it('hands them on to a stage built on this one', () => {
    const below = stage('FROM a\nARG x=1\nARG y');
    const child = below.child();
    child.setEnv('z', '1');
    expect([child.get('x'), below.get('z'), child.declared]).toEqual([
      '1',
      undefined,
      [
        { key: 'x', value: '1' },
        { key: 'y', value: undefined },
      ],
    ]);
  });

  it('knows the proxies', () => {
    expect(Object.fromEntries(proxyVariables({ HTTP_PROXY: 'p', no_proxy: 'n', x: 'y' }))).toEqual({
      ...{ HTTP_PROXY: 'p', http_proxy: 'p', NO_PROXY: 'n', no_proxy: 'n' },
    });
  });
});
