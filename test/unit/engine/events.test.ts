import { mkdtempSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { EVENT_FILE_BYTES, EventLog } from '../../../src/containers/events.ts';
import { events, pastEvents } from '../../../src/engine/events.ts';
import { MemoryLocks } from '../../../src/host/memory-locks.ts';
import { nodeFileSystem as fs } from '../../../src/host/node/file-system.ts';
import type { EventMessage } from '../../../src/spec/engine-api.ts';
import { removeTree } from '../../support/remove-tree.ts';

const roots: string[] = [];

function open() {
  const root = mkdtempSync(join(tmpdir(), 'wctr-events-'));
  roots.push(root);
  return { root, parts: { fs, events: new EventLog({ fs, root, locks: new MemoryLocks() }) } };
}

afterEach(() => {
  for (const root of roots.splice(0)) removeTree(root);
});

const event = (Action: string, Attributes: Record<string, string> = {}) => ({
  Type: 'container' as const,
  Action,
  Actor: { ID: 'c1', Attributes },
});

describe('events', () => {
  it('are told in order, with times that differ', async () => {
    const { parts } = open();
    for (let i = 0; i < 5; i++) await parts.events.append(event(`e${i}`));
    const all = await pastEvents(parts);
    expect(all.map(({ Action }) => Action)).toEqual(['e0', 'e1', 'e2', 'e3', 'e4']);
    expect(new Set(all.map(({ timeNano }) => timeNano)).size).toBe(5);
    expect(all[0]).toMatchObject({ status: 'e0', id: 'c1', scope: 'local' });
  });

  it('are followed across a change of files, and past a line that was cut off', async () => {
    const { root, parts } = open();
    const leave = new AbortController();
    const seen: EventMessage[] = [];
    const since = String(Date.now() / 1000 - 1);
    const done = (async () => {
      for await (const one of events(parts, { since, signal: leave.signal, filters: { event: ['wanted'] } })) {
        seen.push(one);
        if (seen.length === 3) return;
      }
    })();
    await parts.events.append(event('wanted', { n: '1' }));
    await expect.poll(() => seen.length).toBe(1);
    await parts.events.append(event('other'));
    // One append makes the file too long, and the next begins a new one.
    await parts.events.append(event('wanted', { n: '2', filling: 'x'.repeat(EVENT_FILE_BYTES) }));
    expect(statSync(join(root, 'events.1.jsonl')).size).toBeGreaterThan(EVENT_FILE_BYTES);
    writeFileSync(join(root, 'events.jsonl'), '{"Type":"conta\n');
    await parts.events.append(event('wanted', { n: '3' }));
    await done;
    expect(seen.map(({ Actor }) => Actor.Attributes.n)).toEqual(['1', '2', '3']);
    leave.abort();
  });

  it('are followed into a new file that has grown past the place that was read of the old one', async () => {
    const { root, parts } = open();
    await parts.events.append(event('before'));
    const seen: string[] = [];
    const done = (async () => {
      for await (const { Action } of events(parts)) if (seen.push(Action) > 0 && Action === 'second') return;
    })();
    await expect
      .poll(async () => {
        await parts.events.append(event('first'));
        return seen.length;
      })
      .toBeGreaterThan(0);
    const next = open();
    await next.parts.events.append(event('second', { filling: 'x'.repeat(4096) }));
    renameSync(join(next.root, 'events.jsonl'), join(root, 'events.jsonl'));
    await done;
    expect(seen.at(-1)).toBe('second');
  });

  it('are filtered, and end with their time', async () => {
    const { parts } = open();
    await parts.events.append(event('exec_create: /app', { name: 'one', image: 'app:1', team: 'a' }));
    await parts.events.append({
      Type: 'image',
      Action: 'tag',
      Actor: { ID: 'sha256:1', Attributes: { name: 'app:1' } },
    });
    const told = async (filters: Record<string, string[]>) => {
      const found: string[] = [];
      for await (const { Type } of events(parts, { since: '0', until: String(Date.now() / 1000 + 0.01), filters })) {
        found.push(Type);
      }
      return found;
    };
    expect(await told({})).toEqual(['container', 'image']);
    expect(await told({ event: ['exec_create'] })).toEqual(['container']);
    expect(await told({ image: ['app'] })).toEqual(['container', 'image']);
    expect(await told({ container: ['one'] })).toEqual(['container']);
    expect(await told({ label: ['team=b'] })).toEqual([]);
    expect(await told({ type: ['image'] })).toEqual(['image']);
  });
});
