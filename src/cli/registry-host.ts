/** What `wctr registry` needs of the machine. */
import type { CreateHasher } from '../images/digest.ts';
import type { RegistryRequest, Reply } from '../registry/http.ts';
import type { Driver } from '../registry/storage/driver.ts';

export interface RegistryHost {
  /** Over the store of images at `root`; default, this user's. `isServing`: no other process may serve it meanwhile. */
  openStorage(root: string | undefined, isServing: boolean): Promise<{ driver: Driver; release(): Promise<void> }>;
  readonly createHasher: CreateHasher;
  listen(
    handle: (request: RegistryRequest) => Promise<Reply>,
    options: {
      readonly host: string;
      readonly port: number;
      readonly tls?: { readonly key: Uint8Array; readonly cert: Uint8Array; readonly ca?: Uint8Array };
    },
  ): Promise<{ readonly url: string; close(graceMs: number): Promise<void> }>;
  /** Resolves with the name of the first signal to end; a second one ends at once. */
  untilTold(): Promise<string>;
}
