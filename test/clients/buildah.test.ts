/** What we build beside what buildah builds of the same files: names, modes, owners, contents, links, and the config. */
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { collect } from '../../src/images/archive/files.ts';
import { Wctr } from '../../src/node.ts';
import { BUILD_CASES, type BuildCase } from '../support/build-cases.ts';
import { buildByBuildah, type Flattened, flatten, writeContext } from '../support/buildah.ts';
import { tempDir } from '../support/image-store.ts';
import { peer } from '../support/peers.ts';

const buildah = peer('buildah');

describe.skipIf(!buildah).concurrent.each(Object.entries(BUILD_CASES))('%s', (_group, cases) => {
  const dir = tempDir();
  let wctr: Wctr;
  beforeAll(async () => {
    wctr = await Wctr.open({ dataRoot: join(dir.path, 'store'), env: {} });
  });
  afterAll(async () => {
    await wctr.close();
    dir[Symbol.dispose]();
  });

  it.each(cases.map((one, i) => [one.name, one, i] as const))(
    '%s',
    async (_name, one, i) => {
      const context = join(dir.path, `c${i}`);
      writeContext(one, context);
      const theirs = await buildByBuildah(buildah!, join(dir.path, 'buildah'), context, one);
      const ours = await build(one, context);
      if (one.stricter !== undefined) {
        expect([theirs === undefined, ours]).toEqual([false, undefined]);
      } else if (one.buildkit !== undefined) {
        expect(ours).toBeDefined();
        expect(ours).not.toEqual(theirs);
      } else {
        expect(ours).toEqual(theirs);
        expect(theirs === undefined).toBe(one.fails === true);
      }
    },
    60_000,
  );

  async function build({ args = {}, target }: BuildCase, context: string): Promise<Flattened | undefined> {
    let archive: Uint8Array | undefined;
    try {
      await wctr.build(context, {
        buildArgs: args,
        ...(target === undefined ? {} : { target }),
        outputs: [
          {
            type: 'oci',
            write: async (tar) => {
              archive = await collect(tar);
            },
          },
        ],
      });
    } catch {
      return undefined;
    }
    return archive && flatten(archive);
  }
});
