import { describe, expect, it } from 'vitest';
import { isGitAddress, parseGitAddress } from '../../../../src/build/context/git-address.ts';

describe('addresses of git repositories', () => {
  it.each<[string, [string, string, string]]>([
    ['https://h/a/b.git', ['https://h/a/b.git', 'HEAD', '']],
    ['https://h/b.git#main', ['https://h/b.git', 'main', '']],
    ['https://h/b.git#v1.0:app/web', ['https://h/b.git', 'v1.0', 'app/web']],
    ['https://h/b.git#:app', ['https://h/b.git', 'HEAD', 'app']],
    ['https://h/b.git#feature/x:./app//y/', ['https://h/b.git', 'feature/x', 'app/y']],
    ['git://h/b', ['git://h/b', 'HEAD', '']],
    ['ssh://git@h:22/b.git#main', ['ssh://git@h:22/b.git', 'main', '']],
    ['git@h:a/b.git#main:c', ['git@h:a/b.git', 'main', 'c']],
    ['github.com/a/b#main', ['https://github.com/a/b', 'main', '']],
  ])('%s', (text, [repository, ref, directory]) => {
    expect(isGitAddress(text)).toBe(true);
    expect(parseGitAddress(text)).toEqual({ repository, ref, directory });
  });

  it.each([
    'https://h/a.tar.gz',
    'https://h/b.git/x',
    'http://h/Dockerfile#x.git',
    './b.git',
    '/srv/b.git',
    'file:///b.git',
  ])('not %s', (text) => expect(isGitAddress(text)).toBe(false));

  it.each([
    'https://h/b.git#main:../x',
    'https://h/b.git#main:a/../../x',
    'https://h/b.git#--upload-pack=touch x',
    'https://h/b.git#-c',
    'https://h/b.git#a..b',
    'https://h/b.git#+main',
    'https://-oProxyCommand=x/b.git',
    'git@-oProxyCommand=x:b.git',
    '--upload-pack=x.git',
    'ext::sh -c x.git',
    'file:///etc/x.git',
    '/srv/x.git',
    'https://h/a b.git',
  ])('refuses %s', (text) => {
    expect(() => parseGitAddress(text)).toThrow(expect.objectContaining({ code: 'invalid-argument' }));
  });
});
