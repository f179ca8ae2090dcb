/**
 * kill -9 of the command, the daemon, a container's process and its guard, at any moment of any command: no container is
 * lost, none is stuck, and in the end nothing is left. WCTR_TEST_KILLS kills (default 16), WCTR_TEST_SEED repeats a run.
 */
import { readFileSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { KillDriver } from '../support/kill-driver.ts';
import { type KillWorld, openKillWorld, tree } from '../support/kill-world.ts';
import { removeTree } from '../support/remove-tree.ts';

const KILLS = Number(process.env.WCTR_TEST_KILLS ?? 16);
const SEED = Number(process.env.WCTR_TEST_SEED ?? Math.floor(Math.random() * 2 ** 31));
const isLong = KILLS > 100;

let world: KillWorld;
beforeAll(async () => {
  world = await openKillWorld();
});
afterAll(() => world?.close());

it(
  `loses nothing in ${KILLS} kills (seed ${SEED})`,
  async () => {
    const driver = new KillDriver(world, SEED, isLong ? (line) => console.log(line) : undefined);
    expect((await world.wctr(['network', 'create', 'net']).ended).code).toBe(0);
    const begun = Date.now();
    for (let rounds = 0; driver.kills < KILLS && rounds < KILLS * 3; rounds += 1) {
      await driver.round();
      if (isLong && rounds % 25 === 24) {
        const { done, refused, killed, violations } = driver;
        console.log(JSON.stringify({ seed: SEED, rounds: rounds + 1, killed, done, refused, bad: violations.length }));
        console.log(`${Math.round((Date.now() - begun) / 1000)} s`);
      }
    }
    expect(driver.violations).toEqual([]);
    expect(driver.kills).toBeGreaterThanOrEqual(KILLS);

    await driver.clear();
    // Temp files of the killed are swept when nobody has written to them for an hour.
    const old = new Date(Date.now() - 2 * 3_600_000);
    // So are names that were taken for a container that never came, after half a minute.
    for (const directory of ['tmp', 'containers/names'].map((name) => join(world.root, name))) {
      for (const file of tree(directory)) utimesSync(join(directory, file), old, old);
    }
    // Their leases have run out by then.
    removeTree(join(world.root, 'leases'));
    await driver.clear();
    expect(driver.violations).toEqual([]);
    process.kill(world.daemonPid!, 'SIGTERM');
    for (let tries = 0; tries < 200 && world.processes().length > 0; tries += 1) await sleep(50);
    expect(world.processes()).toEqual([]);
    // The subnet of the default network is known for as long as there is a run directory.
    expect(tree(world.runDirectory).filter((path) => !/\/net\/s[0-9a-f]{10}$/.test(path))).toEqual([]);
    const files = world.files().filter((path) => !/^(code\/|containers\.list$|events(\.1)?\.jsonl$|run$)/.test(path));
    expect(files.filter((path) => !path.startsWith('networks/'))).toEqual([]);
    // And so is the record of its addresses.
    const networks = files.map((path) => JSON.parse(readFileSync(join(world.root, path), 'utf8')).record.name);
    expect(networks).toEqual(['bridge']);
  },
  Math.max(120_000, KILLS * 10_000),
);
