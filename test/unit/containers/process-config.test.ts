import { describe, expect, it } from 'vitest';
import { checkName, randomName } from '../../../src/containers/names.ts';
import { commandLine, environment, resolveUser, workingDirectory } from '../../../src/containers/process-config.ts';

const hostname = 'h';

describe('command line', () => {
  it.each([
    ['image alone', {}, ['/e', 'c']],
    ['arguments replace CMD', { args: ['x'] }, ['/e', 'x']],
    ['an entrypoint drops CMD', { entrypoint: ['/n'] }, ['/n']],
    ['an entrypoint keeps the arguments', { entrypoint: ['/n'], args: ['x'] }, ['/n', 'x']],
    ['an empty entrypoint', { entrypoint: [], args: ['x'] }, ['x']],
  ])('%s', (_name, options, expected) => {
    expect(commandLine({ entrypoint: ['/e'], cmd: ['c'] }, { hostname, ...options })).toEqual(expected);
  });
});

describe('environment', () => {
  it('lets the user win over the image and the image over the defaults', () => {
    const env = environment(
      { env: ['PATH=/image', 'A=image'] },
      { hostname, env: ['A=user', 'B=2', 'HOSTNAME'], tty: true },
    );
    expect(env).toEqual(['PATH=/image', 'TERM=xterm', 'A=user', 'B=2']);
  });

  it.each(['=x', 'A=\0'])('refuses %j', (entry) => {
    expect(() => environment({}, { hostname, env: [entry] })).toThrowError(/invalid environment variable/);
  });
});

describe('working directory', () => {
  it('is the root where nobody names one', () => expect(workingDirectory({ workingDir: '' }, { hostname })).toBe('/'));
  it('must be absolute', () => {
    expect(() => workingDirectory({}, { hostname, workingDir: 'a' })).toThrowError('needs to be an absolute path');
  });
});

describe('user', () => {
  const files: Record<string, string> = {
    '/etc/passwd': 'root:x:0:0::/root:/bin/sh\napp:x:1000:1001::/app:/bin/sh\n',
    '/etc/group': 'root:x:0:\napp:x:1001:\nvideo:x:44:app,other\n',
  };
  const readFile = async (path: string) => files[path];

  it.each([
    [undefined, { uid: 0, gid: 0, additionalGids: [] }],
    ['app', { uid: 1000, gid: 1001, additionalGids: [44] }],
    ['1000', { uid: 1000, gid: 1001, additionalGids: [44] }],
    ['app:video', { uid: 1000, gid: 44, additionalGids: [] }],
    ['7:8', { uid: 7, gid: 8, additionalGids: [] }],
    ['7', { uid: 7, gid: 0, additionalGids: [] }],
  ])('%s', async (spec, expected) => expect(await resolveUser(spec, readFile)).toEqual(expected));

  it.each([
    ['nobody', 'unable to find user nobody: no matching entries in passwd file'],
    ['app:none', 'unable to find group none: no matching entries in group file'],
    ['99999999999', 'invalid user "99999999999": uids and gids must be in range 0-2147483647'],
  ])('refuses %s', async (spec, message) => {
    await expect(resolveUser(spec, readFile)).rejects.toThrowError(message);
  });
});

describe('names', () => {
  it('makes names that pass its own rule', () => {
    for (let i = 0; i < 50; i++) expect(checkName(randomName(() => i / 50))).toMatch(/^[a-z]+_[a-z]+$/);
  });
  it.each(['a', '-ab', 'a b', '../x', ''])('refuses %j', (name) =>
    expect(() => checkName(name)).toThrowError(/invalid container name/),
  );
});
