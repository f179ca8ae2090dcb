/** Containers for tests of networks: a ContainerNetwork each, and programs of network-guest.ts that run on it. */
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { rolldown } from 'rolldown';
import { openContainerNetwork } from '../../src/host/network/container-network.ts';
import type { ContainerNetwork, NetworkAttachment, NetworkPlan } from '../../src/host/network/port.ts';
import { nodeSockets } from '../../src/host/node/network-sockets.ts';
import type { programs } from './network-guest.ts';
import { removeTree } from './remove-tree.ts';

let code: Promise<string> | undefined;

async function bundle(): Promise<string> {
  const input = fileURLToPath(new URL('./network-guest.ts', import.meta.url));
  // A bundle is nowhere, so it cannot look beside itself for the kernel.
  const kernel = fileURLToPath(new URL('../../dist/wasm/kernel.wasm', import.meta.url));
  const located = {
    name: 'kernel-by-path',
    load: (id: string) =>
      id.endsWith('/test/support/wasm.ts')
        ? `import { readFileSync } from 'node:fs';
export const kernelBytes = () => new Uint8Array(readFileSync(${JSON.stringify(kernel)}));`
        : undefined,
  };
  const built = await rolldown({ input, platform: 'node', plugins: [located] });
  const { output } = await built.generate({ format: 'cjs' });
  return output[0].code;
}

interface GuestReport {
  readonly kernel?: SharedArrayBuffer;
  readonly eventWord?: number;
  readonly listening?: never;
  readonly result?: never;
  readonly error?: string;
}

export interface FakeGuest {
  /** Where it listens, for those that do. */
  readonly listening: Promise<{ address: Uint8Array; port: number }>;
  readonly result: Promise<never>;
  stop(): Promise<void>;
}

export async function runGuest(
  network: ContainerNetwork,
  program: keyof typeof programs,
  args: Record<string, unknown> = {},
): Promise<FakeGuest> {
  code ??= bundle();
  const events = new SharedArrayBuffer(4);
  const word = new Int32Array(events);
  const words = [word];
  const wake = () => {
    for (const one of words) {
      Atomics.add(one, 0, 1);
      Atomics.notify(one, 0);
    }
  };
  const attached = network.attach(wake);
  const worker = new Worker(await code, {
    eval: true,
    workerData: { setup: attached.setup, program, args: { ...args, events } },
    transferList: attached.transfer as never,
  });
  const listening = withResolvers<{ address: Uint8Array; port: number }>();
  const result = withResolvers<never>();
  listening.promise.catch(() => {});
  result.promise.catch(() => {});
  worker.on('message', (message: GuestReport) => {
    if (message.kernel !== undefined) {
      words.push(new Int32Array(message.kernel, message.eventWord, 1));
      wake();
    } else if (message.listening !== undefined) listening.resolve(message.listening);
    else if (message.error !== undefined) result.reject(new Error(message.error));
    else result.resolve(message.result as never);
  });
  const failed = (error: Error) => {
    listening.reject(error);
    result.reject(error);
  };
  worker.on('error', failed);
  worker.on('exit', () => {
    attached.detach();
    failed(new Error('the guest is gone'));
  });
  return {
    listening: listening.promise,
    result: result.promise,
    async stop() {
      await worker.terminate();
    },
  };
}

/** Networks and containers that go when the test does. */
export class TestNetworks {
  readonly directory = mkdtempSync(`${tmpdir()}/wctr-net-`);
  readonly #open: ContainerNetwork[] = [];
  #count = 0;

  async container(plan: Partial<NetworkPlan> = {}): Promise<ContainerNetwork> {
    const network = await openContainerNetwork(this.plan(plan), nodeSockets());
    this.#open.push(network);
    return network;
  }

  plan(plan: Partial<NetworkPlan> = {}): NetworkPlan {
    return {
      mode: 'networks',
      hostname: 'host-of-test',
      owner: `${this.#count++}`.padEnd(64, 'c'),
      networks: [],
      publish: {},
      listen: [],
      extraHosts: [],
      directory: this.directory,
      ...plan,
    };
  }

  async close(): Promise<void> {
    for (const network of this.#open) await network.close();
    removeTree(this.directory);
  }
}

/** A container's place `172.<second>.0.<last>` on the network `net<second>`. */
export function place(
  second: number,
  last: number,
  names: readonly string[],
  more: Partial<NetworkAttachment> = {},
): NetworkAttachment {
  return {
    id: second.toString(16).padEnd(64, 'a'),
    name: `net${second}`,
    internal: false,
    subnet: `172.${second}.0.0/16`,
    gateway: `172.${second}.0.1`,
    address: `172.${second}.0.${last}`,
    names,
    links: {},
    ...more,
  };
}

function withResolvers<T>() {
  let resolve!: (value: T) => void;
  let reject!: (error: Error) => void;
  const promise = new Promise<T>((yes, no) => {
    resolve = yes;
    reject = no;
  });
  return { promise, resolve, reject };
}
