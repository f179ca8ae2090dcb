/** A registry client for tests: Node's fetch and SHA, and waits short enough for a test. */
import { RegistryClient, type RegistryClientOptions } from '../../src/images/registry/client.ts';
import type { Timing } from '../../src/images/registry/transport.ts';
import { createNodeHasher } from './image-store.ts';

export const FAST: Partial<Timing> = {
  backoffMs: 5,
  backoffLimitMs: 20,
  headersTimeoutMs: 2_000,
  idleTimeoutMs: 300,
};

export function createTestClient(options: Partial<RegistryClientOptions> = {}): RegistryClient {
  return new RegistryClient({ fetch, createHasher: createNodeHasher, timing: FAST, ...options });
}

/** Answers by table, without a socket: for hosts a test cannot have, such as ones with TLS. */
export class FakeFetch {
  readonly requests: {
    readonly method: string;
    readonly url: string;
    readonly headers: Headers;
    readonly body: string;
  }[] = [];
  private readonly answer: (url: URL, headers: Headers) => Response | Promise<Response>;

  constructor(answer: (url: URL, headers: Headers) => Response | Promise<Response>) {
    this.answer = answer;
  }

  readonly fetch = async (url: string, init: RequestInit): Promise<Response> => {
    const headers = new Headers(init.headers);
    this.requests.push({ method: init.method ?? 'GET', url, headers, body: String(init.body ?? '') });
    return this.answer(new URL(url), headers);
  };

  /** Values of Authorization that were sent to a host. */
  shown(host: string): (string | null)[] {
    return this.requests
      .filter(({ url }) => new URL(url).host === host)
      .map(({ headers }) => headers.get('authorization'));
  }
}

export function redirect(location: string, code = 307): Response {
  return new Response(null, { status: code, headers: { location } });
}
