/**
 * What commands that work on registries directly need of this machine. As with docker, these run where the command runs,
 * whatever engine the others speak to: logins, `manifest`, `image copy`, `artifact`.
 */
import type { FileSystem } from '../host/ports.ts';
import type { CreateHasher } from '../images/digest.ts';
import type { RegistryClient } from '../images/registry/client.ts';
import type { LoginStore } from '../images/registry/login-store.ts';

export interface RegistryTools {
  /** `insecure`: hosts that may be spoken to over plain http, beside those of registries.json. */
  client(insecure?: readonly string[]): Promise<RegistryClient>;
  readonly logins: LoginStore;
  readonly fs: FileSystem;
  readonly createHasher: CreateHasher;
  /** wctr's own configuration. */
  readonly configDirectory: string;
  /** A new empty directory; `remove` takes it away with all that is in it. */
  tempDirectory(): Promise<{ readonly path: string; remove(): Promise<void> }>;
}
