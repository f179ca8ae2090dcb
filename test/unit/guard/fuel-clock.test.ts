import { describe, expect, it } from 'vitest';
import { Fuel, type FuelCommand } from '../../../src/host/fuel.ts';

/** A guest that burns `unitsPerMs` on a clock that only it and sleeping move. */
function simulation(options: { cpus?: number; timeoutMs?: number; poll?: () => FuelCommand }, unitsPerMs: number) {
  let now = 1000;
  let slept = 0;
  const fuel = new Fuel({
    ...options,
    now: () => now,
    sleep: (ms) => {
      now += ms;
      slept += ms;
    },
  });
  const gaps: number[] = [];
  return {
    fuel,
    gaps,
    wait: (ms: number) => {
      now += ms;
    },
    elapsed: () => now - 1000,
    slept: () => slept,
    run(untilMs: number, rate = unitsPerMs) {
      let units = 20_000;
      while (units > 0 && now - 1000 < untilMs) {
        gaps.push(units / rate);
        now += units / rate;
        units = fuel.refill();
      }
      return units;
    },
  };
}

describe('fuel', () => {
  it.each([50, 1_000, 100_000, 1_000_000])('polls every few milliseconds at %d units a millisecond', (rate) => {
    const guest = simulation({}, rate);
    guest.run(2_000);
    for (const gap of guest.gaps.slice(12)) {
      expect(gap).toBeGreaterThan(1.5);
      expect(gap).toBeLessThan(rate === 50 ? 21 : 5);
    }
  });

  it('finds its way back at once when a guest becomes slow', () => {
    const guest = simulation({}, 1_000_000);
    guest.run(1_000);
    guest.gaps.length = 0;
    guest.run(2_000, 10_000);
    expect(guest.gaps[0]).toBeLessThan(310);
    expect(Math.max(...guest.gaps.slice(2))).toBeLessThan(5);
  });

  it.each([0.1, 0.25, 0.5, 0.9])('holds a guest at %d CPUs', (cpus) => {
    const guest = simulation({ cpus }, 100_000);
    guest.run(5_000);
    expect(guest.fuel.usedMs / guest.elapsed()).toBeGreaterThan(cpus * 0.95);
    expect(guest.fuel.usedMs / guest.elapsed()).toBeLessThan(cpus * 1.05 + 0.005);
  });

  it('never holds one that has a whole CPU', () => {
    const guest = simulation({ cpus: 1 }, 100_000);
    guest.run(2_000);
    expect(guest.slept()).toBe(0);
  });

  it('does not charge the time a system call waits', () => {
    const guest = simulation({ cpus: 0.5 }, 100_000);
    for (let i = 0; i < 50; i++) {
      const resume = guest.fuel.blocked();
      guest.wait(100);
      resume();
    }
    expect(guest.fuel.usedMs).toBe(0);
    guest.run(guest.elapsed() + 20);
    // what was saved up is at most one period's worth
    expect(guest.slept()).toBe(0);
    guest.run(guest.elapsed() + 500);
    expect(guest.slept()).toBeGreaterThan(200);
  });

  it('ends a guest whose time is up, also while it is held or paused', () => {
    const plain = simulation({ timeoutMs: 500 }, 100_000);
    expect(plain.run(10_000)).toBe(-1);
    expect(plain.fuel.end).toBe('timeout');
    expect(plain.elapsed()).toBeLessThan(510);

    const held = simulation({ timeoutMs: 500, cpus: 0.01 }, 100_000);
    expect(held.run(10_000)).toBe(-1);
    expect(held.elapsed()).toBeLessThan(530);

    const paused = simulation({ timeoutMs: 500, poll: () => 'pause' }, 100_000);
    expect(paused.run(10_000)).toBe(-1);
    expect(paused.elapsed()).toBeLessThan(530);
  });

  it('holds a paused guest until it goes on, and gives it nothing for the time', () => {
    let polls = 0;
    const guest = simulation({ poll: () => (++polls < 10 ? 'pause' : 'run') }, 100_000);
    guest.run(300);
    expect(guest.slept()).toBe(9 * 20);
    expect(guest.fuel.usedMs).toBeLessThanOrEqual(guest.elapsed() - guest.slept());
  });

  it('stops a guest for good', () => {
    let command: FuelCommand = 'run';
    const guest = simulation({ poll: () => command }, 100_000);
    guest.run(100);
    command = 'stop';
    expect(guest.run(200)).toBe(-1);
    command = 'run';
    expect(guest.fuel.refill()).toBe(-1);
    expect(guest.fuel.end).toBe('stopped');
  });

  it.each([0, -1, Number.NaN])('refuses %d CPUs', (cpus) => {
    expect(() => new Fuel({ cpus })).toThrow(/invalid CPU limit/);
  });

  it('sleeps for real', () => {
    const fuel = new Fuel({ cpus: 0.2 });
    const start = performance.now();
    while (performance.now() - start < 400) {
      const busy = performance.now();
      while (performance.now() - busy < 2);
      fuel.refill();
    }
    const elapsed = performance.now() - start;
    expect(fuel.usedMs / elapsed).toBeLessThan(0.35);
  });
});
