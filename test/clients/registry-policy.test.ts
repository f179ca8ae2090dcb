/** A policy that wants signatures, at both registries: who may pull, run, push and copy. */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Engine } from '../../src/engine/engine.ts';
import { openEngine } from '../../src/node.ts';
import { tempDir } from '../support/image-store.ts';
import { REGISTRIES, type RegistryCli, registryCli } from '../support/registry-cli.ts';
import { createTestClient } from '../support/registry-client.ts';
import { writeLayout } from '../support/registry-images.ts';
import { attachSignature, signatureOf, signingKey, simpleSigning } from '../support/signing.ts';
import { smokeImage } from '../support/smoke-image.ts';

const KEY = signingKey();
const STRANGER = signingKey();

describe.each(REGISTRIES)('%s', (_name, start) => {
  let registry: { host: string; stop(): Promise<void> };
  let dir: ReturnType<typeof tempDir>;
  let engine: Engine;
  let wctr: RegistryCli;
  let config: string;
  const image = smokeImage();
  let name: string;
  let count = 0;

  beforeAll(async () => {
    registry = await start();
  });
  afterAll(() => registry?.stop());
  beforeEach(async () => {
    dir = tempDir();
    config = join(dir.path, 'config');
    mkdirSync(config);
    writeFileSync(join(config, 'key.pub'), KEY.publicPem);
    const env = { HOME: dir.path, WCTR_CONFIG_DIR: config };
    wctr = registryCli(dir.path, env);
    engine = await openEngine({ dataRoot: join(dir.path, 'data'), env });
    name = `${registry.host}/team/app-${++count}:1`;
    writeLayout(join(dir.path, 'layout'), '1', image);
    await wctr.done('image', 'copy', '-q', `oci:${dir.path}/layout`, `docker://${name}`);
  });
  afterEach(async () => {
    await engine.close();
    dir[Symbol.dispose]();
  });

  function policy(requirement: object, fallback = 'insecureAcceptAnything'): void {
    const docker = { [`${registry.host}/team`]: [requirement] };
    writeFileSync(
      join(config, 'policy.json'),
      JSON.stringify({ default: [{ type: fallback }], transports: { docker } }),
    );
  }
  const wantsKey = (identity = 'matchRepoDigestOrExact') =>
    policy({ type: 'sigstoreSigned', keyPath: join(config, 'key.pub'), signedIdentity: { type: identity } });
  const place = () => ({ domain: registry.host, path: `team/app-${count}` });
  async function signed(by = KEY, where: 'tag' | 'referrer' = 'tag', as = name): Promise<void> {
    const payload = simpleSigning(as, image.target.digest);
    await attachSignature(createTestClient(), place(), image.target, payload, signatureOf(by, payload), where);
  }
  const refusal = (why: string) => ({ code: 'forbidden', message: `the policy does not allow ${name}: ${why}` });
  async function run(): Promise<number> {
    const { containers } = engine;
    const { Id } = await containers.create({ Image: name, Cmd: ['hello'], HostConfig: { NetworkMode: 'none' } });
    await containers.remove(Id);
    return 0;
  }

  it('lets in what is signed by the key, and runs it without asking again', async () => {
    await signed();
    wantsKey();
    await engine.images.pull(name);
    expect(await run()).toBe(0);
    await engine.images.push(name);
  });

  it('finds signatures that refer to the image', async () => {
    await signed(KEY, 'referrer');
    wantsKey();
    await engine.images.pull(name);
    expect(await run()).toBe(0);
  });

  it('lets in nothing that is unsigned, and leaves nothing of it', async () => {
    wantsKey();
    await expect(engine.images.pull(name)).rejects.toMatchObject({
      ...refusal('it has no signature'),
      hint: `the policy is ${join(config, 'policy.json')}`,
    });
    expect(await engine.images.list()).toEqual([]);
    await expect(run()).rejects.toMatchObject({ code: 'no-such-image' });
  });

  it('does not count signatures of strangers, or for others', async () => {
    await signed(STRANGER);
    wantsKey();
    await expect(engine.images.pull(name)).rejects.toMatchObject(refusal('it is signed by another key'));
    await signed(KEY, 'referrer', `${registry.host}/team/other:1`);
    await expect(engine.images.pull(name)).rejects.toMatchObject(
      refusal(`the signature is for "${registry.host}/team/other:1"`),
    );
    wantsKey('matchRepository');
    await signed(KEY, 'tag', name.replace(/:1$/, ''));
    await engine.images.pull(name);
  });

  it('is asked again when it has changed since the pull', async () => {
    await engine.images.pull(name);
    expect(await run()).toBe(0);
    wantsKey();
    await expect(run()).rejects.toMatchObject({
      ...refusal('it has no signature'),
      hint: `if it has been signed since, pull it again: wctr pull ${name}`,
    });
    await expect(engine.images.push(name)).rejects.toMatchObject({ code: 'forbidden' });
    await signed();
    await engine.images.pull(name);
    expect(await run()).toBe(0);
    policy({ type: 'reject' });
    await expect(run()).rejects.toMatchObject(refusal('it rejects all images there'));
    rmSync(join(config, 'policy.json'));
    expect(await run()).toBe(0);
  });

  it('says nothing of what was loaded here', async () => {
    policy({ type: 'reject' }, 'reject');
    const [loaded] = await engine.images.load({ directory: join(dir.path, 'layout') });
    const { containers } = engine;
    await containers.create({ Image: loaded!.id, HostConfig: { NetworkMode: 'none' } });
  });

  it('is asked before something is copied', async () => {
    wantsKey();
    const copy = ['image', 'copy', '-q', `docker://${name}`, `oci:${dir.path}/out:1`];
    expect(await wctr.run(...copy)).toMatchObject({
      code: 1,
      stderr: expect.stringContaining(`the policy does not allow ${name}: it has no signature`),
    });
    await signed();
    expect(await wctr.done(...copy)).toBe(image.target.digest);
    policy({ type: 'insecureAcceptAnything' }, 'reject');
    const { stderr } = await wctr.run('image', 'copy', '-q', `oci:${dir.path}/out:1`, `docker://${name}`);
    expect(stderr).toContain(`the policy does not allow ${dir.path}/out:1: it rejects all images there`);
  });

  it.each([
    [{ type: 'signedBy', keyType: 'GPGKeys', keyPath: '/k' }, 'it asks for a GPG signature, which is not checked here'],
    [{ type: 'reject' }, 'it rejects all images there'],
  ])('refuses by %j', async (requirement, why) => {
    policy(requirement);
    await expect(engine.images.pull(name)).rejects.toMatchObject(refusal(why));
  });

  it('that cannot be understood lets nothing in', async () => {
    await engine.images.pull(name);
    writeFileSync(join(config, 'policy.json'), '{"default":[{"type":"allow"}]}');
    await expect(engine.images.pull(name)).rejects.toMatchObject({ code: 'invalid-argument' });
    await expect(run()).rejects.toMatchObject({ code: 'invalid-argument' });
    policy({ type: 'sigstoreSigned', keyPath: join(config, 'absent.pub') });
    await signed();
    await expect(engine.images.pull(name)).rejects.toMatchObject({
      message: `the policy names the key ${join(config, 'absent.pub')}, which cannot be read`,
    });
  });
});
