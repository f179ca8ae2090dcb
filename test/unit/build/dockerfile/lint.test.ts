// biome-ignore-all lint/suspicious/noTemplateCurlyInString: these are substitutions of a Dockerfile
import { describe, expect, it } from 'vitest';
import { parseLintConfig } from '../../../../src/build/dockerfile/lint/config.ts';
import { type LintOptions, lintDockerfile } from '../../../../src/build/dockerfile/lint/lint.ts';
import { LINT_RULES } from '../../../../src/build/dockerfile/lint/rules.ts';
import { suggestion } from '../../../../src/build/dockerfile/lint/suggest.ts';
import { IgnoreMatcher } from '../../../../src/build/ignore/ignore-matcher.ts';

const PLATFORM = { os: 'linux', architecture: 'amd64' };
const OPTIONS: LintOptions = {
  targetPlatform: PLATFORM,
  buildPlatform: PLATFORM,
  baseImage: () => ({ env: ['LANG=C'], hasShell: false }),
};

const lint = (text: string, options: Partial<LintOptions> = {}) =>
  lintDockerfile(text, { ...OPTIONS, ...options }).warnings.map(({ rule, line, message }) => [
    rule.name,
    line,
    message,
  ]);

describe('the rules', () => {
  it.each([
    ['FROM a AS Build', 'StageNameCasing', 1, "Stage name 'Build' should be lowercase"],
    ['FROM a as build', 'FromAsCasing', 1, "'as' and 'FROM' keywords' casing do not match"],
    ['from a AS build', 'FromAsCasing', 1, "'AS' and 'from' keywords' casing do not match"],
    ['FROM a\nRUN x \\\n\n y', 'NoEmptyContinuation', 4, 'Empty continuation line'],
    ['FROM a\nRUN x \\\n\n <<E\n1\nE', 'NoEmptyContinuation', 4, 'Empty continuation line'],
    [
      'FROM a\nCopy a b',
      'ConsistentInstructionCasing',
      2,
      "Command 'Copy' should match the case of the command majority (uppercase)",
    ],
    [
      'from a\nrun x\nRUN y',
      'ConsistentInstructionCasing',
      3,
      "Command 'RUN' should match the case of the command majority (lowercase)",
    ],
    [
      'FROM a\nrun x',
      'ConsistentInstructionCasing',
      2,
      "Command 'run' should match the case of the command majority (uppercase)",
    ],
    ['FROM a AS x\nFROM b AS x', 'DuplicateStageName', 2, 'Duplicate stage name "x", stage names should be unique'],
    [
      'FROM a AS scratch',
      'ReservedStageName',
      1,
      'Stage name should not use the same name as reserved stage "scratch"',
    ],
    [
      'FROM a AS context',
      'ReservedStageName',
      1,
      'Stage name should not use the same name as reserved stage "context"',
    ],
    [
      'FROM a\nCMD x',
      'JSONArgsRecommended',
      2,
      'JSON arguments recommended for CMD to prevent unintended behavior related to OS signals',
    ],
    [
      'FROM a\nENTRYPOINT x',
      'JSONArgsRecommended',
      2,
      'JSON arguments recommended for ENTRYPOINT to prevent unintended behavior related to OS signals',
    ],
    [
      'FROM a\nMAINTAINER me',
      'MaintainerDeprecated',
      2,
      'Maintainer instruction is deprecated in favor of using label',
    ],
    ['FROM a$x', 'UndefinedArgInFrom', 1, "FROM argument 'x' is not declared"],
    [
      'ARG VERSION=1\nFROM a:1$VERSIOM',
      'UndefinedArgInFrom',
      2,
      "FROM argument 'VERSIOM' is not declared (did you mean VERSION?)",
    ],
    [
      'FROM a\nWORKDIR x',
      'WorkdirRelativePath',
      2,
      'Relative workdir "x" can have unexpected results if the base image changes',
    ],
    ['FROM a\nCOPY $x /', 'UndefinedVar', 2, "Usage of undefined variable '$x'"],
    [
      'FROM a\nENV NAME=1\nCOPY $NAMES /',
      'UndefinedVar',
      3,
      "Usage of undefined variable '$NAMES' (did you mean $NAME?)",
    ],
    ['FROM a\nARG x=$y', 'UndefinedVar', 2, "Usage of undefined variable '$y'"],
    ['FROM a\nCOPY <<E /\n$x\nE', 'UndefinedVar', 2, "Usage of undefined variable '$x'"],
    [
      'FROM a\nCMD ["x"]\nCMD ["y"]',
      'MultipleInstructionsDisallowed',
      2,
      'Multiple CMD instructions should not be used in the same stage because only the last one will be used',
    ],
    [
      'FROM a\nHEALTHCHECK NONE\nRUN x\nHEALTHCHECK NONE',
      'MultipleInstructionsDisallowed',
      2,
      'Multiple HEALTHCHECK instructions should not be used in the same stage because only the last one will be used',
    ],
    [
      'FROM a\nENV x y',
      'LegacyKeyValueFormat',
      2,
      '"ENV key=value" should be used instead of legacy "ENV key value" format',
    ],
    [
      'FROM a\nLABEL x y',
      'LegacyKeyValueFormat',
      2,
      '"LABEL key=value" should be used instead of legacy "LABEL key value" format',
    ],
    [
      'FROM --platform=$TARGETPLATFORM a',
      'RedundantTargetPlatform',
      1,
      'Setting platform to predefined $TARGETPLATFORM in FROM is redundant as this is the default behavior',
    ],
    [
      'FROM a\nENV AWS_TOKEN=x',
      'SecretsUsedInArgOrEnv',
      2,
      'Do not use ARG or ENV instructions for sensitive data (ENV "AWS_TOKEN")',
    ],
    [
      'FROM a\nARG password',
      'SecretsUsedInArgOrEnv',
      2,
      'Do not use ARG or ENV instructions for sensitive data (ARG "password")',
    ],
    [
      'ARG T\nFROM a:$T',
      'InvalidDefaultArgInFrom',
      2,
      'Default value for ARG a:$T results in empty or invalid base image name',
    ],
    [
      'FROM --platform=linux/amd64 a',
      'FromPlatformFlagConstDisallowed',
      1,
      'FROM --platform flag should not use constant value "linux/amd64"',
    ],
    [
      'FROM a\nEXPOSE 80/TCP',
      'ExposeProtoCasing',
      2,
      "Defined protocol '80/TCP' in EXPOSE instruction should be lowercase",
    ],
    [
      'FROM a\nEXPOSE 1:2',
      'ExposeInvalidFormat',
      2,
      "EXPOSE instruction should not define an IP address or host-port mapping, found '1:2'",
    ],
  ])('%s', (text, rule, line, message) => expect(lint(text)).toEqual([[rule, line, message]]));

  it.each([
    'FROM a AS build',
    'from a as build',
    'From a as build\nFrom b',
    'FROM a\nSHELL ["x"]\nCMD y',
    'FROM a\nARG x\nCOPY $x /',
    'FROM a\nCOPY $LANG $PATH /',
    'FROM a\nRUN echo $x',
    'FROM a\nWORKDIR /x\nWORKDIR y',
    'FROM a AS x\nWORKDIR /x\nFROM x\nWORKDIR y',
    'FROM a AS x\nCMD ["x"]\nFROM x\nCMD ["y"]',
    'FROM a AS x\nENV y=1\nFROM x\nCOPY $y /',
    'FROM a\nENV PUBLIC_KEY=x TOKEN_FILE=y AUTHOR=z KEYBOARD=q',
    'FROM --platform=$BUILDPLATFORM a',
    'FROM --platform=linux/amd64 a AS build-amd64',
    'ARG T=1\nFROM a:$T',
    'FROM scratch',
    'FROM a\nEXPOSE 80/tcp 90',
    'FROM a\nRUN x \\\n# y\n z',
  ])('have nothing to say about %s', (text) => {
    const found = lint(text).filter(([rule]) => rule !== 'ConsistentInstructionCasing');
    expect(found).toEqual([]);
  });

  it('are named, described and linked as docker does', () => {
    expect(Object.keys(LINT_RULES)).toHaveLength(21);
    expect(Object.values(LINT_RULES).map(({ url }) => url.split('/').at(-2))).toEqual([
      ...['stage-name-casing', 'from-as-casing', 'no-empty-continuation', 'consistent-instruction-casing'],
      ...['duplicate-stage-name', 'reserved-stage-name', 'json-args-recommended', 'maintainer-deprecated'],
      ...['undefined-arg-in-from', 'workdir-relative-path', 'undefined-var', 'multiple-instructions-disallowed'],
      ...['legacy-key-value-format', 'redundant-target-platform', 'secrets-used-in-arg-or-env'],
      ...['invalid-default-arg-in-from', 'from-platform-flag-const-disallowed', 'copy-ignored-file'],
      ...['invalid-definition-description', 'expose-proto-casing', 'expose-invalid-format'],
    ]);
  });
});

describe('descriptions', () => {
  const experimental = (text: string) => lint(`# check=experimental=InvalidDefinitionDescription\n${text}`);
  it.each([
    ['\n# what it is\nFROM a AS build', 'Comment for FROM should follow the format: `# build <description>`'],
    ['\n# what it is\nARG x=1\nFROM a', 'Comment for ARG should follow the format: `# x <description>`'],
    ['FROM a\n# what\nARG x y', 'Comment for ARG should follow the format: `# <arg_key> <description>`'],
  ])('%s', (text, message) => expect(experimental(text).map(([, , said]) => said)).toEqual([message]));

  it.each([
    '\n# build what it is\nFROM a AS build',
    '\n# what\nFROM a',
    '\n# what\n#\nFROM a AS b',
    'FROM a\n# y the y\nARG x y',
  ])('not %s', (text) => expect(experimental(text)).toEqual([]));

  it('are looked at only when asked for', () => expect(lint('\n# what it is\nFROM a AS build')).toEqual([]));
});

describe('what is ignored and copied', () => {
  const ignored = (...patterns: string[]) => ({ ignored: new IgnoreMatcher(patterns) });
  it.each([
    ['COPY a.log /', ['*.log'], ['Attempting to Copy file "a.log" that is excluded by .dockerignore']],
    ['ADD ./a.log /', ['*.log'], ['Attempting to Add file "a.log" that is excluded by .dockerignore']],
    ['COPY x/y b /', ['x'], ['Attempting to Copy file "x/y" that is excluded by .dockerignore']],
    ['COPY . /', ['*'], ['Attempting to Copy file "." that is excluded by .dockerignore']],
    ['COPY . /', ['**'], ['Attempting to Copy file "." that is excluded by .dockerignore']],
    ['COPY . /', ['*.log'], []],
    ['COPY a.log /', ['*.log', '!x'], []],
    ['COPY --from=b a.log /', ['*.log'], []],
    ['ADD https://x/a.log /', ['*'], []],
    ['COPY <<a.log /\na.log', ['*.log'], []],
  ])('%s', (line, patterns, expected) => {
    expect(lint(`FROM a\n${line}`, ignored(...patterns)).map(([, , message]) => message)).toEqual(expected);
  });
});

describe('the configuration', () => {
  const bad = 'FROM a as X\nMAINTAINER me\n';
  const names = (text: string) => lint(text).map(([rule]) => rule);
  it.each([
    [bad, ['StageNameCasing', 'FromAsCasing', 'MaintainerDeprecated']],
    [`# check=skip=all\n${bad}`, []],
    [`# check=skip=FromAsCasing,StageNameCasing\n${bad}`, ['MaintainerDeprecated']],
    [`# check=skip=FromAsCasing, StageNameCasing\n${bad}`, ['StageNameCasing', 'MaintainerDeprecated']],
    [`# syntax=x\n# check=skip=FromAsCasing;error=true\n${bad}`, ['StageNameCasing', 'MaintainerDeprecated']],
    ['FROM a\n# check=skip=MaintainerDeprecated\nMAINTAINER me\n', []],
    ['FROM a\n# check=skip=all\nCMD x\nENTRYPOINT y\n', ['JSONArgsRecommended']],
    ['FROM a\n# check=nonsense\nCMD x\n', ['JSONArgsRecommended']],
  ])('%s', (text, expected) => expect(names(text)).toEqual(expected));

  it('makes warnings fail the build', () => {
    expect(lintDockerfile(`# check=error=true\n${bad}`, OPTIONS).isViolation).toBe(true);
    expect(lintDockerfile('# check=error=true\nFROM a\n', OPTIONS).isViolation).toBe(false);
    expect(lintDockerfile(bad, OPTIONS).isViolation).toBe(false);
    expect(lint(bad, { config: parseLintConfig('skip=all') })).toEqual([]);
  });

  it.each(['skip', 'foo=bar', 'error=maybe', 'skip=a;', 'error=true;skip=x;experimental=all;a=b'])(
    'refuses %s',
    (text) => {
      if (text.startsWith('error=true;')) expect(parseLintConfig(text).isError).toBe(true);
      else expect(() => parseLintConfig(text)).toThrow(/check option/);
    },
  );
});

describe('what stops the build', () => {
  it('comes with the warnings found before it', () => {
    const { warnings, error } = lintDockerfile('FROM a AS Bad\nMAINTAINER me\nBADCMD\n', OPTIONS);
    expect(warnings.map(({ rule }) => rule.name)).toEqual(['StageNameCasing', 'MaintainerDeprecated']);
    expect(error?.message).toBe('dockerfile parse error on line 3: unknown instruction: BADCMD');
  });

  it('is found in every stage, or in those of the target', () => {
    const text = 'FROM a AS x\nEXPOSE foo\nFROM b AS y\nMAINTAINER me\n';
    expect(lintDockerfile(text, OPTIONS).error?.message).toMatch('invalid containerPort: foo');
    expect(lintDockerfile(text, { ...OPTIONS, target: 'y' }).error).toBeUndefined();
  });

  it('is no undefined variable where the base image is not known', () => {
    const unknown = { baseImage: () => undefined };
    expect(lint('FROM a\nCOPY $x /', unknown)).toEqual([]);
    expect(lint('FROM scratch\nCOPY $x /', unknown)).toHaveLength(1);
  });
});

it.each([
  ['abc', ['abd', 'xyz'], 'abd'],
  ['abc', ['abc', 'abd'], undefined],
  ['abc', ['xyz'], undefined],
  ['a', ['b', 'c'], 'b'],
  ['HTTPS', ['HTTP', 'HTTPSS'], 'HTTP'],
  ['x'.repeat(300), ['y'], undefined],
])('suggests for %s of %j: %s', (name, known, expected) => expect(suggestion(name, known)).toBe(expected));
