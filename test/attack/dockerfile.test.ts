// biome-ignore-all lint/suspicious/noTemplateCurlyInString: these are substitutions of a Dockerfile
/** Dockerfiles and .dockerignore files made to hang, to grow or to crash whoever reads them. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { expandInstruction } from '../../src/build/dockerfile/expand.ts';
import { lintDockerfile } from '../../src/build/dockerfile/lint/lint.ts';
import { parseDockerfile } from '../../src/build/dockerfile/parse.ts';
import type { Span } from '../../src/build/dockerfile/source.ts';
import { planStages } from '../../src/build/dockerfile/stages.ts';
import { globalVariables, StageVariables } from '../../src/build/dockerfile/variables.ts';
import { IgnoreMatcher, parseIgnoreFile } from '../../src/build/ignore/ignore-matcher.ts';
import { isWctrError } from '../../src/errors.ts';

const PLATFORM = { os: 'linux', architecture: 'amd64' };
const OPTIONS = { targetPlatform: PLATFORM, buildPlatform: PLATFORM };
/** Far above what any of these takes, far below what the same costs squared. */
const BOUND_MS = 20_000;

/** What is made of a text by everything that reads it: the code it is refused with, or `taken`. */
function outcome(text: string | Uint8Array): string {
  try {
    const file = parseDockerfile(text);
    if (file.source.text.length < 10_000) checkPlaces(file.source.text.length, [file.globalArgs, file.stages]);
    const { stages } = planStages(file, OPTIONS);
    for (const { stage } of stages) {
      const variables = new StageVariables(globalVariables(file, OPTIONS), {});
      for (const instruction of stage.instructions) {
        if (instruction.kind === 'arg') variables.declare(instruction, file);
        const { instruction: expanded } = expandInstruction(instruction, variables, file);
        if (expanded.kind !== 'env') continue;
        for (const { key, value } of expanded.pairs) variables.setEnv(key.text, value.text);
      }
    }
    lintDockerfile(text, OPTIONS);
    return 'taken';
  } catch (error) {
    if (!isWctrError(error)) throw error;
    expect(error.message).not.toContain('\n');
    return error.code;
  }
}

/** Every place is inside the text, and its end not before its start. */
function checkPlaces(length: number, value: unknown): void {
  if (Array.isArray(value)) for (const item of value) checkPlaces(length, item);
  else if (typeof value === 'object' && value !== null) {
    if ('span' in value) {
      const { start, end } = value.span as Span;
      if (!(0 <= start && start <= end && end <= length)) throw new Error(`${start}-${end} of ${length}`);
    }
    for (const part of Object.values(value)) checkPlaces(length, part);
  }
}

function timed(run: () => void): void {
  const started = performance.now();
  run();
  expect(performance.now() - started).toBeLessThan(BOUND_MS);
}

describe('a Dockerfile', () => {
  it.each<[name: string, text: () => string | Uint8Array, expected: string]>([
    ['of 10 MB', () => `FROM a\n${'RUN x\n'.repeat(1_750_000)}`, 'limit-exceeded'],
    ['of 10 MB of bytes', () => new Uint8Array(10 << 20).fill(0x41), 'limit-exceeded'],
    ['of one line of 1 MB', () => `FROM a\nRUN ${'x'.repeat(1 << 20)}`, 'limit-exceeded'],
    ['of 30,000 instructions', () => `FROM a\n${'RUN x\n'.repeat(30_000)}`, 'taken'],
    ['of 5000 stages', () => 'FROM a\n'.repeat(5000), 'taken'],
    ['of 5000 named stages', () => Array.from({ length: 5000 }, (_, i) => `FROM a AS s${i}`).join('\n'), 'taken'],
    ['of 100,000 continuations', () => `FROM a\nRUN x${' \\\n y'.repeat(100_000)}`, 'taken'],
    ['of 100,000 continued words', () => `FROM a\nENV${' \\\n a=b'.repeat(100_000)}`, 'taken'],
    ['of 100,000 empty continuations', () => `FROM a\nRUN x \\\n${'\n'.repeat(100_000)}`, 'taken'],
    ['of 100,000 comments', () => `${'# x\n'.repeat(100_000)}FROM a\n`, 'taken'],
    ['of 100,000 flags', () => `FROM a\nCOPY${' \\\n --exclude=x'.repeat(100_000)} a b`, 'taken'],
    ['of 5000 here-documents', () => `FROM a\n${'RUN <<E\nE\n'.repeat(5000)}`, 'taken'],
    [
      'of one instruction with 5,000 here-documents',
      () => `FROM a\nRUN${' <<E'.repeat(5000)}\n${'E\n'.repeat(5000)}`,
      'taken',
    ],
    ['of a here-document that never ends', () => `FROM a\nRUN <<E\n${'x\n'.repeat(500_000)}`, 'invalid-dockerfile'],
    ['of ONBUILD ONBUILD …', () => `FROM a\n${'ONBUILD '.repeat(8000)}RUN x`, 'invalid-dockerfile'],
    ['of ONBUILD over many lines', () => `FROM a\n${'ONBUILD \\\n'.repeat(100_000)}RUN x`, 'invalid-dockerfile'],
    ['of a deep array', () => `FROM a\nRUN ${'['.repeat(30_000)}`, 'taken'],
    ['of a deep array over many lines', () => `FROM a\nRUN ${`${'['.repeat(1000)}\\\n`.repeat(1000)}`, 'taken'],
    ['of substitutions inside each other', () => `FROM a\nUSER ${'${x:-'.repeat(10_000)}`, 'limit-exceeded'],
    ['of substitutions side by side', () => `FROM a\nUSER ${'${x:-y}'.repeat(9000)}`, 'taken'],
    ['of a variable that doubles', () => `FROM a\nENV x=yyyyyyyy\n${'ENV x=$x$x\n'.repeat(100)}`, 'limit-exceeded'],
    ['of an ARG that doubles', () => `FROM a\nARG x=yyyyyyyy\n${'ARG x=$x$x\n'.repeat(100)}`, 'limit-exceeded'],
    ['of a global ARG that doubles', () => `ARG x=yyyyyyyy\n${'ARG x=$x$x\n'.repeat(100)}FROM a`, 'limit-exceeded'],
    [
      'of a pattern with many ways to match',
      () => `FROM a\nENV x=${'a'.repeat(30_000)}\nUSER \${x//${'*a'.repeat(5000)}b/}`,
      'invalid-dockerfile',
    ],
    ['of quotes', () => `FROM a\nENV a=${'""'.repeat(20_000)}`, 'taken'],
    ['of quotes that do not match', () => `FROM a\nENV a=${'"\''.repeat(20_000)}`, 'invalid-dockerfile'],
    ['of mounts', () => `FROM a\nRUN${' --mount=target=/x'.repeat(3000)} x`, 'taken'],
    ['of one mount with many fields', () => `FROM a\nRUN --mount=${'ro,'.repeat(20_000)}target=/x x`, 'taken'],
    ['of one mount with many quotes', () => `FROM a\nRUN --mount='${'"",'.repeat(15_000)}' x`, 'invalid-dockerfile'],
    ['of NULs', () => new Uint8Array(60_000), 'invalid-dockerfile'],
    ['of bytes that are no UTF-8', () => new Uint8Array(20_000).fill(0xff), 'invalid-dockerfile'],
    ['of carriage returns', () => `FROM a${'\r'.repeat(60_000)}\nRUN x`, 'taken'],
    ['of white space', () => `FROM a\n${`${' '.repeat(60_000)}\n`.repeat(50)}`, 'taken'],
    ['of a long unknown name', () => `FROM a\n${'X'.repeat(60_000)} y`, 'invalid-dockerfile'],
    ['of a long unknown flag', () => `FROM a\nCOPY --${'x'.repeat(60_000)} y z`, 'invalid-dockerfile'],
    ['of a chain of stages that closes', chain, 'invalid-dockerfile'],
  ])('%s', (_, text, expected) => {
    const made = text();
    timed(() => expect(outcome(made)).toBe(expected));
  });

  it('of anything at all: refused or taken, with places inside the text', () => {
    const line = fc.constantFrom(
      ...[
        'FROM a',
        'FROM $x AS b',
        'RUN <<E',
        'RUN <<-E',
        'E',
        'COPY --from=b a b',
        'ENV a=$a$b',
        'ENV a b',
        'ARG x=1',
      ],
      ...[
        'RUN a \\',
        '# escape=`',
        '# check=skip=all',
        'CMD ["a"',
        'ONBUILD COPY <<E /',
        'EXPOSE 1-9/udp',
        'VOLUME [""]',
      ],
      ...[
        'RUN --mount=type=cache,target=$x y',
        'HEALTHCHECK --interval=1s CMD x',
        'SHELL ["a"]',
        'LABEL "a=b',
        '\uFEFF',
      ],
    );
    const text = fc.array(fc.oneof({ weight: 4, arbitrary: line }, fc.string({ unit: 'binary', maxLength: 20 })));
    fc.assert(
      fc.property(text, fc.constantFrom('\n', '\r\n', '\\\n'), (lines, newline) => {
        expect(['taken', 'invalid-dockerfile']).toContain(outcome(lines.join(newline)));
      }),
      { numRuns: 500 },
    );
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        expect(['taken', 'invalid-dockerfile']).toContain(outcome(bytes));
      }),
      { numRuns: 500 },
    );
  });
});

describe('a .dockerignore', () => {
  const PATHS = ['a/'.repeat(100).slice(0, -1), 'a'.repeat(255), `${'a'.repeat(200)}/b`];
  it.each<[name: string, text: () => string]>([
    ['of many stars', () => '*a'.repeat(10_000)],
    ['of many double stars', () => '**/a/'.repeat(5000)],
    ['of many classes', () => '[a-z]*'.repeat(5000)],
    ['of one class of many', () => `[${'a-z'.repeat(20_000)}]`],
    ['of 5000 patterns', () => '**/*x*y\n'.repeat(5000)],
    ['of exceptions', () => '*\n!**/a*b\n'.repeat(2000)],
    ['of one long line', () => 'a'.repeat(1 << 20)],
    ['of dots', () => '../'.repeat(100_000)],
  ])('%s', (_, text) => {
    timed(() => {
      const matcher = new IgnoreMatcher(parseIgnoreFile(text()));
      for (const path of PATHS) expect(typeof matcher.ignores(path)).toBe('boolean');
    });
  });
});

/** Each stage takes files from the next, the last from the first. */
function chain(): string {
  const count = 5000;
  return Array.from({ length: count }, (_, i) => `FROM a AS s${i}\nCOPY --from=s${(i + 1) % count} / /`).join('\n');
}
