import { mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { logAttributes } from '../../../src/containers/logs/attributes.ts';
import { checkLogConfig, createLogDriver } from '../../../src/containers/logs/driver.ts';
import { LineSplitter } from '../../../src/containers/logs/lines.ts';
import { readLogs } from '../../../src/containers/logs/reader.ts';
import { formatTime, parseTime } from '../../../src/containers/logs/time.ts';
import type { LogOptions } from '../../../src/engine/engine.ts';
import { nodeFileSystem } from '../../../src/host/node/file-system.ts';

const fs = nodeFileSystem;
const bytes = (text: string) => new TextEncoder().encode(text);

function open(Type: string, Config: Record<string, string> = {}) {
  const path = join(mkdtempSync(join(tmpdir(), 'wctr-logs-')), 'log', 'container.log');
  const log = { Type, Config };
  let now = 1_700_000_000_000_000_000n;
  const clock = {
    now: () => now,
    advance: (ns: bigint) => {
      now += ns;
    },
  };
  return { path, log, clock, driver: createLogDriver({ fs, path, log, now: clock.now })!, source: { fs, path, log } };
}

async function text(source: Parameters<typeof readLogs>[0], options: LogOptions = {}, ended?: Promise<unknown>) {
  const lines: string[] = [];
  for await (const { stream, bytes } of readLogs(source, options, ended)) {
    lines.push(`${stream === 'stderr' ? '!' : ''}${new TextDecoder().decode(bytes)}`);
  }
  return lines;
}

const CONTAINER = {
  key: `0123456789ab${'c'.repeat(52)}`,
  name: 'web',
  image: 'app:1',
  imageId: `sha256:${'d'.repeat(64)}`,
  args: ['/app.wasm', 'serve'],
  config: { Labels: {}, Env: [] },
};

describe('json-file', () => {
  it("writes docker's lines byte for byte", async () => {
    const { driver, path } = open('json-file');
    await driver.write('stdout', bytes('a "b" \\ <c> & \t\x07 \\t é\n'));
    await driver.write('stderr', bytes('no newline'));
    await driver.end('stderr');
    await driver.close();
    expect(readFileSync(path, 'utf8')).toBe(
      '{"log":"a \\"b\\" \\\\ \\u003cc\\u003e \\u0026 \\u0009\\u0007 \\\\t é\\n","stream":"stdout","time":"2023-11-14T22:13:20Z"}\n' +
        '{"log":"no newline","stream":"stderr","time":"2023-11-14T22:13:20Z"}\n',
    );
  });

  it('puts labels beside the lines where that was asked for', async () => {
    const { path, log, source } = open('json-file', { labels: 'a,none', 'env-regex': '^B' });
    const attributes = logAttributes(log, {
      ...CONTAINER,
      config: { Labels: { a: '1', b: '2' }, Env: ['B=x=y', 'C=3'] },
    });
    const driver = createLogDriver({ fs, path, log, now: () => 0n, attributes })!;
    await driver.write('stdout', bytes('x\n'));
    await driver.close();
    expect(readFileSync(path, 'utf8')).toBe(
      '{"log":"x\\n","stream":"stdout","attrs":{"B":"x=y","a":"1"},"time":"1970-01-01T00:00:00Z"}\n',
    );
    expect(await text(source, { details: true })).toEqual(['B=x%3Dy,a=1 x\n']);
  });

  it.each([
    ['plain', 'plain'],
    ['{{.Name}}/{{ .ID }}', 'web/0123456789ab'],
    ['{{.ImageName}} {{.ImageID}} {{.Command}}', 'app:1 dddddddddddd /app.wasm serve'],
  ])('names the container by the tag %s', (tag, expected) => {
    const { log } = open('json-file', { tag });
    checkLogConfig(log);
    expect(logAttributes(log, CONTAINER)).toEqual({ tag: expected });
  });

  it('skips what is damaged', async () => {
    const { driver, path, source } = open('json-file');
    await driver.write('stdout', bytes('one\n'));
    await driver.close();
    writeFileSync(
      path,
      `${readFileSync(path, 'utf8')}{"log":"tor\n{"log":"two\\n","stream":"stdout","time":"2024-01-01T00:00:00Z"}\n{"lo`,
    );
    expect(await text(source)).toEqual(['one\n', 'two\n']);
  });
});

describe.each([
  ['json-file', 'false'],
  ['json-file', 'true'],
  ['local', 'false'],
  ['local', 'true'],
])('%s, packed %s', (type, compress) => {
  it('gives back what was written, line by line', async () => {
    const { driver, source } = open(type);
    await driver.write('stdout', bytes('one\ntw'));
    await driver.write('stderr', bytes('bad\n'));
    await driver.write('stdout', bytes('o\nrest'));
    await driver.end('stdout');
    await driver.close();
    expect(await text(source)).toEqual(['one\n', '!bad\n', 'two\n', 'rest']);
    expect(await text(source, { stdout: false })).toEqual(['!bad\n']);
    expect(await text(source, { tail: 2 })).toEqual(['two\n', 'rest']);
    expect(await text(source, { tail: 0 })).toEqual([]);
    expect(await text(source, { timestamps: true, tail: 1 })).toEqual(['2023-11-14T22:13:20.000000000Z rest']);
  });

  it('selects by time', async () => {
    const { driver, source, clock } = open(type);
    for (let i = 0; i < 5; i += 1) {
      await driver.write('stdout', bytes(`${i}\n`));
      clock.advance(1_500_000_000n);
    }
    await driver.close();
    expect(await text(source, { since: '1700000003', until: '2023-11-14T22:13:24.5Z' })).toEqual(['2\n', '3\n']);
    await expect(text(source, { since: 'yesterday' })).rejects.toMatchObject({ code: 'invalid-argument' });
  });

  it.each([0, 1, 7, 100, 2999, 3000, 5000])('finds the last %i of 3000 lines in rotated files', async (tail) => {
    const { driver, source } = open(type, { 'max-size': '64k', 'max-file': '50', compress });
    const all = Array.from({ length: 3000 }, (_, i) => `${i} ${'x'.repeat((i * 37) % 300)}\n`);
    all[1500] = `1500 ${'y'.repeat(16_000)}\n`;
    for (let i = 0; i < all.length; i += 10) await driver.write('stdout', bytes(all.slice(i, i + 10).join('')));
    await driver.close();
    expect(await text(source, { tail })).toEqual(tail === 0 ? [] : all.slice(-tail));
  });

  it('keeps as many files as it may', async () => {
    const { driver, source } = open(type, { 'max-size': '1k', 'max-file': '3', compress });
    for (let i = 0; i < 200; i += 1) await driver.write('stdout', bytes(`line ${i}\n`));
    await driver.close();
    const lines = await text(source);
    expect(lines.at(-1)).toBe('line 199\n');
    expect(lines.length).toBeGreaterThan(20);
    expect(lines.length).toBeLessThan(150);
    const files = readdirSync(dirname(source.path)).sort();
    const base = basename(source.path);
    expect(files).toEqual([base, `${base}.1`, compress === 'true' ? `${base}.2.gz` : `${base}.2`]);
  });

  it('follows across rotations until the container ends', async () => {
    const { driver, source } = open(type, { 'max-size': '2k', 'max-file': '5', compress });
    let end = () => {};
    const ended = new Promise<void>((resolve) => {
      end = resolve;
    });
    await driver.write('stdout', bytes('first\n'));
    const reading = text(source, { follow: true }, ended);
    for (let i = 0; i < 60; i += 1) {
      await driver.write('stdout', bytes(`line ${i}\n`));
      if (i % 7 === 0) await new Promise((resolve) => setTimeout(resolve, 25));
    }
    await driver.write('stdout', bytes('last\n'));
    await driver.close();
    end();
    expect(await reading).toEqual(['first\n', ...Array.from({ length: 60 }, (_, i) => `line ${i}\n`), 'last\n']);
  });

  it('goes on where an earlier run stopped', async () => {
    const { driver, source, path, log, clock } = open(type);
    await driver.write('stdout', bytes('one\n'));
    await driver.close();
    const second = createLogDriver({ fs, path, log, now: clock.now })!;
    await second.write('stdout', bytes('two\n'));
    await second.close();
    expect(await text(source)).toEqual(['one\n', 'two\n']);
  });
});

it('starts anew in one file when there may be only one', async () => {
  const { driver, source } = open('json-file', { 'max-size': '1k' });
  for (let i = 0; i < 100; i += 1) await driver.write('stdout', bytes(`line ${i}\n`));
  await driver.close();
  const lines = await text(source);
  expect(lines.at(-1)).toBe('line 99\n');
  expect(lines.length).toBeLessThan(25);
});

it('refuses to read what is not kept', async () => {
  const source = { fs, path: '/nowhere', log: { Type: 'none', Config: {} } };
  expect(createLogDriver({ ...source, now: () => 0n })).toBeUndefined();
  await expect(text(source)).rejects.toMatchObject({
    code: 'unsupported',
    message: 'configured logging driver does not support reading',
  });
});

it.each([
  ['syslog', {}],
  ['json-file', { 'max-size': 'much' }],
  ['json-file', { 'max-file': '0', 'max-size': '1m' }],
  ['local', { labels: 'a' }],
  ['json-file', { tag: '{{.Nme}}' }],
  ['json-file', { tag: '{{if .Name}}x{{end}}' }],
  ['json-file', { compress: 'yes', 'max-size': '1m', 'max-file': '2' }],
  ['json-file', { compress: 'true', 'max-size': '1m' }],
  ['json-file', { compress: 'true' }],
  ['local', { 'no-such': '1' }],
])('refuses %s with %j', (Type, Config) => {
  expect(() => checkLogConfig({ Type, Config: Config as Record<string, string> })).toThrow();
});

describe('lines', () => {
  it.each([
    ['a\nb', [2], 1],
    [`${'x'.repeat(16383)}\n`, [16384], 0],
    [`${'x'.repeat(16384)}\n`, [16384, 1], 0],
    ['x'.repeat(16384), [16384], 0],
    [`${'x'.repeat(40000)}\ny`, [16384, 16384, 7233], 1],
  ])('%#', (input, lengths, rest) => {
    const splitter = new LineSplitter();
    expect(splitter.push(bytes(input)).map((line) => line.length)).toEqual(lengths);
    expect(splitter.end().map((line) => line.length)).toEqual(rest === 0 ? [] : [rest]);
  });
});

it.each([
  [0n, '1970-01-01T00:00:00Z'],
  [1_700_000_000_000_000_001n, '2023-11-14T22:13:20.000000001Z'],
  [1_700_000_000_120_000_000n, '2023-11-14T22:13:20.12Z'],
])('times: %s', (time, written) => {
  expect(formatTime(time)).toBe(written);
  expect(parseTime(written)).toBe(time);
});
