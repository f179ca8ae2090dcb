import type { ContainerRecord } from '../containers/record.ts';
import type { NetworkPlan } from '../host/network/port.ts';
import type { ContainerNetworks } from './container-context.ts';
import type { EngineParts } from './parts.ts';

export class NoNetworks implements ContainerNetworks {
  readonly #parts: EngineParts;

  constructor(parts: EngineParts) {
    this.#parts = parts;
  }

  async attach() {
    return {};
  }

  async plan(record: ContainerRecord) {
    const plan: NetworkPlan = {
      mode: 'none',
      hostname: record.config.Hostname,
      networks: [],
      publish: {},
      listen: [],
      extraHosts: [],
      directory: `${this.#parts.host.processes?.runDirectory() ?? ''}/net`,
    };
    return { plan, networks: record.networks };
  }

  async release(): Promise<void> {}
}
