/** spec.md, "Listing Tags", "Listing Referrers" (end-8, end-12), and docker's catalog of repositories. */
import { type Descriptor, MEDIA_TYPE } from '../../spec/image-spec.ts';
import type { RegistryContext } from '../context.ts';
import { jsonReply, type RegistryRequest, type Reply } from '../http.ts';
import { Refusal } from '../refusal.ts';
import { checkDigest } from '../route.ts';
import { nameUnknown } from './manifests.ts';

const PAGE = 1_000;
/** A page of referrers is a manifest, and those have a limit. */
const MAX_PAGE_BYTES = 3 << 20;

export async function listTags(context: RegistryContext, request: RegistryRequest, repository: string): Promise<Reply> {
  const tags = await context.repositories.tags(repository);
  if (tags.length === 0 && !(await context.repositories.exists(repository))) throw nameUnknown(repository);
  const { page, headers } = paged(tags, request, `/v2/${repository}/tags/list`);
  return jsonReply(200, { name: repository, tags: page }, headers);
}

export async function listRepositories(
  context: RegistryContext,
  request: RegistryRequest,
  mayPull: (repository: string) => boolean,
): Promise<Reply> {
  const names = (await context.repositories.names()).filter(mayPull);
  const { page, headers } = paged(names, request, '/v2/_catalog');
  return jsonReply(200, { repositories: page }, headers);
}

function paged(names: readonly string[], request: RegistryRequest, path: string) {
  const query = new URLSearchParams(request.query);
  const asked = query.get('n');
  if (asked !== null && !/^\d{1,9}$/.test(asked)) {
    throw new Refusal('unsupported', 'n is not a number of entries', { status: 400 });
  }
  const limit = Math.min(asked === null ? PAGE : Number(asked), PAGE);
  const last = query.get('last');
  const rest = last === null ? names : names.filter((name) => name > last);
  const page = rest.slice(0, limit);
  const isMore = page.length > 0 && page.length < rest.length;
  const next = `${path}?n=${limit}&last=${encodeURIComponent(page.at(-1) ?? '')}`;
  return { page, headers: isMore ? { link: `<${next}>; rel="next"` } : {} };
}

export async function listReferrers(
  context: RegistryContext,
  request: RegistryRequest,
  repository: string,
  reference: string,
): Promise<Reply> {
  const subject = checkDigest(reference);
  const query = new URLSearchParams(request.query);
  const artifactType = query.get('artifactType');
  const after = query.get('last') ?? '';
  const all = await context.repositories.referrers(repository, subject);
  const fitting = all.filter(
    (entry) => entry.digest > after && (artifactType === null || entry.artifactType === artifactType),
  );
  const manifests = onePage(fitting);
  const headers: Record<string, string> = artifactType === null ? {} : { 'oci-filters-applied': 'artifactType' };
  if (manifests.length < fitting.length) {
    const next = new URLSearchParams({
      ...(artifactType === null ? {} : { artifactType }),
      last: manifests.at(-1)!.digest,
    });
    headers.link = `</v2/${repository}/referrers/${subject}?${next}>; rel="next"`;
  }
  return jsonReply(200, { schemaVersion: 2, mediaType: MEDIA_TYPE.ociIndex, manifests }, headers, MEDIA_TYPE.ociIndex);
}

function onePage(descriptors: readonly Descriptor[]): Descriptor[] {
  const page: Descriptor[] = [];
  let bytes = 0;
  for (const descriptor of descriptors) {
    bytes += JSON.stringify(descriptor).length;
    if (page.length > 0 && (bytes > MAX_PAGE_BYTES || page.length === PAGE)) break;
    page.push(descriptor);
  }
  return page;
}
