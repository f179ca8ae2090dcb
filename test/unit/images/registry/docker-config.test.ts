import { describe, expect, it } from 'vitest';
import {
  dockerConfigPath,
  dockerCredentials,
  parseDockerConfig,
  readDockerConfig,
} from '../../../../src/images/registry/docker-config.ts';

const b64 = (text: string) => Buffer.from(text).toString('base64');

const CONFIG = parseDockerConfig(
  JSON.stringify({
    auths: {
      'https://index.docker.io/v1/': { auth: b64('hub:pa:ss') },
      'plain.example': { username: 'u', password: 'p' },
      'https://old.example/v2/': { auth: b64('old:x') },
      'id.example': { auth: b64('u:ignored'), identitytoken: 'refresh' },
      'reg.example': { registrytoken: 'bearer' },
      'padded.example': { auth: b64('u:secret\0\0') },
      'utf8.example': { auth: b64('jürgen:pä') },
      'bad.example': { auth: '%%%' },
      'nocolon.example': { auth: b64('nocolon') },
      'empty.example': {},
      'localhost:5000': { auth: b64('local:1') },
    },
  }),
  '/cfg/config.json',
);

describe('dockerCredentials from the file', () => {
  it.each([
    ['registry-1.docker.io', { username: 'hub', password: 'pa:ss' }],
    ['docker.io', { username: 'hub', password: 'pa:ss' }],
    ['plain.example', { username: 'u', password: 'p' }],
    ['old.example', { username: 'old', password: 'x' }],
    ['id.example', { identityToken: 'refresh' }],
    ['reg.example', { registryToken: 'bearer' }],
    ['padded.example', { username: 'u', password: 'secret' }],
    ['utf8.example', { username: 'jürgen', password: 'pä' }],
    ['localhost:5000', { username: 'local', password: '1' }],
    ['localhost:5001', undefined],
    ['localhost', undefined],
    ['empty.example', undefined],
    ['__proto__', undefined],
    ['constructor', undefined],
    ['evil-plain.example', undefined],
  ])('%s', async (host, expected) => {
    expect(await dockerCredentials(CONFIG, undefined)(host)).toEqual(expected);
  });

  it.each(['bad.example', 'nocolon.example'])('refuses the entry of %s', async (host) => {
    await expect(dockerCredentials(CONFIG, undefined)(host)).rejects.toThrow(
      `/cfg/config.json: "auth" of "${host}" must be base64 of "user:password"`,
    );
  });
});

describe('dockerCredentials from helpers', () => {
  const config = parseDockerConfig(
    JSON.stringify({
      credsStore: 'store',
      credHelpers: { 'ecr.example': 'ecr', 'https://index.docker.io/v1/': 'hub' },
      auths: { 'file.example': { auth: b64('file:f') } },
    }),
    'config.json',
  );
  const asked: string[] = [];
  const helpers = {
    async get(helper: string, host: string) {
      asked.push(`${helper} ${host}`);
      if (helper === 'ecr') return { username: '<token>', secret: 'refresh' };
      return host === 'file.example' ? undefined : { username: helper, secret: 's' };
    },
  };

  it.each([
    ['ecr.example', { identityToken: 'refresh' }, 'ecr ecr.example'],
    ['registry-1.docker.io', { username: 'hub', password: 's' }, 'hub https://index.docker.io/v1/'],
    ['other.example', { username: 'store', password: 's' }, 'store other.example'],
    ['file.example', { username: 'file', password: 'f' }, 'store file.example'],
  ])('%s', async (host, expected, call) => {
    expect(await dockerCredentials(config, helpers)(host)).toEqual(expected);
    expect(asked.at(-1)).toBe(call);
  });
});

describe('the file', () => {
  it.each([
    ['nonsense', 'config.json is not valid JSON'],
    ['[]', 'config.json: it must hold a JSON object'],
    ['{"auths": []}', 'config.json: "auths" must map hosts to objects'],
    ['{"auths": {"x": 1}}', 'config.json: "auths" must map hosts to objects'],
    ['{"credHelpers": {"x": 1}}', 'config.json: "credHelpers" must map hosts to helper names'],
    ['{"credsStore": 1}', 'config.json: "credsStore" must be a helper name'],
  ])('refuses %s', (text, message) => {
    expect(() => parseDockerConfig(text, 'config.json')).toThrow(message);
  });

  it('may be missing or empty, but not unreadable', async () => {
    const failing = (code: string) => ({ readFile: async () => Promise.reject(Object.assign(new Error(), { code })) });
    expect((await readDockerConfig(failing('ENOENT'), 'x')).auths).toEqual({});
    expect(parseDockerConfig('', 'x').credsStore).toBeUndefined();
    await expect(readDockerConfig(failing('EACCES'), '/x')).rejects.toThrow('cannot read /x: EACCES');
  });

  it.each([
    [{ DOCKER_CONFIG: '/d/', HOME: '/h' }, '/d/config.json'],
    [{ HOME: '/h' }, '/h/.docker/config.json'],
    [{ USERPROFILE: 'C:\\u' }, 'C:\\u/.docker/config.json'],
    [{}, undefined],
  ])('is looked for in %j', (env, path) => {
    expect(dockerConfigPath(env)).toBe(path);
  });
});
