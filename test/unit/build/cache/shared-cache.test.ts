import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { CACHE_CONFIG_TYPE } from '../../../../src/build/cache/shared-cache.ts';
import type { BuildRequest, CacheLocation } from '../../../../src/engine/builds.ts';
import type { LocalEngine } from '../../../../src/engine/local-engine.ts';
import { openEngine } from '../../../../src/node.ts';
import type { BuildVertex } from '../../../../src/spec/build-progress.ts';
import { sha256 } from '../../../support/image-store.ts';
import { removeTree } from '../../../support/remove-tree.ts';
import { type StartedRegistry, startRegistry } from '../../../support/wctr-registry.ts';

const ROOT = mkdtempSync(join(tmpdir(), 'wctr-shared-'));
const engines: LocalEngine[] = [];
let registry: StartedRegistry;
beforeAll(async () => {
  registry = await startRegistry({ storage: 'memory' });
});
afterEach(async () => {
  for (const engine of engines.splice(0)) await engine.close();
});
afterAll(async () => {
  await registry.stop();
  removeTree(ROOT);
});

const DOCKERFILE = `FROM scratch AS tools
COPY tool /tool
FROM scratch
COPY --from=tools /tool /bin/tool
COPY app /app
`;

function contextOf(files: Record<string, string>): string {
  const root = mkdtempSync(join(ROOT, 'context-'));
  for (const [name, content] of Object.entries({ tool: 'T', 'app/x': 'X', ...files })) {
    mkdirSync(dirname(join(root, name)), { recursive: true });
    writeFileSync(join(root, name), content);
  }
  return root;
}

/** A machine of its own: an empty store. */
async function machine() {
  const dataRoot = mkdtempSync(join(ROOT, 'store-'));
  const engine = await openEngine({ dataRoot, env: { HOME: dataRoot } });
  engines.push(engine);
  const build = async (request: Partial<BuildRequest>, files: Record<string, string> = {}) => {
    const vertexes = new Map<string, BuildVertex>();
    const outcome = await engine.builds.build({
      context: { directory: contextOf(files) },
      dockerfile: { text: DOCKERFILE, name: 'Dockerfile' },
      ...request,
      onStatus: (status) => {
        for (const vertex of status.vertexes ?? []) vertexes.set(vertex.digest, vertex);
      },
    });
    const all = [...vertexes.values()];
    const cached = all.filter((vertex) => vertex.cached === true && /COPY/.test(vertex.name)).length;
    const warnings = all.flatMap(({ error }) => (error === undefined ? [] : [error]));
    return { ...outcome, cached, warnings };
  };
  return { engine, dataRoot, build };
}

let count = 0;
function local(): CacheLocation & { directory: string } {
  count += 1;
  return { type: 'local', directory: join(ROOT, `cache-${count}`) };
}

describe('a build cache for others', () => {
  it.each<[string, () => CacheLocation]>([
    ['a directory', local],
    ['a registry', () => ({ type: 'registry', reference: `${registry.host}/cache/app:main` })],
  ])('goes by %s', async (_, place) => {
    const at = place();
    const [first, second] = [await machine(), await machine()];
    const made = await first.build({ cacheTo: [{ ...at, mode: 'max' }] });
    expect(made.cached).toBe(0);
    const again = await second.build({ cacheFrom: [at] });
    expect(again).toMatchObject({ imageId: made.imageId, cached: 3, warnings: [] });
    // What was taken is the store's own from then on
    expect((await second.build({})).cached).toBe(3);
  });

  it('has what the target is made of, or with mode=max all', async () => {
    const [min, max] = [local(), local()];
    const first = await machine();
    await first.build({
      cacheTo: [
        { ...min, mode: 'min' },
        { ...max, mode: 'max' },
      ],
    });
    const steps = ({ directory }: { directory: string }) => configOf(directory).steps.length;
    expect([steps(min), steps(max)]).toEqual([2, 3]);
  });

  it('is of use where a part has changed', async () => {
    const at = local();
    await (await machine()).build({ cacheTo: [{ ...at, mode: 'max' }] });
    const changed = await (await machine()).build({ cacheFrom: [at] }, { 'app/x': 'other' });
    expect(changed.cached).toBe(2);
  });

  it('is the same for the same steps, and takes the place of the one before', async () => {
    const at = local();
    const root = () => JSON.parse(readFileSync(join(at.directory, 'index.json'), 'utf8')) as { manifests: unknown[] };
    await (await machine()).build({ cacheTo: [at] });
    const before = root();
    await (await machine()).build({ cacheTo: [at] });
    expect(root()).toEqual(before);
    await (await machine()).build({ cacheTo: [at] }, { 'app/x': 'other' });
    expect(root().manifests).toHaveLength(1);
    expect(root()).not.toEqual(before);
  });

  it('is told of when it cannot be read, and the build goes on', async () => {
    const { build } = await machine();
    const cacheFrom: CacheLocation[] = [local(), { type: 'registry', reference: `${registry.host}/none` }];
    const { imageId, warnings } = await build({ cacheFrom });
    expect(imageId).toMatch(/^sha256:/);
    expect(warnings).toHaveLength(2);
  });

  it('fails the build when it cannot be written', async () => {
    const { build } = await machine();
    const file = join(contextOf({}), 'tool');
    await expect(build({ cacheTo: [{ type: 'local', directory: file }] })).rejects.toThrow();
    const reference = `${registry.host}/cache/app@${sha256('x')}`;
    await expect(build({ cacheTo: [{ type: 'registry', reference }] })).rejects.toMatchObject({
      code: 'invalid-argument',
    });
  });
});

interface Config {
  version: number;
  steps: { keys: string[]; layers: number[]; kind: string; description: string }[];
  diffIds: string[];
}

const blob = (directory: string, digest: string) => join(directory, 'blobs/sha256', digest.slice(7));
const json = <T>(path: string) => JSON.parse(readFileSync(path, 'utf8')) as T;

interface Manifest {
  config: { digest: string; size: number; mediaType: string };
  layers: { digest: string; size: number; mediaType: string }[];
}

function manifestOf(directory: string): Manifest {
  const { manifests } = json<{ manifests: { digest: string }[] }>(join(directory, 'index.json'));
  return json(blob(directory, manifests[0]!.digest));
}

function configOf(directory: string): Config {
  return json(blob(directory, manifestOf(directory).config.digest));
}

/** Writes another list of steps, and another manifest, all with right digests. */
function forge(directory: string, change: (config: Config, manifest: Manifest) => unknown): void {
  const [config, manifest] = [configOf(directory), manifestOf(directory)];
  const text = change(config, manifest) ?? config;
  const put = (value: unknown) => {
    const bytes = typeof value === 'string' ? value : JSON.stringify(value);
    const digest = sha256(bytes);
    writeFileSync(blob(directory, digest), bytes);
    return { digest, size: Buffer.byteLength(bytes) };
  };
  manifest.config = { ...manifest.config, ...put(text) };
  const root = put(manifest);
  const index = json<{ manifests: object[] }>(join(directory, 'index.json'));
  index.manifests = [{ ...index.manifests[0], ...root }];
  writeFileSync(join(directory, 'index.json'), JSON.stringify(index));
}

describe('a hostile build cache', () => {
  async function hostile(change: (directory: string) => void) {
    const at = local();
    const honest = await (await machine()).build({ cacheTo: [{ ...at, mode: 'max' }] });
    change(at.directory);
    const outside = readdirSync(ROOT).length;
    const victim = await machine();
    const built = await victim.build({ cacheFrom: [at] });
    // The image is the honest one, and nothing was written beside the victim's store and context
    expect(built.imageId).toBe(honest.imageId);
    expect(readdirSync(ROOT).length).toBe(outside + 2);
    return { built, victim };
  }

  it('cannot give other bytes for a digest', async () => {
    const { built } = await hostile((directory) => {
      for (const { digest, size } of manifestOf(directory).layers) {
        writeFileSync(blob(directory, digest), new Uint8Array(size).fill(0x61));
      }
    });
    expect(built.cached).toBe(0);
  });

  it('cannot give another layer than its diff ID says', async () => {
    const { built } = await hostile((directory) =>
      forge(directory, (config) => {
        config.diffIds = config.diffIds.map(() => sha256('forged'));
      }),
    );
    expect(built.cached).toBe(0);
  });

  it.each<[string, (config: Config, manifest: Manifest) => unknown]>([
    ['no JSON', () => '{'],
    ['null', () => 'null'],
    ['another version', (config) => ({ ...config, version: 2 })],
    ['steps that are none', (config) => ({ ...config, steps: [null] })],
    [
      'keys that are paths',
      (config) => ({ ...config, steps: config.steps.map((s) => ({ ...s, keys: ['../../etc/x'] })) }),
    ],
    [
      'layers that are not there',
      (config) => ({ ...config, steps: config.steps.map((s) => ({ ...s, layers: [99] })) }),
    ],
    [
      'layers that are no places',
      (config) => ({ ...config, steps: config.steps.map((s) => ({ ...s, layers: ['constructor'] })) }),
    ],
    ['diff IDs that are paths', (config) => ({ ...config, diffIds: config.diffIds.map(() => 'sha256:../../x') })],
    ['kinds there are not', (config) => ({ ...config, steps: config.steps.map((s) => ({ ...s, kind: '__proto__' })) })],
    [
      'another type',
      (_, manifest) => {
        manifest.config.mediaType = 'application/vnd.oci.image.config.v1+json';
      },
    ],
    [
      'digests that are paths',
      (_, manifest) => {
        manifest.layers[0]!.digest = 'sha256:../../../../etc/passwd';
      },
    ],
  ])('is no cache when it has %s', async (_, change) => {
    const { built } = await hostile((directory) => forge(directory, change));
    expect(built.cached).toBe(0);
    expect(built.warnings).toHaveLength(1);
  });

  it('cannot make a build read a list without end', async () => {
    const { built } = await hostile((directory) => forge(directory, () => ' '.repeat(5 << 20)));
    expect(built.warnings).toEqual([expect.stringMatching(/more than/)]);
  });

  it('cannot state a size that is none', async () => {
    const { built } = await hostile((directory) =>
      forge(directory, (_, manifest) => {
        manifest.layers = manifest.layers.map((layer) => ({ ...layer, size: 2 ** 52 }));
      }),
    );
    expect(built.cached).toBe(0);
  });

  it('is taken for what it is without its blobs', async () => {
    const { built } = await hostile((directory) => {
      for (const { digest } of manifestOf(directory).layers) rmSync(blob(directory, digest));
    });
    expect(built.cached).toBe(0);
  });

  it('has a media type of its own', async () => {
    const at = local();
    await (await machine()).build({ cacheTo: [at] });
    expect(manifestOf(at.directory).config.mediaType).toBe(CACHE_CONFIG_TYPE);
    expect(statSync(join(at.directory, 'oci-layout')).isFile()).toBe(true);
  });
});
