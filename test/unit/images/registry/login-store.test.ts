import { chmodSync, lstatSync, mkdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { replaceConfigFile } from '../../../../src/host/node/config-file.ts';
import { NodeCredentialHelpers } from '../../../../src/host/node/credential-helpers.ts';
import { nodeFileSystem } from '../../../../src/host/node/file-system.ts';
import { serverDomain } from '../../../../src/images/registry/login.ts';
import { LoginStore } from '../../../../src/images/registry/login-store.ts';
import { tempDir } from '../../../support/image-store.ts';

let dir: ReturnType<typeof tempDir>;
let path: string;
beforeEach(() => {
  dir = tempDir();
  path = join(dir.path, 'docker/config.json');
});
afterEach(() => dir[Symbol.dispose]());

function openStore(): LoginStore {
  return new LoginStore({
    path,
    fs: nodeFileSystem,
    replaceFile: replaceConfigFile,
    helpers: new NodeCredentialHelpers({ env: { PATH: `${dir.path}/bin:${process.env.PATH}` } }),
    alone: (change) => change(),
  });
}

function given(text: string): void {
  mkdirSync(join(dir.path, 'docker'), { recursive: true });
  writeFileSync(path, text);
}

const LOGIN = { username: 'me', password: 'pässword' };

describe('config.json', () => {
  it('is made for its owner alone', async () => {
    await openStore().put('reg.example', LOGIN);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(statSync(join(dir.path, 'docker')).mode & 0o777).toBe(0o700);
    const auth = Buffer.from('me:pässword').toString('base64');
    expect(readFileSync(path, 'utf8')).toBe(
      `{\n\t"auths": {\n\t\t"reg.example": {\n\t\t\t"auth": "${auth}"\n\t\t}\n\t}\n}`,
    );
    expect(await openStore().get('reg.example')).toEqual(LOGIN);
  });

  it('is as before when a login has come and gone', async () => {
    const text = '{\r\n   "psFormat" : "x",\r\n   "auths": {\r\n      "a": {"auth":"eDp5"}\r\n   }, "z":[ ]\r\n}';
    given(text);
    await openStore().put('reg.example', LOGIN);
    expect(readFileSync(path, 'utf8')).not.toBe(text);
    expect(await openStore().remove('reg.example')).toBe(true);
    expect(readFileSync(path, 'utf8')).toBe(text);
    expect(await openStore().remove('reg.example')).toBe(false);
  });

  it('keeps its mode, and the link that leads to it', async () => {
    mkdirSync(join(dir.path, 'docker'));
    mkdirSync(join(dir.path, 'dotfiles'));
    const real = join(dir.path, 'dotfiles/docker.json');
    writeFileSync(real, '{}');
    chmodSync(real, 0o640);
    symlinkSync('../dotfiles/docker.json', path);
    await openStore().put('reg.example', LOGIN);
    expect(lstatSync(path).isSymbolicLink()).toBe(true);
    expect(lstatSync(real).isSymbolicLink()).toBe(false);
    expect(statSync(real).mode & 0o777).toBe(0o640);
    expect(await openStore().get('reg.example')).toEqual(LOGIN);
  });

  it('is made where a link leads that leads nowhere yet', async () => {
    mkdirSync(join(dir.path, 'docker'));
    symlinkSync('../later.json', path);
    await openStore().put('reg.example', LOGIN);
    expect(lstatSync(path).isSymbolicLink()).toBe(true);
    expect(readFileSync(join(dir.path, 'later.json'), 'utf8')).toContain('reg.example');
  });

  it('that cannot be understood is not touched', async () => {
    given('{ "auths": ');
    await expect(openStore().put('reg.example', LOGIN)).rejects.toMatchObject({ code: 'invalid-argument' });
    expect(readFileSync(path, 'utf8')).toBe('{ "auths": ');
  });

  it('keeps an identity token in place of the password, until a password comes again', async () => {
    given('{"auths":{"reg.example":{"auth":"eDp5","email":"kept"}}}');
    await openStore().put('reg.example', { ...LOGIN, identityToken: 'tok' });
    const auth = Buffer.from('me:').toString('base64');
    expect(readFileSync(path, 'utf8')).toBe(
      `{"auths":{"reg.example":{"auth":"${auth}","email":"kept","identitytoken":"tok"}}}`,
    );
    expect(await openStore().get('reg.example')).toEqual({ identityToken: 'tok' });
    await openStore().put('reg.example', LOGIN);
    expect(await openStore().get('reg.example')).toEqual(LOGIN);
  });

  it('knows Docker Hub by the name it has always had', async () => {
    await openStore().put('docker.io', LOGIN);
    expect(Object.keys(JSON.parse(readFileSync(path, 'utf8')).auths)).toEqual(['https://index.docker.io/v1/']);
    expect(await openStore().get('docker.io')).toEqual(LOGIN);
  });

  it('forgets every spelling of a registry', async () => {
    given('{"auths":{"reg.example":{"auth":"eDp5"},"https://reg.example/v2/":{"auth":"eDp5"},"other":{}}}');
    await openStore().remove('reg.example');
    expect(readFileSync(path, 'utf8')).toBe('{"auths":{"other":{}}}');
  });
});

describe('a credential helper', () => {
  /** Keeps what it is told in files. */
  function installHelper(name: string): void {
    mkdirSync(join(dir.path, 'bin'), { recursive: true });
    const kept = join(dir.path, 'kept');
    writeFileSync(
      join(dir.path, 'bin', `docker-credential-${name}`),
      `#!/bin/sh
case "$1" in
  store) cat >${kept};;
  get) cat >/dev/null; [ -f ${kept} ] || { echo credentials not found in native keychain; exit 1; }; cat ${kept};;
  erase) cat >${kept}.erased; rm ${kept};;
esac
`,
      { mode: 0o755 },
    );
  }

  it.each([
    ['of all registries', '{"credsStore":"test"}'],
    ['of this one', '{"credsStore":"absent","credHelpers":{"reg.example":"test"}}'],
  ])('%s keeps the login, and the file stays as it is', async (_which, text) => {
    installHelper('test');
    given(text);
    const store = openStore();
    expect(await store.put('reg.example', LOGIN)).toBe('test');
    const kept = JSON.parse(readFileSync(join(dir.path, 'kept'), 'utf8'));
    expect(kept).toEqual({ ServerURL: 'reg.example', Username: 'me', Secret: 'pässword' });
    expect(await store.get('reg.example')).toEqual(LOGIN);
    expect(await store.remove('reg.example')).toBe(true);
    expect(readFileSync(join(dir.path, 'kept.erased'), 'utf8').trim()).toBe('reg.example');
    expect(await store.get('reg.example')).toBeUndefined();
    expect(readFileSync(path, 'utf8')).toBe(text);
  });

  it('is told that a token is one', async () => {
    installHelper('test');
    given('{"credsStore":"test"}');
    await openStore().put('reg.example', { ...LOGIN, identityToken: 'tok' });
    expect(await openStore().get('reg.example')).toEqual({ identityToken: 'tok' });
  });

  it('that is not there is said so, and nothing is stored in the clear instead', async () => {
    given('{"credsStore":"absent"}');
    await expect(openStore().put('reg.example', LOGIN)).rejects.toMatchObject({
      code: 'unauthorized',
      message: 'credential helper docker-credential-absent: not found on PATH',
    });
    expect(readFileSync(path, 'utf8')).toBe('{"credsStore":"absent"}');
  });
});

it.each([
  [undefined, 'docker.io'],
  ['docker.io', 'docker.io'],
  ['https://index.docker.io/v1/', 'docker.io'],
  ['registry.example.com', 'registry.example.com'],
  ['https://localhost:5000/v2/', 'localhost:5000'],
  ['[::1]:5000', '[::1]:5000'],
])('the server %s is %s', (server, domain) => {
  expect(serverDomain(server)).toBe(domain);
});

it.each(['user@host', 'a b', 'host:port', '-x\nhost'])('the server %j is none', (server) => {
  expect(() => serverDomain(server)).toThrow('not a registry host');
});
