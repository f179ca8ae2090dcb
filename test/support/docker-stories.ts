/** Command lines of the docker CLI and what must come of them, in the order of a story. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startDaemon, type TestDaemon } from './daemon.ts';
import { peer } from './peers.ts';

/**
 * A line without the word `docker` (or, beginning with `$`, a shell line as it is), what its output (both streams) must
 * be or contain, and its exit code when it is not 0. `input` is what it is given on standard input.
 */
export type Step = readonly [line: string, output?: string | RegExp | readonly RegExp[], code?: number, input?: string];

export type Stories = Readonly<Record<string, readonly Step[]>>;

/** @param runtime as startDaemon's; null: the stories are skipped, for want of it. */
export function describeStories(
  title: string,
  stories: Stories,
  runtime: readonly string[] | null = [process.execPath],
): void {
  const docker = peer('docker');
  describe.skipIf(docker === undefined || runtime === null)(title, () => {
    let daemon: TestDaemon;
    beforeAll(async () => {
      daemon = await startDaemon([], runtime ?? undefined);
    }, 60_000);
    afterAll(() => daemon?.stop(), 60_000);

    for (const [name, steps] of Object.entries(stories)) {
      it(name, { timeout: 60_000 }, async () => {
        for (const [line, output, code = 0, input] of steps) {
          const command = line.startsWith('$ ') ? line.slice(2) : `docker ${line}`;
          const answer = await daemon.shell(command, input === undefined ? {} : { input });
          const said = `${answer.stdout}${answer.stderr}`;
          expect({ command, code: answer.code, said }).toEqual({ command, code, said });
          if (typeof output === 'string') expect({ command, said }).toEqual({ command, said: output });
          else
            for (const pattern of output instanceof RegExp ? [output] : (output ?? [])) {
              expect(said, command).toMatch(pattern);
            }
        }
      });
    }
  });
}
