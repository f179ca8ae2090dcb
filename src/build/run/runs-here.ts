/** RUNs on the calling thread, for hosts that have no processes: no network, one at a time, and no end before their own. */
import { hostsFile } from '../../containers/networks/etc-files.ts';
import { WctrError } from '../../errors.ts';
import type { InlineSpace } from '../../host/inline/space.ts';
import type { SandboxSpec } from '../../host/sandbox.ts';
import type { RunSpace, RunSpaceRequest, RunSpaces } from './space.ts';

export type OpenSpaceHere = (spec: SandboxSpec) => Promise<InlineSpace>;

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
        if (isOpen) space.close();
        isOpen = false;
      },
    };
  }
}

function hostsOf({ id, hostname }: SandboxSpec, extraHosts: readonly string[]): string {
  const nothing = { networks: [], publish: {}, listen: [], directory: '' };
  return hostsFile({ ...nothing, mode: 'none', hostname, owner: id, extraHosts });
}
