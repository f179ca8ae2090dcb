import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type IdentityRule,
  parsePolicy,
  type Requirement,
  requirementsFor,
  requirementsForPath,
} from '../../../src/images/policy/policy.ts';
import { importPublicKey, rawSignature, refuteSignature } from '../../../src/images/policy/signature.ts';
import { parseReference } from '../../../src/images/reference.ts';
import type { Digest } from '../../../src/spec/image-spec.ts';
import { signatureOf, signingKey, simpleSigning } from '../../support/signing.ts';

const ACCEPT = [{ type: 'insecureAcceptAnything' }];
const REJECT = [{ type: 'reject' }];
const SIGNED = [{ type: 'sigstoreSigned', keyPath: '/k.pub' }];
const parse = (document: unknown) => parsePolicy(JSON.stringify(document), '/etc/policy.json');
const typesOf = (list: readonly Requirement[]) => list.map(({ type }) => type).join();

describe('a policy', () => {
  const policy = parse({
    default: REJECT,
    transports: {
      docker: {
        'docker.io/library/hello:1': SIGNED,
        'docker.io/library': ACCEPT,
        'reg.example:5000/team/app': SIGNED,
        'reg.example:5000': ACCEPT,
        '*.example.com': SIGNED,
        '*.b.example.com': ACCEPT,
      },
      oci: { '/layouts': ACCEPT, '/layouts/bad': REJECT },
      'docker-archive': { '': ACCEPT },
    },
  });

  it.each([
    ['hello:1', 'sigstoreSigned'],
    ['hello:2', 'insecureAcceptAnything'],
    ['someone/hello:1', 'reject'],
    ['reg.example:5000/team/app:1', 'sigstoreSigned'],
    ['reg.example:5000/team/app/sub:1', 'sigstoreSigned'],
    ['reg.example:5000/team/application', 'insecureAcceptAnything'],
    ['reg.example:5001/team/app', 'reject'],
    ['a.example.com/x', 'sigstoreSigned'],
    ['a.b.example.com:80/x', 'insecureAcceptAnything'],
    ['example.com/x', 'reject'],
    [`hello:1@sha256:${'0'.repeat(64)}`, 'sigstoreSigned'],
  ])('asks of %s: %s', (name, expected) => {
    expect(typesOf(requirementsFor(policy, parseReference(name)))).toBe(expected);
  });

  it.each([
    ['oci', '/layouts/a/b', 'insecureAcceptAnything'],
    ['oci', '/layouts/bad/b', 'reject'],
    ['oci', '/layoutsbad', 'reject'],
    ['docker-archive', '/x.tar', 'insecureAcceptAnything'],
    ['oci-archive', '/x.tar', 'reject'],
  ])('asks of %s:%s: %s', (transport, path, expected) => {
    expect(typesOf(requirementsForPath(policy, transport, path))).toBe(expected);
  });

  it.each([
    ['no JSON', '{', 'it is not valid JSON'],
    ['no default', '{}', '"default" is missing'],
    ['no requirement', '{"default":[]}', '"default" is not a list of requirements'],
    ['a requirement of another kind', '{"default":[{"type":"signed"}]}', 'unknown type "signed"'],
    ['a member nobody knows', '{"default":[{"type":"reject","x":1}]}', 'unknown member "x"'],
    ['another at the top', '{"default":[{"type":"reject"}],"transport":{}}', 'unknown member "transport"'],
    ['no key', '{"default":[{"type":"sigstoreSigned"}]}', 'names no key'],
    ['a trust root', '{"default":[{"type":"sigstoreSigned","fulcio":{}}]}', 'only keys are checked here'],
    [
      'an identity of another kind',
      '{"default":[{"type":"sigstoreSigned","keyPath":"k","signedIdentity":{"type":"any"}}]}',
      'unknown type "any"',
    ],
  ])('with %s is refused', (_what, text, message) => {
    expect(() => parsePolicy(text, '/p')).toThrow(message);
  });

  it('of any JSON is read or refused', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        try {
          parse({ default: ACCEPT, transports: value });
        } catch (error) {
          expect(error).toMatchObject({ code: 'invalid-argument' });
        }
      }),
    );
  });
});

describe('a signature', () => {
  const key = signingKey();
  const digest: Digest = `sha256:${'a'.repeat(64)}`;
  const other: Digest = `sha256:${'b'.repeat(64)}`;
  const refute = async (
    image: string,
    signed: string,
    identity: IdentityRule = { type: 'matchRepoDigestOrExact' },
    payload = simpleSigning(signed, digest),
    by = key,
    digests: readonly Digest[] = [digest],
  ) =>
    refuteSignature(
      { payload, signature: signatureOf(by, payload) },
      [await importPublicKey(key.publicPem, 'the key')],
      digests,
      parseReference(image),
      identity,
    );

  it.each<[string, string, IdentityRule, boolean]>([
    ['hello:1', 'docker.io/library/hello:1', { type: 'matchRepoDigestOrExact' }, true],
    ['hello:1', 'docker.io/library/hello:2', { type: 'matchRepoDigestOrExact' }, false],
    ['hello:1', 'docker.io/library/hello', { type: 'matchRepoDigestOrExact' }, false],
    [`hello@${digest}`, 'docker.io/library/hello:2', { type: 'matchRepoDigestOrExact' }, true],
    [`hello@${digest}`, 'docker.io/library/hello:2', { type: 'matchExact' }, false],
    ['hello:1', 'hello:1', { type: 'matchExact' }, true],
    ['r.io/a:1', 'r.io/a', { type: 'matchRepository' }, true],
    ['r.io/a:1', 'r.io/ab', { type: 'matchRepository' }, false],
    ['r.io/a:1', 'else.io/b:2', { type: 'exactReference', name: 'else.io/b:2' }, true],
    ['r.io/a:1', 'else.io/b:3', { type: 'exactReference', name: 'else.io/b:2' }, false],
    ['r.io/a:1', 'else.io/b:3', { type: 'exactRepository', name: 'else.io/b' }, true],
    ['mirror.io/x/a:1', 'r.io/a:1', { type: 'remapIdentity', prefix: 'mirror.io/x', signedPrefix: 'r.io' }, true],
    ['mirror.io/xy/a:1', 'r.io/a:1', { type: 'remapIdentity', prefix: 'mirror.io/x', signedPrefix: 'r.io' }, false],
    ['r.io/a:1', 'not a name', { type: 'matchRepository' }, false],
  ])('of %s for %s by %j: %s', async (image, signed, identity, counts) => {
    expect((await refute(image, signed, identity)) === undefined).toBe(counts);
  });

  const exact: IdentityRule = { type: 'matchExact' };
  it('by another key does not count', async () => {
    const payload = simpleSigning('r.io/a:1', digest);
    expect(await refute('r.io/a:1', '', exact, payload, signingKey())).toBe('it is signed by another key');
  });

  it('of another digest does not count, of the index it came in does', async () => {
    expect(await refute('r.io/a:1', '', exact, simpleSigning('r.io/a:1', other))).toBe(
      'the signature is for another image',
    );
    const payload = simpleSigning('r.io/a:1', other);
    expect(await refute('r.io/a:1', '', exact, payload, key, [digest, other])).toBeUndefined();
  });

  it.each([
    ['no JSON', new TextEncoder().encode('signed'), 'what is signed is not JSON'],
    ['something else', simpleSigning('r.io/a:1', digest, { type: 'a letter' }), 'what is signed is no image signature'],
    ['no name', simpleSigning('r.io/a:1', digest, { identity: {} }), 'the signature is for no name'],
    ['no image', simpleSigning('r.io/a:1', digest, { image: null }), 'the signature is for another image'],
  ])('of %s does not count', async (_what, payload, why) => {
    expect(await refute('r.io/a:1', '', exact, payload)).toBe(why);
  });

  it('of any bytes is none', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 80 }), (bytes) => {
        const raw = rawSignature(Buffer.from(bytes).toString('base64'));
        expect(raw === undefined || raw.length === 64).toBe(true);
      }),
    );
    expect(rawSignature('not base64!')).toBeUndefined();
  });

  it.each([
    ['of another curve', signingKey('P-384').publicPem],
    ['private', '-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----'],
    ['damaged', '-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----'],
  ])('cannot be checked by a key that is %s', async (_what, pem) => {
    await expect(importPublicKey(pem, 'k.pub')).rejects.toMatchObject({
      code: 'invalid-argument',
      message: 'k.pub is not an ECDSA P-256 public key in PEM',
    });
  });
});
