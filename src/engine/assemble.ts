/** Puts an engine together from one host's adapters: stores over its files, client over its fetch. */
import { EventLog } from '../containers/events.ts';
import { ContainerRecords } from '../containers/records.ts';
import { ImageStore } from '../images/image-store.ts';
import type { RegistryClient } from '../images/registry/client.ts';
import { BlobStore } from '../images/store/blob-store.ts';
import { StoreLayout } from '../images/store/layout.ts';
import { Leases } from '../images/store/leases.ts';
import type { EngineAdapters } from './adapters.ts';
import { LocalEngine } from './local-engine.ts';
import type { EngineParts } from './parts.ts';

export function assembleEngine(adapters: EngineAdapters): LocalEngine {
  return new LocalEngine(engineParts(adapters));
}

export function engineParts(adapters: EngineAdapters): EngineParts {
  const { root, fs, locks, createHasher, core, locateBy, sandboxes, host, version } = adapters;
  const layout = new StoreLayout(root);
  const content = new BlobStore({ fs, layout, locks, createHasher, locateBy });
  const layers = adapters.layers({ fs, layout, locks, content, createHasher, locateBy });
  let client: Promise<RegistryClient> | undefined;
  return {
    version,
    fs,
    locks,
    layout,
    createHasher,
    core,
    content,
    layers,
    images: new ImageStore({ fs, layout, locks, createHasher, content, layers }),
    leases: new Leases({ fs, layout, locks, createHasher }),
    containers: new ContainerRecords({
      fs,
      root: layout.root,
      createHasher,
      locks,
      isAlive: host.isAlive,
      ...(host.listeners === undefined ? {} : { listeners: host.listeners }),
      keepsListing: host.tellsRenames === true,
    }),
    events: new EventLog({ fs, root: layout.root, locks }),
    registry: (credentials) => {
      // Loaded when a registry is asked: most runs find their image here.
      const open = async () => (await import('./registry-client.ts')).openRegistryClient(adapters, credentials);
      // What one caller's login opens is not for the next.
      if (credentials !== undefined) return open();
      client ??= open();
      return client;
    },
    sandboxes,
    host,
    ...(adapters.config === undefined ? {} : { policyDirectory: adapters.config.directory }),
    ...(adapters.volumeDrivers === undefined ? {} : { volumeDrivers: adapters.volumeDrivers }),
  };
}
