import type { EventMessage } from '../spec/engine-api.ts';
import type { DiskUsage, EventOptions, LoginOutcome, LoginRequest, SystemUseCases } from './engine.ts';
import type { EngineParts } from './parts.ts';

/** Each use case loads its own code when it is first called. */
export class LocalSystem implements SystemUseCases {
  readonly #parts: EngineParts;

  constructor(parts: EngineParts) {
    this.#parts = parts;
  }

  async login(request: LoginRequest): Promise<LoginOutcome> {
    return (await import('./registry-use-cases.ts')).logIn(this.#parts, request);
  }

  async info(): Promise<Record<string, unknown>> {
    return (await import('./system-info.ts')).systemInfo(this.#parts);
  }

  async version(): Promise<Record<string, unknown>> {
    return (await import('./system-info.ts')).systemVersion(this.#parts);
  }

  async diskUsage(): Promise<DiskUsage> {
    return (await import('./system-df.ts')).systemDiskUsage(this.#parts);
  }

  async *events(options?: EventOptions): AsyncGenerator<EventMessage> {
    yield* (await import('./events.ts')).events(this.#parts, options);
  }
}
