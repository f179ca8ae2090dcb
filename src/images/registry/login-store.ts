/**
 * Where logins are kept, as docker keeps them: with the credential helper the config names for a registry, else in
 * docker's config.json, of which nothing else is touched.
 */
import { WctrError } from '../../errors.ts';
import type { CredentialStore, FileSystem } from '../../host/ports.ts';
import type { Credentials } from './credentials.ts';
import {
  DOCKER_HUB_KEY,
  type DockerConfig,
  dockerCredentials,
  helperOf,
  keysOf,
  parseDockerConfig,
} from './docker-config.ts';
import { removeMember, setMember } from './json-edit.ts';
import { DOCKER_HUB } from './registries.ts';

export interface LoginStoreOptions {
  /** docker's config.json. */
  readonly path: string;
  readonly fs: Pick<FileSystem, 'readFile'>;
  /** Whole or not at all; through a symbolic link, and with the mode the file has. */
  readonly replaceFile: (path: string, text: string) => Promise<void>;
  readonly helpers?: CredentialStore | undefined;
  /** One change at a time, over all processes. */
  readonly alone: <T>(change: () => Promise<T>) => Promise<T>;
}

export interface NewLogin {
  readonly username: string;
  readonly password: string;
  /** Kept in place of the password. */
  readonly identityToken?: string | undefined;
}

export class LoginStore {
  private readonly options: LoginStoreOptions;

  constructor(options: LoginStoreOptions) {
    this.options = options;
  }

  get path(): string {
    return this.options.path;
  }

  async get(domain: string): Promise<Credentials | undefined> {
    const { config } = await this.read();
    return dockerCredentials(config, this.options.helpers)(domain);
  }

  /** @returns where it is kept now: a helper's name, or undefined for the file. */
  async put(domain: string, { username, password, identityToken }: NewLogin): Promise<string | undefined> {
    const key = keyOf(domain);
    return this.options.alone(async () => {
      const { text, config } = await this.read();
      const helper = helperOf(config, domain);
      if (helper !== undefined) {
        // docker's convention for a secret that is a token.
        const name = identityToken === undefined ? username : '<token>';
        await this.store().store(helper, key, name, identityToken ?? password);
        return helper;
      }
      const secret = identityToken === undefined ? password : '';
      let changed = setMember(text, ['auths', key, 'auth'], encode(`${username}:${secret}`));
      if (identityToken !== undefined) changed = setMember(changed, ['auths', key, 'identitytoken'], identityToken);
      const stale = [
        'username',
        'password',
        'registrytoken',
        ...(identityToken === undefined ? ['identitytoken'] : []),
      ];
      for (const name of stale) changed = removeMember(changed, ['auths', key, name]);
      await this.options.replaceFile(this.path, changed);
      return undefined;
    });
  }

  /** False when there was nothing to forget. */
  async remove(domain: string): Promise<boolean> {
    return this.options.alone(async () => {
      const { text, config } = await this.read();
      const helper = helperOf(config, domain);
      let found = false;
      if (helper !== undefined) {
        found = (await this.store().get(helper, keyOf(domain))) !== undefined;
        if (found) await this.store().erase(helper, keyOf(domain));
      }
      let changed = text;
      for (const key of keysOf(config, domain)) changed = removeMember(changed, ['auths', key]);
      if (changed === text) return found;
      await this.options.replaceFile(this.path, changed);
      return true;
    });
  }

  private store(): CredentialStore {
    const { helpers } = this.options;
    if (helpers !== undefined) return helpers;
    throw new WctrError('unsupported', `${this.path} names a credential helper, and this host runs no programs`);
  }

  private async read(): Promise<{ text: string; config: DockerConfig }> {
    const { fs, path } = this.options;
    let text = '';
    try {
      text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(await fs.readFile(path));
    } catch (cause) {
      const code = (cause as { code?: unknown }).code;
      if (code !== 'ENOENT' && code !== 'ENOTDIR') {
        throw new WctrError('invalid-argument', `cannot read ${path}: ${String(code ?? 'it is not UTF-8')}`, { cause });
      }
    }
    return { text, config: parseDockerConfig(text, path) };
  }
}

/** What docker's files and helpers call a registry. */
export function keyOf(domain: string): string {
  return domain === DOCKER_HUB ? DOCKER_HUB_KEY : domain;
}

function encode(text: string): string {
  return btoa(String.fromCharCode(...new TextEncoder().encode(text)));
}
