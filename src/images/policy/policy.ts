/**
 * Which images may come in: containers-policy.json(5), as podman and skopeo read it
 * (https://github.com/containers/image/blob/v5.22.0/docs/containers-policy.json.5.md). `sigstoreSigned` by key is checked
 * here; `signedBy` (GPG) is not, and refuses what it is asked for.
 */
import { WctrError } from '../../errors.ts';
import { canonicalName, canonicalRepository, type Reference } from '../reference.ts';

export type Requirement =
  | { readonly type: 'insecureAcceptAnything' | 'reject' | 'signedBy' }
  | { readonly type: 'sigstoreSigned'; readonly keys: readonly KeySource[]; readonly identity: IdentityRule };

/** A PEM file, or one in base64. */
export type KeySource = { readonly path: string } | { readonly data: string };

/** What the signature must call the image. */
export type IdentityRule =
  | { readonly type: 'matchExact' | 'matchRepoDigestOrExact' | 'matchRepository' }
  | { readonly type: 'exactReference' | 'exactRepository'; readonly name: string }
  | { readonly type: 'remapIdentity'; readonly prefix: string; readonly signedPrefix: string };

export interface Policy {
  /** Where it was read from, for messages. */
  readonly path: string;
  readonly fallback: readonly Requirement[];
  /** By transport (`docker`, `oci`, `oci-archive`, `docker-archive`), then by scope. */
  readonly transports: ReadonlyMap<string, ReadonlyMap<string, readonly Requirement[]>>;
}

/** @throws invalid-argument naming the file and what is wrong: a policy that is half understood protects nobody. */
export function parsePolicy(text: string, path: string): Policy {
  const fail = (why: string): WctrError =>
    new WctrError('invalid-argument', `${path}: ${why}`, {
      hint: 'see containers-policy.json(5) for what a policy holds',
      data: { path },
    });
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch {
    throw fail('it is not valid JSON');
  }
  const root = object(document, 'the policy', fail);
  onlyKeys(root, ['default', 'transports'], 'the policy', fail);
  if (root.default === undefined) throw fail('"default" is missing');
  const transports = new Map<string, ReadonlyMap<string, readonly Requirement[]>>();
  for (const [transport, scopes] of Object.entries(object(root.transports ?? {}, '"transports"', fail))) {
    const parsed = new Map<string, readonly Requirement[]>();
    for (const [scope, list] of Object.entries(object(scopes, `"${transport}"`, fail))) {
      parsed.set(scope, requirements(list, `"${transport}" "${scope}"`, fail));
    }
    transports.set(transport, parsed);
  }
  return { path, fallback: requirements(root.default, '"default"', fail), transports };
}

/** What an image of a registry has to meet: the narrowest scope that is named, from the whole name to the host. */
export function requirementsFor(policy: Policy, reference: Reference): readonly Requirement[] {
  const scopes = policy.transports.get('docker');
  if (scopes === undefined) return policy.fallback;
  for (const scope of scopesOf(reference)) {
    const found = scopes.get(scope);
    if (found !== undefined) return found;
  }
  return policy.fallback;
}

/** The same for a path: `/a/b/c`, `/a/b`, `/a`, then all of the transport. */
export function requirementsForPath(policy: Policy, transport: string, path: string): readonly Requirement[] {
  const scopes = policy.transports.get(transport);
  if (scopes === undefined) return policy.fallback;
  for (let scope = path; scope !== ''; scope = scope.slice(0, Math.max(0, scope.lastIndexOf('/')))) {
    const found = scopes.get(scope);
    if (found !== undefined) return found;
  }
  return scopes.get('') ?? policy.fallback;
}

function* scopesOf(reference: Reference): Generator<string> {
  const { domain, path, tag, digest } = reference;
  if (digest === undefined) yield canonicalName(reference);
  else {
    yield canonicalName({ domain, path, digest });
    if (tag !== undefined) yield canonicalName({ domain, path, tag });
  }
  let scope = canonicalRepository(reference);
  for (; scope.length > domain.length; scope = scope.slice(0, scope.lastIndexOf('/'))) yield scope;
  yield domain;
  const host = domain.replace(/:\d+$/, '');
  for (let rest = host; rest.includes('.'); ) {
    rest = rest.slice(rest.indexOf('.') + 1);
    yield `*.${rest}`;
  }
  yield '';
}

type Fail = (why: string) => WctrError;

function requirements(value: unknown, where: string, fail: Fail): readonly Requirement[] {
  if (!Array.isArray(value) || value.length === 0) throw fail(`${where} is not a list of requirements`);
  return value.map((item) => requirement(object(item, where, fail), where, fail));
}

function requirement(fields: Record<string, unknown>, where: string, fail: Fail): Requirement {
  const { type } = fields;
  if (type === 'insecureAcceptAnything' || type === 'reject') {
    onlyKeys(fields, ['type'], where, fail);
    return { type };
  }
  // Its fields are not looked at: nothing it asks for is ever met.
  if (type === 'signedBy') return { type };
  if (type !== 'sigstoreSigned') throw fail(`${where} has a requirement of unknown type ${JSON.stringify(type)}`);
  if (
    fields.fulcio !== undefined ||
    fields.rekorPublicKeyPath !== undefined ||
    fields.rekorPublicKeyData !== undefined
  ) {
    throw fail(`${where} asks for a certificate or transparency log, and only keys are checked here`);
  }
  onlyKeys(fields, ['type', 'keyPath', 'keyData', 'keyPaths', 'keyDatas', 'signedIdentity'], where, fail);
  const keys = [
    ...texts(fields.keyPath === undefined ? [] : [fields.keyPath], where, fail).map((path) => ({ path })),
    ...texts(fields.keyPaths ?? [], where, fail).map((path) => ({ path })),
    ...texts(fields.keyData === undefined ? [] : [fields.keyData], where, fail).map((data) => ({ data })),
    ...texts(fields.keyDatas ?? [], where, fail).map((data) => ({ data })),
  ];
  if (keys.length === 0) throw fail(`${where} asks for a signature and names no key`);
  return { type, keys, identity: identityRule(fields.signedIdentity, where, fail) };
}

function identityRule(value: unknown, where: string, fail: Fail): IdentityRule {
  if (value === undefined) return { type: 'matchRepoDigestOrExact' };
  const fields = object(value, `signedIdentity of ${where}`, fail);
  const word = (name: string): string => texts([fields[name]], `${name} of ${where}`, fail)[0]!;
  switch (fields.type) {
    case 'matchExact':
    case 'matchRepoDigestOrExact':
    case 'matchRepository':
      return { type: fields.type };
    case 'exactReference':
      return { type: fields.type, name: word('dockerReference') };
    case 'exactRepository':
      return { type: fields.type, name: word('dockerRepository') };
    case 'remapIdentity':
      return { type: fields.type, prefix: word('prefix'), signedPrefix: word('signedPrefix') };
    default:
      throw fail(`${where} has a signedIdentity of unknown type ${JSON.stringify(fields.type)}`);
  }
}

function object(value: unknown, where: string, fail: Fail): Record<string, unknown> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  throw fail(`${where} is not an object`);
}

function onlyKeys(fields: Record<string, unknown>, known: readonly string[], where: string, fail: Fail): void {
  const other = Object.keys(fields).find((key) => !known.includes(key));
  if (other !== undefined) throw fail(`${where} has an unknown member ${JSON.stringify(other)}`);
}

function texts(value: unknown, where: string, fail: Fail): readonly string[] {
  if (Array.isArray(value) && value.every((item) => typeof item === 'string' && item !== '')) return value as string[];
  throw fail(`${where} has something that is no text`);
}
