import { describe, expect, it } from 'vitest';
import { parseBytes } from '../../../src/cli/format/units.ts';
import { parseMountFlag, parseTmpfsFlag, parseVolumeFlag } from '../../../src/containers/mounts.ts';

const resolve = (path: string) => (path.startsWith('/') ? path : `/cwd/${path.replace(/^\.\//, '')}`);

describe('-v', () => {
  it.each([
    ['/src:/dst', { source: '/src', destination: '/dst', readonly: false }],
    ['./src:/dst:ro', { source: '/cwd/src', destination: '/dst', readonly: true }],
    ['/src:/a//b/./c/:rw,z', { source: '/src', destination: '/a/b/c', readonly: false }],
  ])('%s', (text, expected) => {
    expect(parseVolumeFlag(text, resolve)).toMatchObject({ type: 'bind', createSource: true, ...expected });
  });

  it.each([
    ['data:/dst', 'invalid volume "data:/dst": named volumes are not supported yet'],
    ['/only', 'invalid volume "/only": anonymous volumes are not supported yet'],
    ['/a:b', 'invalid volume "/a:b": the container path "b" must be absolute'],
    ['/a:/b/../c', 'invalid volume "/a:/b/../c": the container path must not contain ".."'],
    ['/a:/', 'invalid volume "/a:/": "/" cannot be a mount point'],
    ['/a:/b:xx', 'invalid volume "/a:/b:xx": unknown option "xx"'],
    ['/a:/b:ro:x', 'invalid volume "/a:/b:ro:x": too many colons'],
    [':/b', 'invalid volume ":/b": empty source or destination'],
  ])('refuses %s', (text, message) => expect(() => parseVolumeFlag(text, resolve)).toThrowError(message));
});

describe('--mount', () => {
  it.each([
    ['type=bind,source=/s,target=/t', { type: 'bind', source: '/s', destination: '/t', readonly: false }],
    ['type=bind,src=s,dst=/t,readonly', { type: 'bind', source: '/cwd/s', destination: '/t', readonly: true }],
    ['type=tmpfs,destination=/t,tmpfs-size=1m,tmpfs-mode=700', { type: 'tmpfs', sizeBytes: 1048576, mode: 0o700 }],
  ])('%s', (text, expected) => expect(parseMountFlag(text, resolve, parseBytes)).toMatchObject(expected));

  it.each([
    ['type=bind,target=/t', 'source is required for a bind'],
    ['type=bind,source=/s', 'target is required'],
    ['type=volume,source=v,target=/t', 'volumes are not supported yet'],
    ['type=nfs,target=/t', 'unknown type "nfs"'],
    ['type=tmpfs,target=/t,colour=red', 'unexpected key "colour"'],
    ['type=tmpfs,target=/t,tmpfs-mode=999', '"999" is not an octal mode'],
    ['type=bind,source=/s,target=/t,ro=maybe', '"maybe" is not true or false'],
  ])('refuses %s', (text, why) => {
    expect(() => parseMountFlag(text, resolve, parseBytes)).toThrowError(`invalid mount "${text}": ${why}`);
  });
});

describe('--tmpfs', () => {
  it.each([
    ['/tmp', { type: 'tmpfs', destination: '/tmp' }],
    ['/tmp:size=64m,mode=1777,noexec', { type: 'tmpfs', destination: '/tmp', sizeBytes: 67_108_864, mode: 0o1777 }],
  ])('%s', (text, expected) => expect(parseTmpfsFlag(text, parseBytes)).toEqual(expected));

  it.each(['tmp', '/tmp:what=1', '/tmp:size=x'])('refuses %s', (text) => {
    expect(() => parseTmpfsFlag(text, parseBytes)).toThrowError(/^invalid/);
  });
});
