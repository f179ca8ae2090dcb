import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isWctrError } from '../../../src/errors.ts';
import {
  canonicalName,
  canonicalRepository,
  familiarName,
  parseImageName,
  parseReference,
} from '../../../src/images/reference.ts';

const HEX = 'ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff';
const DIGEST = `sha256:${HEX}`;

describe('references are normalised as docker does', () => {
  const table: [input: string, canonical: string, familiar: string][] = [
    ['hello', 'docker.io/library/hello:latest', 'hello:latest'],
    ['hello:v1', 'docker.io/library/hello:v1', 'hello:v1'],
    ['library/hello', 'docker.io/library/hello:latest', 'hello:latest'],
    ['docker.io/hello', 'docker.io/library/hello:latest', 'hello:latest'],
    ['docker.io/library/hello', 'docker.io/library/hello:latest', 'hello:latest'],
    ['index.docker.io/hello', 'docker.io/library/hello:latest', 'hello:latest'],
    ['index.docker.io/library/hello', 'docker.io/library/hello:latest', 'hello:latest'],
    ['owner/app', 'docker.io/owner/app:latest', 'owner/app:latest'],
    ['library/foo/bar', 'docker.io/library/foo/bar:latest', 'library/foo/bar:latest'],
    ['docker/docker', 'docker.io/docker/docker:latest', 'docker/docker:latest'],
    ['ghcr.io/owner/app:1.2', 'ghcr.io/owner/app:1.2', 'ghcr.io/owner/app:1.2'],
    ['localhost/x', 'localhost/x:latest', 'localhost/x:latest'],
    ['localhost:5000/x', 'localhost:5000/x:latest', 'localhost:5000/x:latest'],
    ['127.0.0.1:5000/x/y:t', '127.0.0.1:5000/x/y:t', '127.0.0.1:5000/x/y:t'],
    ['[::1]:5000/x', '[::1]:5000/x:latest', '[::1]:5000/x:latest'],
    ['[fe80::1]/x:t', '[fe80::1]/x:t', '[fe80::1]/x:t'],
    ['Host/x', 'Host/x:latest', 'Host/x:latest'],
    ['xn--n3h.com/myimage', 'xn--n3h.com/myimage:latest', 'xn--n3h.com/myimage:latest'],
    [`hello@${DIGEST}`, `docker.io/library/hello@${DIGEST}`, `hello@${DIGEST}`],
    [`hello:v1@${DIGEST}`, `docker.io/library/hello:v1@${DIGEST}`, `hello:v1@${DIGEST}`],
    [`localhost:5000/a/b@${DIGEST}`, `localhost:5000/a/b@${DIGEST}`, `localhost:5000/a/b@${DIGEST}`],
    ['a__b/c--d/e.f', 'docker.io/a__b/c--d/e.f:latest', 'a__b/c--d/e.f:latest'],
    ['aa/asdf$$^/aa'.replace('$$^', ''), 'docker.io/aa/asdf/aa:latest', 'aa/asdf/aa:latest'],
    ['hello:_x.Y-1', 'docker.io/library/hello:_x.Y-1', 'hello:_x.Y-1'],
    [`hello:${'t'.repeat(128)}`, `docker.io/library/hello:${'t'.repeat(128)}`, `hello:${'t'.repeat(128)}`],
    ['foo.com:8080/x', 'foo.com:8080/x:latest', 'foo.com:8080/x:latest'],
    ['example.com', 'docker.io/library/example.com:latest', 'example.com:latest'],
    ['localhost', 'docker.io/library/localhost:latest', 'localhost:latest'],
    ['deadbeef', 'docker.io/library/deadbeef:latest', 'deadbeef:latest'],
  ];
  it.each(table)('%s', (input, canonical, familiar) => {
    const reference = parseReference(input);
    expect(canonicalName(reference)).toBe(canonical);
    expect(familiarName(reference)).toBe(familiar);
    expect(parseReference(canonical)).toEqual(reference);
    expect(parseReference(familiar)).toEqual(reference);
  });

  it('names the repository without the tag', () => {
    expect(canonicalRepository(parseReference('hello:1'))).toBe('docker.io/library/hello');
  });
});

describe('what is not a reference is refused with one line', () => {
  const table: [input: string, why: RegExp][] = [
    ['', /it is empty/],
    ['Hello', /must be lowercase/],
    ['docker.io/Hello', /must be lowercase/],
    ['a/Hello:tag', /must be lowercase/],
    [HEX, /64 hex digits are an image id/],
    [`hello:${'t'.repeat(129)}`, /is not a tag/],
    ['hello:', /the tag after the colon is empty/],
    ['hello:-x', /is not a tag/],
    ['hello: x', /is not a tag/],
    ['hello@sha256:abc', /is not a digest/],
    [`hello@sha256:${'F'.repeat(64)}`, /is not a digest/],
    ['hello@md5:d41d8cd98f00b204e9800998ecf8427e', /is not a digest/],
    [`hello@${DIGEST}@${DIGEST}`, /is not a digest/],
    ['-foo', /is not a name component/],
    ['foo-', /is not a name component/],
    ['foo--/bar', /is not a name component/],
    ['foo..bar', /is not a name component/],
    ['foo___bar', /is not a name component/],
    ['foo//bar', /is not a name component/],
    ['foo/', /is not a name component/],
    ['/foo', /is not a name component/],
    ['a/../../etc/passwd', /is not a name component/],
    ['hello world', /is not a name component/],
    ['héllo', /is not a name component/],
    ['localhost:5000/', /the name is empty/],
    ['-host.com/x', /is not a registry host/],
    ['[::1/x', /is not a registry host/],
    ['[2001:db8::1::x]/x', /is not a registry host/],
    ['host:port/x', /is not a registry host/],
    [`a/${'b'.repeat(300)}`, /longer than 255/],
    ['x'.repeat(2000), /longer than 1024/],
    ['https://docker.io/library/hello', /is not a registry host/],
  ];
  it.each(table)('%s', (input, why) => {
    let error: unknown;
    try {
      parseReference(input);
    } catch (thrown) {
      error = thrown;
    }
    expect(isWctrError(error, 'invalid-reference')).toBe(true);
    expect((error as Error).message).toMatch(why);
    expect((error as Error).message).toMatch(/^invalid image reference "[^\n]*$/);
  });

  it('says how an uppercase name could be written', () => {
    expect(() => parseReference('Owner/App:V1')).toThrow(expect.objectContaining({ code: 'invalid-reference' }));
    try {
      parseReference('docker.io/App:V1');
    } catch (error) {
      expect(error).toMatchObject({ hint: 'try docker.io/app:V1' });
    }
  });

  it('keeps escape sequences out of the message', () => {
    try {
      parseReference('a\u001b[31mb\u202e');
    } catch (error) {
      expect((error as Error).message).toContain('\\u{1b}');
    }
  });
});

describe('what a user types for an image', () => {
  it.each([
    [DIGEST, { kind: 'id', digest: DIGEST }],
    [HEX, { kind: 'id', digest: DIGEST }],
    ['deadbeef', { kind: 'reference', shortId: 'deadbeef' }],
    ['sha256:deadbeef', { kind: 'reference', shortId: 'deadbeef' }],
    ['hello', { kind: 'reference', reference: { path: 'library/hello' } }],
  ])('%s', (input, expected) => {
    expect(parseImageName(input)).toMatchObject(expected);
  });
});

it('never fails but with invalid-reference, and what it takes it takes again unchanged', () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.stringMatching(/^[a-zA-Z0-9/:@._[\]-]{1,40}$/)), (text) => {
      try {
        const reference = parseReference(text);
        expect(parseReference(canonicalName(reference))).toEqual(reference);
        expect(parseReference(familiarName(reference))).toEqual(reference);
      } catch (error) {
        if (!isWctrError(error, 'invalid-reference')) throw error;
      }
    }),
    { numRuns: 2000 },
  );
});
