/** The part of the engine suite that is about registries. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Engine, PushEvent } from '../../src/engine/engine.ts';
import type { OpenedEngine } from './engine-suite.ts';
import { answer, type PushRegistry, startPushRegistry } from './push-registry.ts';

export function registryCases(opened: () => OpenedEngine): void {
  describe('a registry', () => {
    let registry: PushRegistry;
    let engine: Engine;
    const login = { username: 'me', password: 'secret' };

    beforeAll(async () => {
      registry = await startPushRegistry();
    });
    afterAll(() => registry.close());
    beforeEach(() => {
      engine = opened().engine;
      registry.login = undefined;
    });

    it('gets an image, and says what it has', async () => {
      const name = `${registry.host}/team/app:1`;
      await engine.images.tag(opened().image, name);
      const events: PushEvent[] = [];
      const [pushed, ...more] = await engine.images.push(name, { onEvent: (event) => events.push(event) });
      expect(more).toEqual([]);
      expect(registry.manifests.has(`team/app@${pushed?.digest}`)).toBe(true);
      expect(pushed).toMatchObject({ tag: '1' });
      expect(events[0]).toEqual({ status: `The push refers to repository [${registry.host}/team/app]` });
      expect(events.filter(({ status }) => status === 'Pushed').length).toBeGreaterThan(1);
      expect(events.at(-1)).toEqual({
        status: `1: digest: ${pushed?.digest} size: ${pushed?.sizeBytes}`,
        pushed,
      });
      const { Descriptor, Platforms } = await engine.images.distribution(name);
      expect(Descriptor).toMatchObject({ digest: pushed?.digest, size: pushed?.sizeBytes });
      expect(Platforms).toEqual([{ architecture: 'wasm', os: 'wasip1' }]);
    });

    it('gets every tag', async () => {
      for (const tag of ['a', 'b']) await engine.images.tag(opened().image, `${registry.host}/tags:${tag}`);
      const pushed = await engine.images.push(`${registry.host}/tags`, { all: true });
      expect(pushed.map(({ tag }) => tag)).toEqual(['a', 'b']);
      expect([registry.manifests.has('tags:a'), registry.manifests.has('tags:b')]).toEqual([true, true]);
    });

    it('is shown the login that came with the call', async () => {
      registry.login = { kind: 'bearer', ...login };
      const name = `${registry.host}/private:1`;
      await engine.images.tag(opened().image, name);
      await expect(engine.images.push(name)).rejects.toMatchObject({ code: 'unauthorized' });
      await engine.images.push(name, { credentials: login });
      await expect(engine.images.distribution(name)).rejects.toMatchObject({ code: 'unauthorized' });
      expect((await engine.images.distribution(name, { credentials: login })).Platforms).toHaveLength(1);
    });

    it('says who may log in', async () => {
      registry.login = { kind: 'basic', ...login };
      expect(await engine.system.login({ server: registry.host, ...login })).toEqual({ status: 'Login Succeeded' });
      const wrong = engine.system.login({ server: registry.host, username: 'me', password: 'wrong' });
      await expect(wrong).rejects.toMatchObject({
        code: 'unauthorized',
        message: `${registry.host} refused the login: wrong username or password`,
      });
    });

    it('gives a token to be kept', async () => {
      registry.login = { kind: 'bearer', ...login };
      registry.refreshToken = 'keep-me';
      const outcome = await engine.system.login({ server: registry.host, ...login });
      expect(outcome).toEqual({ status: 'Login Succeeded', identityToken: 'keep-me' });
    });

    it('is searched where it offers that', async () => {
      // One that never asked for a login.
      const hub = await startPushRegistry();
      const term = `${hub.host}/app`;
      await expect(engine.images.search(term)).rejects.toMatchObject({ code: 'unsupported' });
      const found = (name: string, star_count: number, is_official: boolean) => ({
        name,
        description: 'about it',
        star_count,
        is_official,
        is_automated: false,
      });
      const results = [found('app', 9, true), found('team/app', 2, false)];
      hub.plan(/GET \/v1\/search\?q=app&n=7$/, answer(200, {}, JSON.stringify({ results })));
      expect(await engine.images.search(term, { limit: 7 })).toEqual(results);
      expect(await engine.images.search(term, { limit: 7, filters: { stars: ['3'] } })).toEqual([results[0]]);
      await expect(engine.images.search(term, { limit: 101 })).rejects.toMatchObject({ code: 'invalid-argument' });
      await hub.close();
    });

    it('gets nothing of what is not here', async () => {
      await expect(engine.images.push(`${registry.host}/absent:1`)).rejects.toMatchObject({ code: 'no-such-image' });
      await expect(engine.images.push(`${registry.host}/absent`, { all: true })).rejects.toMatchObject({
        code: 'no-such-image',
      });
    });

    it('that is down is said to be', async () => {
      const gone = await startPushRegistry();
      const name = `${gone.host}/app:1`;
      await engine.images.tag(opened().image, name);
      await gone.close();
      await expect(engine.images.push(name)).rejects.toMatchObject({ code: 'registry-unreachable' });
    });
  });
}
