import { describe, expect, it } from 'vitest';
import { endpointsOf, NO_REGISTRIES, parseRegistriesConfig } from '../../../../src/images/registry/registries.ts';

const CONFIG = parseRegistriesConfig(
  JSON.stringify({
    'registry-mirrors': ['https://mirror.example/hub/', 'http://127.0.0.1:6000'],
    'insecure-registries': ['reg.lan:5000'],
    'log-driver': 'json-file',
  }),
  'daemon.json',
);

describe('endpointsOf', () => {
  it.each([
    ['docker.io', ['https'], 'registry-1.docker.io', false],
    ['ghcr.io', ['https'], 'ghcr.io', false],
    ['localhost:5000', ['https', 'http'], 'localhost:5000', true],
    ['127.3.2.1', ['https', 'http'], '127.3.2.1', true],
    ['[::1]:5000', ['https', 'http'], '[::1]:5000', true],
    ['localhost:443', ['https'], 'localhost:443', true],
    ['localhost:80', ['http'], 'localhost:80', true],
    ['reg.lan:5000', ['https'], 'reg.lan:5000', false],
    ['10.0.0.5:5000', ['https'], '10.0.0.5:5000', false],
  ] as const)('%s over %j at %s', (registry, schemes, host, insecure) => {
    expect(endpointsOf(registry, NO_REGISTRIES)).toEqual([{ host, prefix: '', schemes, insecure, mirror: false }]);
  });

  it('takes http for hosts listed as insecure', () => {
    expect(endpointsOf('reg.lan:5000', CONFIG)).toMatchObject([{ schemes: ['https', 'http'], insecure: true }]);
    expect(endpointsOf('reg.lan', CONFIG)).toMatchObject([{ schemes: ['https'], insecure: false }]);
  });

  it('asks mirrors before docker.io, and for docker.io only', () => {
    expect(endpointsOf('docker.io', CONFIG)).toEqual([
      { host: 'mirror.example', prefix: '/hub', schemes: ['https'], insecure: false, mirror: true },
      { host: '127.0.0.1:6000', prefix: '', schemes: ['http'], insecure: true, mirror: true },
      { host: 'registry-1.docker.io', prefix: '', schemes: ['https'], insecure: false, mirror: false },
    ]);
    expect(endpointsOf('ghcr.io', CONFIG)).toHaveLength(1);
  });
});

describe('parseRegistriesConfig', () => {
  it.each([
    ['{', 'daemon.json is not valid JSON'],
    ['[]', 'daemon.json must hold a JSON object'],
    ['{"registry-mirrors": "x"}', 'daemon.json: "registry-mirrors" must be a list of strings'],
    ['{"registry-mirrors": ["ftp://x"]}', 'daemon.json: invalid mirror "ftp://x"'],
    ['{"registry-mirrors": ["https://u:p@x"]}', 'daemon.json: invalid mirror "https://u:p@x"'],
    ['{"insecure-registries": [1]}', 'daemon.json: "insecure-registries" must be a list of strings'],
  ])('refuses %s', (text, message) => {
    expect(() => parseRegistriesConfig(text, 'daemon.json')).toThrow(message);
  });

  it('is empty for an empty object', () => {
    expect(parseRegistriesConfig('{}', 'daemon.json')).toEqual(NO_REGISTRIES);
  });
});
