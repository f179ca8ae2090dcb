/** Our own registry on loopback: over a store in a temp directory, or in memory. */
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { nodeHasher } from '../../src/host/node/hasher.ts';
import { listenRegistry } from '../../src/registry/node/listener.ts';
import { openLocalStorage } from '../../src/registry/node/store.ts';
import { createRegistry, type Registry, type RegistryOptions } from '../../src/registry/registry.ts';
import { memoryDriver } from '../../src/registry/storage/memory-driver.ts';
import { removeTree } from './remove-tree.ts';

export interface StartedRegistry {
  /** `127.0.0.1:port`, plain http. */
  readonly host: string;
  /** `http://127.0.0.1:port` */
  readonly url: string;
  readonly registry: Registry;
  /** The store, unless it is in memory. */
  readonly root: string | undefined;
  /** Errors nobody threw on purpose. */
  readonly internalErrors: unknown[];
  stop(): Promise<void>;
}

export interface StartOptions extends Omit<Partial<RegistryOptions>, 'createHasher'> {
  readonly storage?: 'disk' | 'memory';
  /** A store that stays; default: one in a temp directory, removed at the end. */
  readonly root?: string;
}

export async function startRegistry(options: StartOptions = {}): Promise<StartedRegistry> {
  const { storage = 'disk', root: given, ...registryOptions } = options;
  const temp =
    storage === 'disk' && given === undefined ? mkdtempSync(join(tmpdir(), 'wctr-own-registry-')) : undefined;
  const root = storage === 'disk' ? (given ?? temp) : undefined;
  const opened = root === undefined ? undefined : await openLocalStorage(root, true);
  const internalErrors: unknown[] = [];
  const registry = createRegistry({
    driver: opened?.driver ?? memoryDriver(),
    onInternalError: (error) => internalErrors.push(error),
    ...registryOptions,
    createHasher: nodeHasher,
  });
  const listener = await listenRegistry((request) => registry.handle(request), { host: '127.0.0.1', port: 0 });
  return {
    host: new URL(listener.url).host,
    url: listener.url,
    registry,
    root,
    internalErrors,
    stop: async () => {
      await listener.close(0);
      await opened?.release();
      if (temp !== undefined) removeTree(temp);
    },
  };
}
