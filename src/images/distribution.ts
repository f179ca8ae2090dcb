/** What a registry has under a name, as GET /distribution/{name}/json of the Engine API tells it. */
import type { DistributionInspect } from '../spec/engine-api.ts';
import type { Platform } from '../spec/image-spec.ts';
import { parseImageConfig } from './config.ts';
import { indexPlatforms, parseManifest } from './manifest.ts';
import { DEFAULT_TAG, familiarName, type Reference } from './reference.ts';
import type { RegistryClient } from './registry/client.ts';
import { readRemoteBlob } from './registry/documents.ts';
import { isArtifact, parseArtifactConfig } from './variants.ts';

export async function inspectDistribution(
  client: RegistryClient,
  reference: Reference,
  signal?: AbortSignal,
): Promise<DistributionInspect> {
  const remote = client.repository(reference);
  const what = `manifest for ${familiarName(reference)}`;
  const { descriptor, bytes } = await remote.manifest(reference.digest ?? reference.tag ?? DEFAULT_TAG, signal);
  const parsed = parseManifest(bytes, { what, contentType: descriptor.mediaType });
  let platforms: readonly Platform[];
  if (parsed.kind === 'index') platforms = indexPlatforms(parsed);
  else {
    const config = await readRemoteBlob(remote, parsed.config, client.createHasher, signal);
    const parse = isArtifact(parsed) ? parseArtifactConfig : parseImageConfig;
    platforms = [parse(config, `config of ${familiarName(reference)}`).platform];
  }
  const { mediaType, digest, size } = descriptor;
  return {
    Descriptor: { mediaType, digest, size },
    Platforms: platforms.map(({ architecture, os, variant }) => ({
      architecture,
      os,
      ...(variant === undefined ? {} : { variant }),
    })),
  };
}
