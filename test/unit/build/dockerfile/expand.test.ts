// biome-ignore-all lint/suspicious/noTemplateCurlyInString: these are substitutions of a Dockerfile
import { describe, expect, it } from 'vitest';
import { expandInstruction } from '../../../../src/build/dockerfile/expand.ts';
import { exposedPorts } from '../../../../src/build/dockerfile/expose.ts';
import { parseGoDuration } from '../../../../src/build/dockerfile/go-duration.ts';
import { parseDockerfile } from '../../../../src/build/dockerfile/parse.ts';
import { runForm } from '../../../../src/build/dockerfile/run-form.ts';
import { SourceText } from '../../../../src/build/dockerfile/source.ts';

const VARIABLES = new Map([
  ['a', '1'],
  ['list', '80 81'],
]);

/** Every text of the expanded instruction, in the order they are found. */
function texts(line: string): string[] {
  const file = parseDockerfile(`FROM a\n${line}\n`);
  const { instruction } = expandInstruction(file.stages[0]!.instructions[0]!, VARIABLES, file);
  const found: string[] = [];
  const walk = (value: unknown): void => {
    if (typeof value !== 'object' || value === null) return;
    if ('text' in value && 'span' in value && !('kind' in value)) found.push(String(value.text));
    else {
      for (const [key, part] of Object.entries(value)) {
        if (key === 'name' || key === 'text') continue;
        if (key === 'content' || (key === 'target' && typeof part === 'string')) found.push(String(part));
        else walk(part);
      }
    }
  };
  walk(instruction);
  return found;
}

describe('which instructions are expanded', () => {
  it.each([
    ['ENV $a=$a b="$a c"', ['1', '1', 'b', '1 c']],
    ['ENV x $a "y"', ['x', '1 y']],
    ['LABEL "a.b"="$a"', ['a.b', '1']],
    ['COPY --chown=$a --chmod=$a --exclude=$a $a $a/', ['$a', '1', '1', '1', '1/']],
    ['ADD --checksum=$a $a /', ['1', '/', '1']],
    ['COPY --from=b $a /', ['b', '1', '/']],
    ['USER $a', ['1']],
    ['WORKDIR /${a:+x}', ['/x']],
    ['STOPSIGNAL $a', ['1']],
    ['VOLUME ["$a", "/b"]', ['1', '/b']],
    ['EXPOSE $list 9', ['80', '81', '9']],
    ['RUN --mount=type=cache,target=/$a echo $a', ['type=cache,target=/$a', '/1', 'echo $a']],
    ['CMD ["$a"]', ['$a']],
    ['ENTRYPOINT $a', ['$a']],
    ['SHELL ["$a"]', ['$a']],
    ['HEALTHCHECK CMD $a', ['$a']],
    ['MAINTAINER $a', ['$a']],
    ['ONBUILD ENV b=$a', ['b', '$a']],
    ['COPY <<E /x\n$a "q" \\$a\nE', ['/x', '1 "q" $a\n']],
    ['COPY <<"E" /x\n$a\nE', ['/x', '$a\n']],
  ])('%s', (line, expected) => expect(texts(line).sort()).toEqual([...expected].sort()));
});

it('points at what is wrong inside a word', () => {
  const file = parseDockerfile('FROM a\nENV x=ab${y:?missing}\n');
  expect(() => expandInstruction(file.stages[0]!.instructions[0]!, VARIABLES, file)).toThrow(
    expect.objectContaining({
      code: 'invalid-dockerfile',
      message: 'dockerfile parse error on line 2: failed to process "ab${y:?missing}": y: missing',
      data: expect.objectContaining({ line: 2, column: 9 }),
    }),
  );
});

it('says what was not set, once for each word', () => {
  const file = parseDockerfile('FROM a\nCOPY $x $x$y $a /\n');
  expect(expandInstruction(file.stages[0]!.instructions[0]!, VARIABLES, file).unset).toEqual(['x', 'x', 'y']);
});

it('refuses a mount whose variables make it wrong', () => {
  const file = parseDockerfile('FROM a\nRUN --mount=type=$t,target=/x y\n');
  const run = file.stages[0]!.instructions[0]!;
  expect(() => expandInstruction(run, VARIABLES, file)).toThrow('unsupported mount type ""');
  expect(expandInstruction(run, new Map([['t', 'cache']]), file).instruction).toMatchObject({
    mounts: [{ mount: { type: 'cache', readOnly: false } }],
  });
});

describe('what RUN does', () => {
  it.each([
    ['RUN a b', { kind: 'shell', script: 'a b' }],
    ['RUN ["a", "b c"]', { kind: 'exec', args: ['a', 'b c'] }],
    ['RUN <<E\na\nb\nE', { kind: 'shell', script: 'a\nb\n' }],
    ['RUN <<-E\n\ta\n\tE', { kind: 'shell', script: 'a\n' }],
    ['RUN <<E\n#!/bin/x\nb\nE', { kind: 'file', name: 'E', content: '#!/bin/x\nb\n' }],
    ['RUN cat <<E > /x\na\nE', { kind: 'shell', script: 'cat <<E > /x\na\nE' }],
    ['RUN cat <<-A <<B\n\t1\nA\n2\nB', { kind: 'shell', script: 'cat <<-A <<B\n\t1\nA\n2\nB' }],
  ])('%s', (line, expected) => {
    const [run] = parseDockerfile(`FROM a\n${line}`).stages[0]!.instructions;
    expect(run?.kind === 'run' && runForm(run)).toEqual(expected);
  });
});

describe('ports', () => {
  const parse = (text: string) => exposedPorts({ text, span: { start: 0, end: 1 } }, new SourceText('x'));
  it.each([
    ['80', ['80/tcp'], false, false],
    ['53/udp', ['53/udp'], false, false],
    ['53/UDP', ['53/udp'], true, false],
    ['80/', ['80/tcp'], false, false],
    ['8000-8002', ['8000/tcp', '8001/tcp', '8002/tcp'], false, false],
    ['0-0/sctp', ['0/sctp'], false, false],
    ['8080:80', ['80/tcp'], false, true],
    ['127.0.0.1:8080:80', ['80/tcp'], false, true],
    ['[::1]:8080:80', ['80/tcp'], false, true],
    ['9000-9010:80', ['80/tcp'], false, true],
  ])('%s', (text, ports, hasOddCase, hasHostPart) => expect(parse(text)).toEqual({ ports, hasOddCase, hasHostPart }));
  it.each(['', '/tcp', 'x', '80/foo', '65536', '-1', '9-8', '80-90:1-2', '300.1.1.1:1:2', 'x:80', '1-x'])(
    'not %s',
    (text) => expect(() => parse(text)).toThrow(/invalid/),
  );
});

describe('durations', () => {
  it.each([
    ['0', 0],
    ['1s', 1e9],
    ['1m30s', 90e9],
    ['1.5h', 5400e9],
    ['.5s', 5e8],
    ['300ms', 3e8],
    ['1us', 1000],
    ['1\u00b5s', 1000],
    ['-1s', -1e9],
    ['', undefined],
    ['5', undefined],
    ['1d', undefined],
    ['s', undefined],
    ['1 s', undefined],
    ['9999999h', undefined],
  ])('%s', (text, expected) => expect(parseGoDuration(text)).toBe(expected));
});
