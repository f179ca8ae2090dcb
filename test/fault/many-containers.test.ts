/**
 * Many containers of one daemon at once: all run, all answer, and nothing is left. WCTR_TEST_CONTAINERS says how many
 * (default 12); with more than that their memory and the times are printed.
 */
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { IMAGE } from '../support/kill-driver.ts';
import { type KillWorld, openKillWorld } from '../support/kill-world.ts';

const DEFAULT_COUNT = 12;
const COUNT = Number(process.env.WCTR_TEST_CONTAINERS ?? DEFAULT_COUNT);
const AT_ONCE = 4;
const IDLE_MS = 1000;

let world: KillWorld;
beforeAll(async () => {
  world = await openKillWorld();
});
afterAll(() => world?.close());

/** Resolves with the milliseconds all of it took. */
async function each(ids: readonly string[], action: (id: string, index: number) => Promise<void>): Promise<number> {
  const begun = performance.now();
  let next = 0;
  const worker = async () => {
    for (let at = next++; at < ids.length; at = next++) await action(ids[at]!, at);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  return performance.now() - begun;
}

/** MiB of memory that would be free without the process, shared pages by their share. */
function proportionalMebibytes(pid: number): number {
  const [, kibibytes = '0'] = /^Pss:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8')) ?? [];
  return Number(kibibytes) / 1024;
}

it(
  `${COUNT} containers run at once`,
  async () => {
    const ids: string[] = Array.from({ length: COUNT }, () => '');
    const times: Record<string, number> = {};
    times.create = await each(ids, async (_, index) => {
      const answer = await world.call('POST', `/v1.47/containers/create?name=c${index}`, {
        Image: IMAGE,
        Cmd: ['sleep', '1000000000000'],
      });
      ids[index] = (JSON.parse(String(answer)) as { Id: string }).Id;
    });
    times.start = await each(ids, async (id) => void (await world.call('POST', `/v1.47/containers/${id}/start`)));
    const running = (await world.get('/v1.47/containers/json')) as { State: string }[];
    expect(running.map(({ State }) => State)).toEqual(Array(COUNT).fill('running'));

    await sleep(IDLE_MS);
    const own = world.processes().filter(({ kind }) => kind === 'shim' || kind === 'guard');
    expect(own).toHaveLength(2 * COUNT);
    const memory = own.reduce((sum, { pid }) => sum + proportionalMebibytes(pid), 0) / COUNT;

    times.exec = await each(ids, async (id) => {
      const config = { Cmd: ['/busybox.wasm', 'hello'], AttachStdout: true };
      const { Id } = JSON.parse(String(await world.call('POST', `/v1.47/containers/${id}/exec`, config)));
      expect(String(await world.call('POST', `/v1.47/exec/${Id}/start`, {}))).toContain('Hello from the guest\n');
    });
    times.logs = await each(ids, async (id) => {
      expect(String(await world.call('GET', `/v1.47/containers/${id}/logs?stdout=1`))).toBe('');
    });
    times.stop = await each(ids, async (id) => void (await world.call('POST', `/v1.47/containers/${id}/stop?t=0`)));
    times.remove = await each(ids, async (id) => void (await world.call('DELETE', `/v1.47/containers/${id}`)));
    if (COUNT > DEFAULT_COUNT) {
      const seconds = Object.entries(times).map(([what, ms]) => `${what} ${(ms / 1000).toFixed(1)} s`);
      console.log(`${COUNT} containers: ${memory.toFixed(1)} MiB each (PSS with its guard); ${seconds.join(', ')}`);
    }

    process.kill(world.daemonPid!, 'SIGTERM');
    for (let tries = 0; tries < 200 && world.processes().length > 0; tries += 1) await sleep(50);
    expect(world.processes()).toEqual([]);
    expect(world.records()).toEqual([]);
    expect(world.files().filter((path) => path.startsWith('containers/') || path.startsWith('locks/'))).toEqual([]);
  },
  Math.max(60_000, COUNT * 2000),
);
