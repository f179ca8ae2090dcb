/**
 * What refers to a manifest: signatures, SBOMs, attestations (distribution-spec 1.1, "Listing Referrers"), from the
 * registry's own list or from the tag that stands in for it where the registry keeps none.
 */
import { WctrError } from '../../errors.ts';
import { referrersPath, referrersTag } from '../../spec/distribution-spec.ts';
import { type Descriptor, type Digest, type IndexDocument, MEDIA_TYPE } from '../../spec/image-spec.ts';
import { digestOf } from '../digest.ts';
import { MAX_DOCUMENT_BYTES, parseManifest } from '../manifest.ts';
import type { RegistryClient, RepositoryName } from './client.ts';

const MAX_PAGES = 50;
const TAG_TRIES = 3;

/** Manifests with this subject, in the registry's order. `artifactType`: those alone. */
export async function listReferrers(
  client: RegistryClient,
  name: RepositoryName,
  subject: Digest,
  options: { readonly artifactType?: string; readonly signal?: AbortSignal } = {},
): Promise<readonly Descriptor[]> {
  const listed =
    (await fromApi(client, name, subject, options)) ?? (await fromTag(client, name, subject, options.signal));
  const { artifactType } = options;
  return listed.filter((one) => artifactType === undefined || one.artifactType === artifactType);
}

/** Undefined where the registry has no such list (404). */
async function fromApi(
  client: RegistryClient,
  name: RepositoryName,
  subject: Digest,
  { artifactType, signal }: { readonly artifactType?: string; readonly signal?: AbortSignal },
): Promise<readonly Descriptor[] | undefined> {
  const remote = client.repository(name);
  const found: Descriptor[] = [];
  let query: Record<string, string> | undefined = artifactType === undefined ? {} : { artifactType };
  for (let page = 0; query !== undefined; page++) {
    if (page >= MAX_PAGES) throw new WctrError('limit-exceeded', `${subject} has more referrers than can be listed`);
    const answer = await remote.get(referrersPath(name.path, subject), query, MEDIA_TYPE.ociIndex, signal);
    if (answer.status === 404 || answer.status === 405 || answer.status === 400) {
      answer.discard();
      return undefined;
    }
    const what = `the referrers of ${subject}`;
    const bytes = await answer.bytes(MAX_DOCUMENT_BYTES, what);
    if (answer.status !== 200) throw remote.refusal(answer, bytes, what);
    const parsed = parseManifest(bytes, { what, mediaType: MEDIA_TYPE.ociIndex });
    if (parsed.kind === 'index') found.push(...parsed.manifests);
    query = nextPage(answer.headers.get('link'), answer.url);
  }
  return found;
}

/** RFC 8288: `</v2/.../referrers/...?n=5&last=x>; rel="next"`. Only its query is taken. */
function nextPage(link: string | null, from: URL): Record<string, string> | undefined {
  const target = /<([^>]*)>\s*;[^,]*rel="?next"?/.exec(link ?? '')?.[1];
  if (target === undefined || !URL.canParse(target, from.href)) return undefined;
  return Object.fromEntries(new URL(target, from).searchParams);
}

async function fromTag(
  client: RegistryClient,
  name: RepositoryName,
  subject: Digest,
  signal: AbortSignal | undefined,
): Promise<readonly Descriptor[]> {
  return (await readTag(client, name, subject, signal))?.manifests ?? [];
}

async function readTag(
  client: RegistryClient,
  name: RepositoryName,
  subject: Digest,
  signal: AbortSignal | undefined,
): Promise<{ readonly digest: Digest; readonly manifests: readonly Descriptor[] } | undefined> {
  const tag = referrersTag(subject);
  try {
    const { descriptor, bytes } = await client.repository(name).manifest(tag, signal);
    const parsed = parseManifest(bytes, { what: `referrers tag ${tag}`, contentType: descriptor.mediaType });
    return { digest: descriptor.digest, manifests: parsed.kind === 'index' ? parsed.manifests : [] };
  } catch (error) {
    if (error instanceof WctrError && error.code === 'no-such-image') return undefined;
    throw error;
  }
}

/** Adds to the tag's index, for registries that keep no list. Two who do that at once may need another try. */
export async function addToReferrersTag(
  client: RegistryClient,
  name: RepositoryName,
  subject: Digest,
  referrer: Descriptor,
  signal?: AbortSignal,
): Promise<void> {
  const target = client.target(name);
  const tag = referrersTag(subject);
  for (let attempt = 0; attempt < TAG_TRIES; attempt++) {
    const before = await readTag(client, name, subject, signal);
    if (before?.manifests.some(({ digest }) => digest === referrer.digest)) return;
    const document: IndexDocument = {
      schemaVersion: 2,
      mediaType: MEDIA_TYPE.ociIndex,
      manifests: [...(before?.manifests ?? []), referrer],
    };
    const bytes = new TextEncoder().encode(JSON.stringify(document));
    const descriptor = {
      mediaType: MEDIA_TYPE.ociIndex,
      digest: digestOf(client.createHasher, bytes),
      size: bytes.length,
    };
    await target.putManifest(tag, descriptor, bytes, signal);
    // Read again at the top: somebody else's list may have come between, or after.
  }
  const after = await readTag(client, name, subject, signal);
  if (after?.manifests.some(({ digest }) => digest === referrer.digest)) return;
  throw new WctrError('conflict', `others keep changing the list of referrers ${target.shownName}:${tag}`, {
    hint: 'try again',
  });
}
