import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join as joinPath } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { NetworkStore } from '../../../src/containers/networks/network-store.ts';
import { networkPlan, publishPlan } from '../../../src/containers/networks/plan.ts';
import type { ContainerRecord } from '../../../src/containers/record.ts';
import type { Engine } from '../../../src/engine/engine.ts';
import { MemoryLocks } from '../../../src/host/memory-locks.ts';
import { nodeFileSystem } from '../../../src/host/node/file-system.ts';
import { nodeHasher } from '../../../src/host/node/hasher.ts';
import { openEngine } from '../../../src/node.ts';
import type { ContainerCreateRequest } from '../../../src/spec/engine-api.ts';
import { pieces } from '../../support/container-files.ts';
import { removeTree } from '../../support/remove-tree.ts';
import { entry, join } from '../../support/tar-builder.ts';

let dataRoot: string;
let engine: Engine;

beforeAll(async () => {
  dataRoot = mkdtempSync(joinPath(tmpdir(), 'wctr-networks-'));
  engine = await openEngine({ dataRoot, env: { HOME: dataRoot } });
  const module = new Uint8Array([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0]);
  const tar = join([entry({ name: 'app.wasm', data: module }), new Uint8Array(1024)]);
  await engine.images.import(pieces(tar), { reference: 'app:latest', changes: ['CMD ["/app.wasm"]', 'EXPOSE 80'] });
});

afterAll(async () => {
  await engine.close();
  removeTree(dataRoot);
});

const create = async (request: Omit<ContainerCreateRequest, 'Image'> = {}, name?: string) =>
  (await engine.containers.create({ Image: 'app:latest', ...request }, name === undefined ? {} : { name })).Id;

describe('networks', () => {
  it('are three to begin with, as docker shows them', async () => {
    const found = await engine.networks.list();
    expect(found.map(({ Name, Driver, Scope }) => [Name, Driver, Scope])).toEqual([
      ['bridge', 'bridge', 'local'],
      ['host', 'host', 'local'],
      ['none', 'null', 'local'],
    ]);
    expect((await engine.networks.inspect('bridge')).IPAM.Config).toEqual([
      { Subnet: '172.17.0.0/16', Gateway: '172.17.0.1' },
    ]);
    const { Id } = await engine.networks.inspect('bridge');
    expect((await engine.networks.inspect(Id.slice(0, 8))).Name).toBe('bridge');
    for (const name of ['bridge', 'host', 'none']) {
      await expect(engine.networks.remove(name)).rejects.toMatchObject({
        code: 'forbidden',
        message: `${name} is a pre-defined network and cannot be removed`,
      });
    }
  });

  it('get the next subnet, or the one asked for', async () => {
    const first = await engine.networks.create({ Name: 'first' });
    expect(first.Id).toMatch(/^[0-9a-f]{64}$/);
    await engine.networks.create({ Name: 'second', Labels: { a: 'b' }, Internal: true });
    await engine.networks.create({
      Name: 'third',
      IPAM: { Config: [{ Subnet: '10.1.0.0/16', IPRange: '10.1.5.0/24', Gateway: '10.1.0.254' }] },
    });
    expect((await engine.networks.inspect('first')).IPAM.Config).toEqual([
      { Subnet: '172.18.0.0/16', Gateway: '172.18.0.1' },
    ]);
    expect(await engine.networks.inspect('second')).toMatchObject({
      IPAM: { Config: [{ Subnet: '172.19.0.0/16', Gateway: '172.19.0.1' }] },
      Internal: true,
      Labels: { a: 'b' },
    });
    expect((await engine.networks.inspect('third')).IPAM.Config).toEqual([
      { Subnet: '10.1.0.0/16', IPRange: '10.1.5.0/24', Gateway: '10.1.0.254' },
    ]);
    const names = async (filters: Record<string, string[]>) =>
      (await engine.networks.list(filters)).map(({ Name }) => Name);
    expect(await names({ type: ['custom'] })).toEqual(['first', 'second', 'third']);
    expect(await names({ label: ['a=b'] })).toEqual(['second']);
    expect(await names({ name: ['ir'] })).toEqual(['first', 'third']);
    await expect(engine.networks.list({ what: ['x'] })).rejects.toMatchObject({ code: 'invalid-argument' });
  });

  it.each([
    [{ Name: 'first' }, 'conflict', 'network with name first already exists'],
    [{ Name: 'bridge' }, 'forbidden', 'operation is not permitted on predefined bridge network'],
    [{ Name: '../x' }, 'invalid-argument', 'invalid network name: "../x"'],
    [
      { Name: 'x', Driver: 'overlay' },
      'not-found',
      'could not find plugin overlay in v1 plugin registry: plugin not found',
    ],
    [
      { Name: 'x', IPAM: { Config: [{ Subnet: '10.8.0.0/16' }, { Subnet: '10.9.0.0/16' }] } },
      'forbidden',
      "bridge driver doesn't support multiple subnets",
    ],
    [
      { Name: 'x', IPAM: { Config: [{ Subnet: '10.1.128.0/20' }] } },
      'forbidden',
      'invalid pool request: Pool overlaps with other one on this address space',
    ],
    [
      { Name: 'x', IPAM: { Config: [{ Subnet: '10.9.0.0' }] } },
      'invalid-argument',
      'invalid subnet 10.9.0.0 : invalid CIDR address',
    ],
    [
      { Name: 'x', IPAM: { Config: [{ Subnet: '10.9.0.0/16', Gateway: '10.8.0.1' }] } },
      'invalid-argument',
      'no matching subnet for gateway 10.8.0.1',
    ],
  ])('refuse %o', async (request, code, message) => {
    await expect(engine.networks.create(request)).rejects.toMatchObject({ code, message });
  });

  it('of IPv6 have subnets of the store, or those asked for', async () => {
    await engine.networks.create({ Name: 'own6', EnableIPv6: true });
    const { EnableIPv6, IPAM } = await engine.networks.inspect('own6');
    expect([EnableIPv6, IPAM.Config.length]).toEqual([true, 2]);
    expect(IPAM.Config[1]).toMatchObject({ Subnet: expect.stringMatching(/^fd[0-9a-f:]+::\/64$/) });
    const two = [
      { Subnet: '10.66.0.0/24' },
      { Subnet: 'fd00:66::/64', Gateway: 'fd00:66::ff', IPRange: 'fd00:66::10:0/112' },
    ];
    await engine.networks.create({ Name: 'asked6', EnableIPv6: true, IPAM: { Config: two } });
    expect((await engine.networks.inspect('asked6')).IPAM.Config).toEqual([
      { Subnet: '10.66.0.0/24', Gateway: '10.66.0.1' },
      { Subnet: 'fd00:66::/64', Gateway: 'fd00:66::ff', IPRange: 'fd00:66::10:0/112' },
    ]);
    for (const [address, message] of [
      ['fd00:66::ff', 'Address already in use'],
      ['fd00:67::1', 'invalid endpoint settings:\nno configured subnet contains the IP address fd00:67::1'],
    ]) {
      const endpoints = { asked6: { IPAMConfig: { IPv6Address: address! } } };
      const request = { HostConfig: { NetworkMode: 'asked6' }, NetworkingConfig: { EndpointsConfig: endpoints } };
      await expect(create(request)).rejects.toMatchObject({ message });
    }
    for (const [Subnet, message] of [
      ['fd00:66::/48', 'invalid pool request: Pool overlaps with other one on this address space'],
      ['fd00:67::1/64', 'invalid network config:\ninvalid subnet fd00:67::1/64: it should be fd00:67::/64'],
      ['fd00:67::/127', 'the subnet fd00:67::/127 has no room for containers'],
    ]) {
      const request = { Name: 'x', EnableIPv6: true, IPAM: { Config: [{ Subnet: Subnet! }] } };
      await expect(engine.networks.create(request)).rejects.toMatchObject({ message });
    }
    for (const name of ['own6', 'asked6']) await engine.networks.remove(name);
  });

  it('take containers and let them go', async () => {
    const id = await create(
      { HostConfig: { NetworkMode: 'first' }, NetworkingConfig: { EndpointsConfig: { first: { Aliases: ['web'] } } } },
      'c1',
    );
    expect((await engine.containers.inspect(id)).NetworkSettings.Networks.first).toMatchObject({ Aliases: ['web'] });
    await engine.networks.connect('third', 'c1', { IPAMConfig: { IPv4Address: '10.1.0.9' } });
    expect(Object.keys((await engine.containers.inspect(id)).NetworkSettings.Networks)).toEqual(['first', 'third']);
    await expect(engine.networks.connect('third', 'c1')).rejects.toMatchObject({ code: 'forbidden' });
    await expect(engine.networks.connect('bridge', 'c1', { Aliases: ['x'] })).rejects.toMatchObject({
      code: 'invalid-argument',
    });
    await engine.networks.disconnect('third', 'c1');
    await expect(engine.networks.disconnect('third', 'c1')).rejects.toMatchObject({
      code: 'forbidden',
      message: `container ${id} is not connected to network third`,
    });
    await expect(create({ HostConfig: { NetworkMode: 'nowhere' } })).rejects.toMatchObject({
      code: 'not-found',
      message: 'network nowhere not found',
    });
    // In use by a container that is stopped: not pruned.
    expect((await engine.networks.prune()).NetworksDeleted).toEqual(['second', 'third']);
    await engine.containers.remove(id);
    await engine.networks.remove('first');
    expect(await engine.networks.list({ type: ['custom'] })).toEqual([]);
  });
});

describe('addresses', () => {
  it('are leased to containers until they are removed', async () => {
    const root = mkdtempSync(joinPath(tmpdir(), 'wctr-leases-'));
    const states = new Map<string, 'running' | 'stopped'>();
    const open = () =>
      new NetworkStore({
        fs: nodeFileSystem,
        root,
        createHasher: nodeHasher,
        locks,
        randomBytes: (length) => crypto.getRandomValues(new Uint8Array(length)),
        containerState: async (id) => states.get(id) ?? 'gone',
      });
    const locks = new MemoryLocks();
    await nodeFileSystem.mkdir(`${root}/tmp`, { recursive: true });
    const store = open();
    const leases = await Promise.all(['a', 'b', 'c'].map((id) => open().lease('bridge', id, {})));
    expect(leases.map(({ IPAddress }) => IPAddress).sort()).toEqual(['172.17.0.2', '172.17.0.3', '172.17.0.4']);
    expect(leases[0]).toMatchObject({
      Gateway: '172.17.0.1',
      IPPrefixLen: 16,
      MacAddress: expect.stringMatching(/^02:42:ac:11:00:0[234]$/),
    });
    const [first] = leases;
    expect((await store.lease('bridge', 'a', {})).IPAddress).toBe(first!.IPAddress);
    const asked = { IPAMConfig: { IPv4Address: first!.IPAddress! } };
    states.set('a', 'running');
    await expect(store.lease('bridge', 'd', asked)).rejects.toMatchObject({
      code: 'forbidden',
      message: 'Address already in use',
    });
    states.set('a', 'stopped');
    expect((await store.lease('bridge', 'd', asked)).IPAddress).toBe(first!.IPAddress);
    const { key } = await store.find('bridge');
    await store.release(key, 'd');
    expect((await store.lease('bridge', 'e', {})).IPAddress).toBe(first!.IPAddress);
    // Those of containers that went unseen come back.
    for (let i = 0; i < 70; i++) await store.lease('bridge', `gone${i}`, {});
    expect(Object.keys((await store.find('bridge')).leases).length).toBeLessThan(40);
    states.set('kept', 'stopped');
    await store.lease('bridge', 'kept', {});
    await store.sweep();
    expect(Object.keys((await store.find('bridge')).leases)).toEqual(['kept']);
    removeTree(root);
  });
});

describe('the plan for a container', () => {
  const record = {
    key: 'f'.repeat(64),
    name: 'web',
    config: { Hostname: 'web', ExposedPorts: { '80/tcp': {}, '53/udp': {}, '9/sctp': {} } },
    hostConfig: {
      PortBindings: { '8080/tcp': [{ HostPort: '1' }], '81': null },
      PublishAllPorts: true,
      ExtraHosts: ['a:1.2.3.4'],
      Links: ['db:data'],
    },
    networks: { none: {} },
  } as unknown as ContainerRecord;

  it('publishes what was asked for and, with -P, what is exposed', () => {
    const anywhere = [{ HostIp: '', HostPort: '' }];
    expect(publishPlan(record)).toEqual({
      '8080/tcp': [{ HostPort: '1' }],
      '81/tcp': anywhere,
      '80/tcp': anywhere,
      '53/udp': anywhere,
    });
    expect(() => publishPlan({ ...record, hostConfig: { PortBindings: { 'x/tcp': null } } })).toThrow(
      'invalid port specification: "x/tcp"',
    );
  });

  it('says the mode', () => {
    expect(networkPlan(record, [], '/run')).toMatchObject({
      mode: 'none',
      listen: ['81/tcp', '8080/tcp', '80/tcp'],
      extraHosts: ['a:1.2.3.4'],
    });
    expect(networkPlan({ ...record, networks: { host: {} } }, [], '/run').mode).toBe('host');
  });
});
