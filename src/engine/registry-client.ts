/** The registry client with the user's logins and the configuration of registries. */
import type { FileSystem } from '../host/ports.ts';
import { RegistryClient } from '../images/registry/client.ts';
import type { CredentialSource } from '../images/registry/credentials.ts';
import { dockerConfigPath, dockerCredentials, readDockerConfig } from '../images/registry/docker-config.ts';
import { NO_REGISTRIES, parseRegistriesConfig, type RegistriesConfig } from '../images/registry/registries.ts';
import type { EngineAdapters } from './adapters.ts';

type ClientAdapters = Pick<EngineAdapters, 'fs' | 'createHasher' | 'transport' | 'config' | 'version' | 'registries'>;

/**
 * @param credentials In place of the docker config's.
 * @param insecure Further hosts that may be spoken to over plain http.
 * @throws invalid-argument for a configuration that cannot be understood
 */
export async function openRegistryClient(
  adapters: ClientAdapters,
  credentials?: CredentialSource,
  insecure: readonly string[] = [],
): Promise<RegistryClient> {
  const { fs, createHasher, transport, config, version, registries } = adapters;
  const path = config === undefined ? undefined : dockerConfigPath(config.env);
  const docker = path === undefined || credentials !== undefined ? undefined : await readDockerConfig(fs, path);
  const known = registries ?? (config === undefined ? NO_REGISTRIES : await readRegistries(fs, config.directory));
  return new RegistryClient({
    ...transport,
    createHasher,
    userAgent: `wctr/${version}`,
    registries: insecure.length === 0 ? known : { ...known, insecure: [...known.insecure, ...insecure] },
    ...(credentials === undefined ? {} : { credentials }),
    ...(docker === undefined ? {} : { credentials: dockerCredentials(docker, config?.helpers) }),
  });
}

async function readRegistries(fs: FileSystem, directory: string): Promise<RegistriesConfig> {
  const path = `${directory}/registries.json`;
  try {
    return parseRegistriesConfig(new TextDecoder().decode(await fs.readFile(path)), path);
  } catch (error) {
    const code = (error as { code?: unknown }).code;
    if (code === 'ENOENT' || code === 'ENOTDIR') return NO_REGISTRIES;
    throw error;
  }
}
