import type { ContextFiles } from '../../build/context/directory-tree.ts';
import type { HttpClient } from '../../host/http.ts';
import type { CredentialSource } from '../../images/registry/credentials.ts';
import type { NetworkCreateRequest, Volume, VolumeCreateRequest } from '../../spec/engine-api.ts';
import type { BuildUseCases } from '../builds.ts';
import type {
  ContainerUseCases,
  Engine,
  ExecUseCases,
  ImageUseCases,
  NetworkUseCases,
  SystemUseCases,
  VolumeUseCases,
} from '../engine.ts';
import { ApiClient, filterText } from './api-client.ts';
import { RemoteBuilds } from './remote-builds.ts';
import { RemoteContainers } from './remote-containers.ts';
import { RemoteExec } from './remote-exec.ts';
import { RemoteImages } from './remote-images.ts';
import { RemoteSystem } from './remote-system.ts';

/** The engine of another process, over the Engine API: `wctr daemon`, or anything else that serves it. */
export class RemoteEngine implements Engine {
  readonly images: ImageUseCases;
  readonly containers: ContainerUseCases;
  readonly exec: ExecUseCases;
  readonly volumes: VolumeUseCases;
  readonly networks: NetworkUseCases;
  readonly system: SystemUseCases;
  readonly builds: BuildUseCases;
  readonly #api: ApiClient;

  /**
   * @param host What messages call the other side: `unix:///run/wctr.sock`.
   * @param credentials Logins of this side's user, shown to the registry by the other side, as with docker.
   * @param files Directories of this side, where it has any: a build sends them.
   */
  constructor(http: HttpClient, host: string, credentials?: CredentialSource, files?: () => Promise<ContextFiles>) {
    const api = new ApiClient(http, host);
    this.#api = api;
    this.images = new RemoteImages(api, credentials);
    this.containers = new RemoteContainers(api, this.images);
    this.exec = new RemoteExec(api);
    this.volumes = remoteVolumes(api);
    this.networks = remoteNetworks(api);
    this.system = new RemoteSystem(api);
    this.builds = new RemoteBuilds({
      api,
      images: this.images,
      containers: this.containers,
      ...(credentials === undefined ? {} : { logins: credentials }),
      ...(files === undefined ? {} : { files }),
    });
  }

  close(): Promise<void> {
    return this.#api.close();
  }
}

function remoteVolumes(api: ApiClient): VolumeUseCases {
  const at = (name: string) => `/volumes/${encodeURIComponent(name)}`;
  return {
    create: (request: VolumeCreateRequest) => api.json<Volume>('POST', '/volumes/create', { json: request }),
    list: (filters) => api.json('GET', '/volumes', { query: { filters: filterText(filters) } }),
    inspect: (name) => api.json('GET', at(name)),
    remove: (name, { force = false } = {}) => api.done('DELETE', at(name), { query: { force } }),
    prune: (filters) => api.json('POST', '/volumes/prune', { query: { filters: filterText(filters) } }),
  };
}

function remoteNetworks(api: ApiClient): NetworkUseCases {
  const at = (name: string) => `/networks/${encodeURIComponent(name)}`;
  return {
    create: (request: NetworkCreateRequest) => api.json('POST', '/networks/create', { json: request }),
    list: (filters) => api.json('GET', '/networks', { query: { filters: filterText(filters) } }),
    inspect: (name) => api.json('GET', at(name)),
    connect: (name, Container, EndpointConfig) =>
      api.done('POST', `${at(name)}/connect`, { json: { Container, EndpointConfig } }),
    disconnect: (name, Container, { force: Force = false } = {}) =>
      api.done('POST', `${at(name)}/disconnect`, { json: { Container, Force } }),
    remove: (name) => api.done('DELETE', at(name)),
    prune: (filters) => api.json('POST', '/networks/prune', { query: { filters: filterText(filters) } }),
  };
}
