import type { EventMessage } from '../../spec/engine-api.ts';
import type { DiskUsage, EventOptions, LoginOutcome, LoginRequest, SystemUseCases } from '../engine.ts';
import { type ApiClient, filterText } from './api-client.ts';

export class RemoteSystem implements SystemUseCases {
  readonly #api: ApiClient;

  constructor(api: ApiClient) {
    this.#api = api;
  }

  async login({ server, username, password, identityToken, signal }: LoginRequest): Promise<LoginOutcome> {
    const answer = await this.#api.json<{ Status?: string; IdentityToken?: string } | undefined>('POST', '/auth', {
      json: { username, password, serveraddress: server, identitytoken: identityToken },
      ...(signal === undefined ? {} : { signal }),
    });
    const token = answer?.IdentityToken;
    return {
      status: answer?.Status || 'Login Succeeded',
      ...(token === undefined || token === '' ? {} : { identityToken: token }),
    };
  }

  info(): Promise<Record<string, unknown>> {
    return this.#api.json('GET', '/info');
  }

  version(): Promise<Record<string, unknown>> {
    return this.#api.json('GET', '/version');
  }

  async diskUsage(): Promise<DiskUsage> {
    const usage = await this.#api.json<DiskUsageDocument>('GET', '/system/df');
    return usage.WctrUsage ?? summed(usage);
  }

  async *events({ since, until, filters, signal }: EventOptions = {}): AsyncGenerator<EventMessage> {
    try {
      yield* this.#api.lines<EventMessage>('GET', '/events', {
        query: { since, until, filters: filterText(filters) },
        ...(signal === undefined ? {} : { signal }),
      });
    } catch (error) {
      // Whoever asked has heard enough.
      if (signal?.aborted !== true) throw error;
    }
  }
}

interface DiskUsageDocument {
  readonly LayersSize?: number;
  readonly Images?: readonly { Size: number; Containers: number }[] | null;
  readonly Containers?: readonly { SizeRw?: number; State: string }[] | null;
  readonly Volumes?: readonly { UsageData?: { Size: number; RefCount: number } }[] | null;
  readonly BuildCache?: readonly { Size: number; InUse: boolean }[] | null;
  /** Of our own daemon, which knows it exactly. */
  readonly WctrUsage?: DiskUsage;
}

function summed({ LayersSize = 0, Images, Containers, Volumes, BuildCache }: DiskUsageDocument): DiskUsage {
  const row = (sizes: readonly (readonly [size: number, isUsed: boolean])[]) => ({
    total: sizes.length,
    active: sizes.filter(([, isUsed]) => isUsed).length,
    sizeBytes: sizes.reduce((sum, [size]) => sum + size, 0),
    reclaimableBytes: sizes.reduce((sum, [size, isUsed]) => sum + (isUsed ? 0 : size), 0),
  });
  const images = (Images ?? []).map((image) => [image.Size, image.Containers > 0] as const);
  return {
    images: { ...row(images), sizeBytes: LayersSize },
    containers: row((Containers ?? []).map(({ SizeRw = 0, State }) => [SizeRw, State === 'running'])),
    volumes: row((Volumes ?? []).map(({ UsageData }) => [UsageData?.Size ?? 0, (UsageData?.RefCount ?? 0) > 0])),
    cache: row((BuildCache ?? []).map(({ Size, InUse }) => [Size, InUse])),
  };
}
