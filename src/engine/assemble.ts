/** Puts an engine together from one host's adapters: stores over its files, client over its fetch. */
import { ContainerRecords } from '../containers/records.ts';
import type { CredentialHelpers, FileSystem, Locks } from '../host/ports.ts';
import type { LayerStore } from '../images/contracts.ts';
import type { CreateHasher } from '../images/digest.ts';
import { ImageStore } from '../images/image-store.ts';
import type { RegistryClient } from '../images/registry/client.ts';
import type { RegistriesConfig } from '../images/registry/registries.ts';
import type { TransportOptions } from '../images/registry/transport.ts';
import { BlobStore } from '../images/store/blob-store.ts';
import { StoreLayout } from '../images/store/layout.ts';
import { Leases } from '../images/store/leases.ts';
import { LocalEngine } from './local-engine.ts';
import type { EngineHost, SandboxChoice } from './parts.ts';

export interface EngineAdapters {
  readonly version: string;
  /** Data root of the store. */
  readonly root: string;
  readonly fs: FileSystem;
  readonly locks: Locks;
  readonly createHasher: CreateHasher;
  readonly locateBy: 'path' | 'bytes';
  readonly layers: (stores: LayerStoreParts) => LayerStore;
  readonly sandboxes: SandboxChoice;
  readonly host: EngineHost;
  readonly transport: Pick<TransportOptions, 'fetch' | 'lookup'>;
  /** Where the docker config and `registries.json` are; absent in a browser. */
  readonly config?: {
    readonly env: Readonly<Record<string, string | undefined>>;
    readonly helpers?: CredentialHelpers;
    /** Directory of wctr's own configuration. */
    readonly directory: string;
  };
  /** In place of the file `registries.json`. */
  readonly registries?: RegistriesConfig;
}

export interface LayerStoreParts extends Pick<EngineAdapters, 'fs' | 'locks' | 'createHasher' | 'locateBy'> {
  readonly layout: StoreLayout;
  readonly content: BlobStore;
}

export function assembleEngine(adapters: EngineAdapters): LocalEngine {
  const { root, fs, locks, createHasher, locateBy, sandboxes, host, version } = adapters;
  const layout = new StoreLayout(root);
  const content = new BlobStore({ fs, layout, locks, createHasher, locateBy });
  const layers = adapters.layers({ fs, layout, locks, content, createHasher, locateBy });
  let client: Promise<RegistryClient> | undefined;
  return new LocalEngine({
    version,
    fs,
    locks,
    layout,
    createHasher,
    content,
    layers,
    images: new ImageStore({ fs, layout, locks, createHasher, content, layers }),
    leases: new Leases({ fs, layout, locks, createHasher }),
    containers: new ContainerRecords({ fs, root: layout.root, createHasher, isAlive: host.isAlive }),
    registry: () => {
      // Loaded when a registry is asked: most runs find their image here.
      client ??= import('./registry-client.ts').then(({ openRegistryClient }) => openRegistryClient(adapters));
      return client;
    },
    sandboxes,
    host,
  });
}
