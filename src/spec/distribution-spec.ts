/**
 * OCI Distribution Specification 1.1.1: paths, headers, limits and error codes.
 * https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md
 * The token protocol is distribution's own: https://distribution.github.io/distribution/spec/auth/
 */

export const HEADER_CONTENT_DIGEST = 'docker-content-digest';
/** spec.md, "Pushing Manifests with Subject": the digest of the subject, from registries that keep referrers. */
export const HEADER_SUBJECT = 'oci-subject';
/** spec.md, "Pushing a blob in chunks": smallest chunk the registry takes, the last one apart. */
export const HEADER_CHUNK_MIN_LENGTH = 'oci-chunk-min-length';

/** spec.md, "Pulling manifests" and "Pushing manifests": at least 4 MiB has to be taken; nobody sends more. */
export const MANIFEST_LIMIT_BYTES = 4 * 1024 * 1024;

/** spec.md, "Error codes". Registries in the wild add others, so a code is a plain string in `RegistryError`. */
export const ERROR_CODES = {
  blobUnknown: 'BLOB_UNKNOWN',
  blobUploadInvalid: 'BLOB_UPLOAD_INVALID',
  blobUploadUnknown: 'BLOB_UPLOAD_UNKNOWN',
  digestInvalid: 'DIGEST_INVALID',
  manifestBlobUnknown: 'MANIFEST_BLOB_UNKNOWN',
  manifestInvalid: 'MANIFEST_INVALID',
  manifestUnknown: 'MANIFEST_UNKNOWN',
  nameInvalid: 'NAME_INVALID',
  nameUnknown: 'NAME_UNKNOWN',
  sizeInvalid: 'SIZE_INVALID',
  unauthorized: 'UNAUTHORIZED',
  denied: 'DENIED',
  unsupported: 'UNSUPPORTED',
  tooManyRequests: 'TOOMANYREQUESTS',
} as const;

/** One element of the `errors` array of an error body. */
export interface RegistryError {
  readonly code: string;
  readonly message?: string;
  readonly detail?: unknown;
}

/** GET: is this a registry, and does it ask for a login (end-1). */
export const PING_PATH = '/v2/';

/** GET, HEAD, PUT, DELETE (end-3, end-7, end-9). `reference` is a tag or a digest. */
export function manifestPath(repository: string, reference: string): string {
  return `/v2/${repository}/manifests/${reference}`;
}

/** GET, HEAD, DELETE (end-2, end-10). */
export function blobPath(repository: string, digest: string): string {
  return `/v2/${repository}/blobs/${digest}`;
}

/** POST (end-4a, 4b, 11). */
export function uploadsPath(repository: string): string {
  return `/v2/${repository}/blobs/uploads/`;
}

/** GET (end-12). */
export function referrersPath(repository: string, digest: string): string {
  return `/v2/${repository}/referrers/${digest}`;
}

/** spec.md, "Referrers Tag Schema": where referrers are listed in registries that do not keep them themselves. */
export function referrersTag(digest: string): string {
  return digest.replace(':', '-').slice(0, 128);
}

/** The scope of a token that may read one repository (distribution, spec/auth/scope). */
export function pullScope(repository: string): string {
  return `repository:${repository}:pull`;
}

/** The scope of a token that may write to one repository and look what is there. */
export function pushScope(repository: string): string {
  return `repository:${repository}:pull,push`;
}

/** Errors a registry put into a response body; an empty list when the body is something else. */
export function parseErrorBody(text: string): readonly RegistryError[] {
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch {
    return [];
  }
  const errors = (body as { errors?: unknown } | null)?.errors;
  if (!Array.isArray(errors)) return [];
  return errors.filter(
    (error): error is RegistryError => typeof (error as { code?: unknown } | null)?.code === 'string',
  );
}
