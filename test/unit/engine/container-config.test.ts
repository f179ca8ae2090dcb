import { describe, expect, it } from 'vitest';
import { mergeConfig } from '../../../src/engine/container-config.ts';
import { humanDuration } from '../../../src/engine/container-views.ts';
import { matchesLabels, readFilters } from '../../../src/engine/filters.ts';
import { checkHostConfig, sandboxResources } from '../../../src/engine/host-config.ts';
import { signalNumber } from '../../../src/engine/signals.ts';
import { parseTime } from '../../../src/engine/timing.ts';
import type { HostConfig } from '../../../src/spec/engine-api.ts';

const ID = 'abcdef0123456789'.repeat(4);

describe('an image config and a request', () => {
  const image = { Entrypoint: ['/app'], Cmd: ['serve'], Env: ['PATH=/bin', 'A=image'], Labels: { a: '1', b: '1' } };
  it.each([
    ['nothing', {}, ['/app'], ['serve']],
    ['a command', { Cmd: ['x'] }, ['/app'], ['x']],
    ['an entrypoint', { Entrypoint: ['/other'] }, ['/other'], null],
    ['both', { Entrypoint: ['/other'], Cmd: ['x'] }, ['/other'], ['x']],
    ['an entrypoint that is none', { Entrypoint: [''], Cmd: ['/x'] }, null, ['/x']],
  ])('merge %s', (_what, request, entrypoint, cmd) => {
    const merged = mergeConfig(ID, image, { Image: 'app', ...request });
    expect([merged.Entrypoint, merged.Cmd]).toEqual([entrypoint, cmd]);
  });

  it('merge what is named', () => {
    const merged = mergeConfig(
      ID,
      { ...image, ExposedPorts: { '80/tcp': {} }, Healthcheck: { Test: ['CMD', '/ok'], Interval: 5 } },
      {
        Image: 'app',
        Env: ['A=mine'],
        Labels: { b: '2' },
        ExposedPorts: { '90': {} },
        Healthcheck: { Test: [], Interval: 0, Retries: 2 },
      },
    );
    expect(merged).toMatchObject({
      Hostname: 'abcdef012345',
      Env: ['A=mine', 'PATH=/bin'],
      Labels: { a: '1', b: '2' },
      Healthcheck: { Test: ['CMD', '/ok'], Interval: 5, Retries: 2 },
    });
    expect(Object.keys(merged.ExposedPorts ?? {})).toEqual(['80/tcp', '90/tcp']);
  });
});

describe('a host config', () => {
  const check = (given: HostConfig) => checkHostConfig(given, { cpus: 2 });

  it('gets docker’s defaults and keeps what it does not know', () => {
    const { hostConfig, warnings } = check({ NetworkMode: 'default', Strange: [1] });
    expect(hostConfig).toMatchObject({
      NetworkMode: 'bridge',
      Strange: [1],
      RestartPolicy: { Name: 'no', MaximumRetryCount: 0 },
      LogConfig: { Type: 'json-file', Config: {} },
    });
    expect(warnings).toEqual([]);
  });

  it('warns of what has no effect', () => {
    expect(check({ Privileged: true, Devices: [{}], CapAdd: [] }).warnings).toHaveLength(2);
  });

  it.each([
    [{ AutoRemove: true, RestartPolicy: { Name: 'always' as const, MaximumRetryCount: 0 } }],
    [{ RestartPolicy: { Name: 'always' as const, MaximumRetryCount: 3 } }],
    [{ NanoCpus: 3e9 }],
    [{ Memory: 1 }],
    [{ LogConfig: { Type: 'gelf', Config: {} } }],
  ])('refuses %j', (given) => {
    expect(() => check(given)).toThrow(expect.objectContaining({ code: 'invalid-argument' }));
  });

  it('binds a sandbox', () => {
    const config = { Memory: 8 << 20, CpuQuota: 50_000, PidsLimit: 4, StorageOpt: { size: '2g' } };
    expect(sandboxResources({ ...config, Ulimits: [{ Name: 'nofile', Soft: 9, Hard: 9 }] })).toEqual({
      memoryBytes: 8 << 20,
      cpus: 0.5,
      pids: 4,
      nofile: 9,
      storageBytes: 2 ** 31,
    });
    expect(sandboxResources({ PidsLimit: -1, NanoCpus: 0 })).toEqual({});
  });
});

it.each([
  [500, 'Less than a second'],
  [1500, '1 second'],
  [59_000, '59 seconds'],
  [119_000, 'About a minute'],
  [3_599_000, '59 minutes'],
  [4_000_000, 'About an hour'],
  [47 * 3_600_000, '47 hours'],
  [13 * 86_400_000, '13 days'],
  [59 * 86_400_000, '8 weeks'],
  [729 * 86_400_000, '24 months'],
  [800 * 86_400_000, '2 years'],
])('%d ms are %s', (ms, text) => expect(humanDuration(ms)).toBe(text));

it.each([
  ['TERM', 15],
  ['sigkill', 9],
  ['9', 9],
  ['RTMIN+3', 37],
  ['65', undefined],
  ['NOPE', undefined],
])('signal %s is %s', (text, number) => expect(signalNumber(text)).toBe(number));

it.each([
  ['1700000000.5', 1_700_000_000_500],
  ['2026-01-01T00:00:00Z', Date.UTC(2026, 0, 1)],
  ['1h30m', 10_000_000 - 5_400_000],
])('time %s', (text, ms) => expect(parseTime(text, 10_000_000)).toBe(ms));

describe('filters', () => {
  it('by label', () => {
    const labels = { a: '1', b: '' };
    expect(matchesLabels(labels, { label: ['a', 'b='] })).toBe(true);
    expect(matchesLabels(labels, { label: ['a=2'] })).toBe(false);
    expect(matchesLabels(labels, { 'label!': ['a=1'] })).toBe(false);
    expect(matchesLabels(labels, { label: ['toString'] })).toBe(false);
  });

  it('are known', () => {
    expect(() => readFilters({ nope: ['x'] }, ['name'])).toThrow(expect.objectContaining({ code: 'invalid-argument' }));
    expect(readFilters({ name: [] }, ['name'])).toEqual({});
  });
});
