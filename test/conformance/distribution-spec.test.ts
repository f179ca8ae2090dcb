import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DistributionClient } from '../support/distribution-client.ts';
import { type DockerRegistry, startDockerRegistry } from '../support/docker-registry.ts';
import { peer } from '../support/peers.ts';
import { type StartedRegistry, startRegistry } from '../support/wctr-registry.ts';
import { DISTRIBUTION_CASES } from './distribution-cases.ts';

describe.each(['disk', 'memory'] as const)('distribution-spec 1.1, stored on %s', (storage) => {
  let registry: StartedRegistry;
  beforeAll(async () => {
    registry = await startRegistry({ storage });
  });
  afterAll(async () => {
    await registry.stop();
    expect(registry.internalErrors).toEqual([]);
  });

  DISTRIBUTION_CASES.forEach(({ chapter, says, run }, i) => {
    it(`${chapter}: ${says}`, () => run(new DistributionClient(registry.url), `conformance/case-${i}`));
  });
});

/** What docker-registry 2.8 does not do: the referrers API is younger, its tags come in no order, its chunks in any. */
const NOT_IN_DOCKER_REGISTRY: readonly (string | RegExp)[] = [
  /^referrers: (?!the fallback tag)/,
  /^discovery: (all tags in order|so many tags|no tags|tags after another|page by page)/,
  /^chunks: (one that|a first one that does not begin at 0|a last one out of order)/,
  'sha512: images',
  'push: layers that live elsewhere need not be here',
  'push: tags as parameters of a push by digest',
  'push: a manifest of 5 megabytes is refused with 413',
  'management: a deleted tag is gone, its manifest is not',
  'management: to delete manifests/v9 that is not there is 404',
];

describe.skipIf(!peer('docker-registry'))('the same cases with a registry nobody here wrote', () => {
  it('ask for no more than the specification', async () => {
    const docker: DockerRegistry = await startDockerRegistry();
    const failed: string[] = [];
    try {
      const client = new DistributionClient(`http://${docker.host}`);
      for (const [i, { chapter, says, run }] of DISTRIBUTION_CASES.entries()) {
        await run(client, `conformance/case-${i}`).catch(() => failed.push(`${chapter}: ${says}`));
      }
    } finally {
      await docker.stop();
    }
    const isKnown = (name: string) =>
      NOT_IN_DOCKER_REGISTRY.some((known) => (typeof known === 'string' ? known === name : known.test(name)));
    expect(failed.filter((name) => !isKnown(name))).toEqual([]);
  });
});
