/** Asks the policy: may this image come in, be run, be given on? */
import { WctrError } from '../../errors.ts';
import type { FileSystem } from '../../host/ports.ts';
import type { Digest } from '../../spec/image-spec.ts';
import { familiarName, type Reference } from '../reference.ts';
import { type KeySource, type Policy, parsePolicy, type Requirement, requirementsFor } from './policy.ts';
import { fromBase64, importPublicKey, refuteSignature, type Signature } from './signature.ts';

export interface PolicyQuestion {
  readonly reference: Reference;
  /** Of the manifest, and of the index it was found in: a signature of either will do. */
  readonly digests: readonly Digest[];
  /** Asked once, and only when a signature is wanted. */
  readonly signatures: () => Promise<readonly Signature[]>;
}

/** Undefined where there is no file: then everything is allowed, as without a policy. */
export async function readPolicy(fs: Pick<FileSystem, 'readFile'>, directory: string): Promise<Policy | undefined> {
  const path = `${directory}/policy.json`;
  let bytes: Uint8Array;
  try {
    bytes = await fs.readFile(path);
  } catch (cause) {
    const code = (cause as { code?: unknown }).code;
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    throw new WctrError('invalid-argument', `cannot read ${path}: ${String(code ?? cause)}`, { cause });
  }
  return parsePolicy(new TextDecoder().decode(bytes), path);
}

/** The signatures that counted, to be kept. @throws forbidden with the reason in one line */
export async function enforce(
  policy: Policy,
  fs: Pick<FileSystem, 'readFile'>,
  question: PolicyQuestion,
): Promise<readonly Signature[]> {
  let fetched: readonly Signature[] | undefined;
  const counted: Signature[] = [];
  for (const requirement of requirementsFor(policy, question.reference)) {
    if (requirement.type === 'sigstoreSigned') {
      fetched ??= await question.signatures();
      counted.push(await signedBy(policy, fs, question, requirement, fetched));
    } else allow(policy, requirement, familiarName(question.reference));
  }
  return counted;
}

/** A requirement that needs no signature, or can have none. @throws forbidden */
export function allow(policy: Policy, requirement: Requirement, what: string): void {
  if (requirement.type === 'insecureAcceptAnything') return;
  if (requirement.type === 'reject') throw refused(policy, what, 'it rejects all images there');
  throw refused(
    policy,
    what,
    requirement.type === 'signedBy'
      ? 'it asks for a GPG signature, which is not checked here'
      : 'it asks for a signature, and there is none outside a registry',
  );
}

async function signedBy(
  policy: Policy,
  fs: Pick<FileSystem, 'readFile'>,
  { reference, digests }: PolicyQuestion,
  { keys, identity }: Extract<Requirement, { type: 'sigstoreSigned' }>,
  signatures: readonly Signature[],
): Promise<Signature> {
  const imported = await Promise.all(keys.map((key) => importKey(fs, key)));
  let why = 'it has no signature';
  for (const signature of signatures) {
    const refutation = await refuteSignature(signature, imported, digests, reference, identity);
    if (refutation === undefined) return signature;
    why = refutation;
  }
  throw refused(policy, familiarName(reference), why);
}

async function importKey(fs: Pick<FileSystem, 'readFile'>, key: KeySource): Promise<CryptoKey> {
  if ('path' in key) {
    const bytes = await fs.readFile(key.path).catch((cause: unknown) => {
      throw new WctrError('invalid-argument', `the policy names the key ${key.path}, which cannot be read`, { cause });
    });
    return importPublicKey(new TextDecoder().decode(bytes), key.path);
  }
  let pem = '';
  try {
    pem = new TextDecoder().decode(fromBase64(key.data));
  } catch {
    // Reported by the import: no PEM.
  }
  return importPublicKey(pem, 'a keyData of the policy');
}

function refused({ path }: Policy, what: string, why: string): WctrError {
  return new WctrError('forbidden', `the policy does not allow ${what}: ${why}`, {
    hint: `the policy is ${path}`,
    data: { policy: path },
  });
}
