/** What a host brings: its files, locks, hashes, sandboxes and network. A composition root fills this in. */
import type { VolumeDriver } from '../containers/volumes/driver.ts';
import type { CoreModules } from '../core/core-modules.ts';
import type { CredentialHelpers, FileSystem, Locks } from '../host/ports.ts';
import type { LayerStore } from '../images/contracts.ts';
import type { CreateHasher } from '../images/digest.ts';
import type { RegistryClientOptions } from '../images/registry/client.ts';
import type { RegistriesConfig } from '../images/registry/registries.ts';
import type { BlobStore } from '../images/store/blob-store.ts';
import type { StoreLayout } from '../images/store/layout.ts';
import type { EngineHost, SandboxChoice } from './parts.ts';

export interface EngineAdapters {
  readonly version: string;
  /** Data root of the store. */
  readonly root: string;
  readonly fs: FileSystem;
  readonly locks: Locks;
  readonly createHasher: CreateHasher;
  readonly core: CoreModules;
  readonly locateBy: 'path' | 'bytes';
  readonly layers: (stores: LayerStoreParts) => LayerStore;
  readonly sandboxes: SandboxChoice;
  readonly host: EngineHost;
  readonly transport: Pick<RegistryClientOptions, 'fetch' | 'lookup' | 'canStream'>;
  /** Where the docker config and `registries.json` are; absent in a browser. */
  readonly config?: {
    readonly env: Readonly<Record<string, string | undefined>>;
    readonly helpers?: CredentialHelpers;
    /** Directory of wctr's own configuration. */
    readonly directory: string;
  };
  /** Beside `local` and `memfs`. */
  readonly volumeDrivers?: readonly VolumeDriver[];
  /** In place of the file `registries.json`. */
  readonly registries?: RegistriesConfig;
}

export interface LayerStoreParts extends Pick<EngineAdapters, 'fs' | 'locks' | 'createHasher' | 'locateBy'> {
  readonly layout: StoreLayout;
  readonly content: BlobStore;
}
