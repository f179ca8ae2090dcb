import type { ExecConfig, ExecInspect } from '../../spec/engine-api.ts';
import type { AttachedStreams, ExecUseCases, TerminalSize } from '../engine.ts';
import type { ApiClient } from './api-client.ts';
import { attachedStreams } from './attached.ts';

export class RemoteExec implements ExecUseCases {
  readonly #api: ApiClient;

  constructor(api: ApiClient) {
    this.#api = api;
  }

  create(container: string, config: ExecConfig): Promise<{ Id: string }> {
    return this.#api.json('POST', `/containers/${encodeURIComponent(container)}/exec`, { json: config });
  }

  async start(
    id: string,
    { tty, consoleSize }: { tty: boolean; consoleSize?: readonly [number, number] },
  ): Promise<AttachedStreams> {
    const json = { Detach: false, Tty: tty, ...(consoleSize === undefined ? {} : { ConsoleSize: consoleSize }) };
    const [{ OpenStdin }, channel] = [
      await this.inspect(id),
      await this.#api.hijack(`/exec/${encodeURIComponent(id)}/start`, { json }),
    ];
    return attachedStreams(channel, OpenStdin);
  }

  startDetached(id: string, { tty = false }: { tty?: boolean } = {}): Promise<void> {
    return this.#api.done('POST', `/exec/${encodeURIComponent(id)}/start`, { json: { Detach: true, Tty: tty } });
  }

  inspect(id: string): Promise<ExecInspect> {
    return this.#api.json('GET', `/exec/${encodeURIComponent(id)}/json`);
  }

  resize(id: string, { height: h, width: w }: TerminalSize): Promise<void> {
    return this.#api.done('POST', `/exec/${encodeURIComponent(id)}/resize`, { query: { h, w } });
  }
}
