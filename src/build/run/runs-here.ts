/**
 * RUNs where the host has no processes: no network. On the calling thread (isolation `inline`) nothing ends one before
 * its own end; in a worker closing it does.
 */
import { hostsFile } from '../../containers/networks/etc-files.ts';
import { WctrError } from '../../errors.ts';
import type { SandboxExit, SandboxSpec } from '../../host/sandbox.ts';
import type { RunSpace, RunSpaceRequest, RunSpaces } from './space.ts';

/** A container for one program, as host/inline/space.ts and host/worker/space-client.ts have it. */
export interface SpaceHere {
  readonly files: RunSpace['files'];
  run(onOutput: (stream: 1 | 2, data: Uint8Array) => void): SandboxExit | Promise<SandboxExit>;
  close(): void | Promise<void>;
}

export type OpenSpaceHere = (spec: SandboxSpec) => Promise<SpaceHere>;

export class RunsHere implements RunSpaces {
  readonly #openHere: OpenSpaceHere;

  constructor(openHere: OpenSpaceHere) {
    this.#openHere = openHere;
  }

  async open({ spec, extraHosts, signal }: RunSpaceRequest): Promise<RunSpace> {
    const space = await this.#openHere({ ...spec, names: { hosts: hostsOf(spec, extraHosts), resolv: '' } });
    let isOpen = true;
    return {
      files: space.files,
      async run(onOutput) {
        // What aborts it can do so until here: the thread is the program's then.
        await new Promise((resolve) => setTimeout(resolve, 0));
        if (signal?.aborted === true) throw new WctrError('cancelled', 'cancelled', { cause: signal.reason });
        return space.run(onOutput);
      },
      async close() {
        if (!isOpen) return;
        isOpen = false;
        await space.close();
      },
    };
  }
}

function hostsOf({ id, hostname }: SandboxSpec, extraHosts: readonly string[]): string {
  const nothing = { networks: [], publish: {}, listen: [], directory: '' };
  return hostsFile({ ...nothing, mode: 'none', hostname, owner: id, extraHosts });
}
