/** What every implementation of the Engine port must do with builds. */
import { describe, expect, it } from 'vitest';
import { FilesTree } from '../../src/build/tree/files-tree.ts';
import { toText } from '../../src/containers/files/names.ts';
import { readTar } from '../../src/containers/files/tar-reader.ts';
import type { BuildRequest } from '../../src/engine/builds.ts';
import type { SolveStatus } from '../../src/spec/build-progress.ts';
import type { OpenedEngine } from './engine-suite.ts';

function tree(files: Readonly<Record<string, string>>): BuildRequest['context'] {
  const made = Object.entries(files).map(
    ([path, text]) => [path, { content: new TextEncoder().encode(text), mode: 0o644 }] as const,
  );
  return { tree: new FilesTree('the build context', new Map(made)) };
}

export function buildCases(opened: () => OpenedEngine): void {
  const builds = () => opened().engine.builds;
  const dockerfile = () => `FROM ${opened().image} AS made
COPY . /app
RUN ["/bin/busybox", "write", "/app/made", "made"]
FROM scratch
ARG TEXT
LABEL text=$TEXT
COPY --from=made /app /app
`;
  const context = () =>
    tree({ Dockerfile: dockerfile(), kept: 'kept', 'a/b': 'b', ignored: '', '.dockerignore': 'ignored\n' });

  describe('builds', () => {
    it('makes an image of a context, the same for the same files', { timeout: 60_000 }, async () => {
      const told: SolveStatus[] = [];
      const request: BuildRequest = {
        context: context(),
        tags: ['built:1'],
        labels: { from: 'request' },
        buildArgs: { TEXT: 'text' },
        onStatus: (status) => told.push(status),
      };
      const { imageId, references } = await builds().build(request);
      expect(references).toEqual(['built:1']);
      const image = await opened().engine.images.inspect('built:1');
      expect(image).toMatchObject({ Id: imageId, Config: { Labels: { from: 'request', text: 'text' } } });
      const steps = () =>
        told.flatMap(({ vertexes = [] }) => vertexes).filter(({ completed }) => completed !== undefined);
      expect(steps().some(({ name }) => name.includes('RUN ["/bin/busybox", "write", "/app/made", "made"]'))).toBe(
        true,
      );
      expect(steps().every(({ error }) => error === undefined)).toBe(true);
      told.length = 0;
      expect((await builds().build(request)).imageId).toBe(imageId);
      expect(steps().find(({ name }) => name.includes('RUN ['))).toMatchObject({ cached: true });
      const again = await builds().build({ ...request, noCache: true });
      expect(again.imageId).toBe(imageId);
    });

    it('gives the files it made', { timeout: 60_000 }, async () => {
      const files: Record<string, string> = {};
      const write = async (tar: AsyncIterable<Uint8Array>) => {
        for await (const entry of readTar(tar)) {
          let text = '';
          for await (const chunk of entry.data) text += new TextDecoder().decode(chunk);
          if (entry.type === '0') files[toText(entry.name).replace(/^\.\//, '')] = text;
        }
      };
      await builds().build({ context: context(), outputs: [{ type: 'files', write }] });
      expect(files).toMatchObject({ 'app/kept': 'kept', 'app/a/b': 'b', 'app/made': 'made' });
      expect(Object.keys(files)).not.toContain('app/ignored');
    });

    it('takes a Dockerfile from elsewhere, and what that ignores', { timeout: 60_000 }, async () => {
      const names: string[] = [];
      await builds().build({
        context: context(),
        dockerfile: { text: 'FROM scratch\nCOPY . /\n', name: 'Other' },
        ignore: 'a\nDockerfile\n',
        outputs: [
          {
            type: 'files',
            write: async (tar) => {
              for await (const { name, type } of readTar(tar)) if (type === '0') names.push(toText(name));
            },
          },
        ],
      });
      expect(names).toEqual(expect.arrayContaining(['ignored', 'kept']));
      expect(names.filter((name) => /^(a\/|Dockerfile|.*Other|\.wctr)/.test(name))).toEqual([]);
    });

    it.each([
      ['a mistake', 'FROM scratch\nRUNN x\n', { code: 'invalid-dockerfile', hint: 'did you mean RUN?' }, /\^\^\^\^/],
      ['a file that is not there', 'FROM scratch\nCOPY nosuch /\n', { code: 'not-found' }, /COPY nosuch/],
      ['a program that fails', 'FROM #\nRUN ["/bin/busybox", "exit", "7"]\n', { code: 'build-failed' }, /exit/],
    ])('tells %s with its place', { timeout: 60_000 }, async (_, text, expected, frame) => {
      const Dockerfile = text.replace('#', opened().image);
      const error = await builds()
        .build({ context: tree({ Dockerfile }) })
        .then(
          () => expect.unreachable(),
          (thrown: unknown) => thrown,
        );
      expect(error).toMatchObject(expected);
      expect((error as { data: { frame: string } }).data.frame).toMatch(frame);
      if (expected.code === 'build-failed') expect(error).toMatchObject({ data: { exitCode: 7 } });
    });

    it('is stopped', { timeout: 60_000 }, async () => {
      const stop = new AbortController();
      const building = builds().build({
        context: tree({ Dockerfile: `FROM ${opened().image}\nRUN ["/bin/busybox", "sleep", "1000000"]\n` }),
        signal: stop.signal,
        onStatus: ({ vertexes = [] }) => {
          if (vertexes.some(({ name, started }) => name.includes('sleep') && started !== undefined)) stop.abort();
        },
      });
      await expect(building).rejects.toMatchObject({ code: 'cancelled' });
    });

    it('lists and prunes what it keeps', { timeout: 60_000 }, async () => {
      const before = await builds().usage();
      expect(before.some(({ Type, Size }) => Type === 'regular' && Size > 0)).toBe(true);
      expect(await builds().usage({ type: ['nosuch'] })).toEqual([]);
      const { CachesDeleted, SpaceReclaimed } = await builds().prune({ all: true });
      expect(CachesDeleted.length).toBe(before.length);
      expect(SpaceReclaimed).toBeGreaterThan(0);
      expect(await builds().usage()).toEqual([]);
      expect(await builds().prune()).toEqual({ CachesDeleted: [], SpaceReclaimed: 0 });
    });
  });
}
