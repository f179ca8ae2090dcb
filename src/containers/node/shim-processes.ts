/** ContainerProcesses on Node (and on Deno and Bun): a process per container, spoken to over local sockets. */

import { nodeLocalSockets } from '../../host/node/local-sockets.ts';
import { openSession } from '../control/client.ts';
import type { ContainerProcesses } from '../processes.ts';
import { ShimProcess } from './shim-launcher.ts';

export interface ContainerProcessesOptions {
  /** Directory for compiled code. */
  readonly codeRoot: string;
  /** Processes kept ready for the next starts; they end when this process does. Default 0. */
  readonly warm?: number;
}

export interface NodeContainerProcesses extends ContainerProcesses {
  /** Ends the processes kept ready; containers go on. */
  close(): void;
}

export function createContainerProcesses({ codeRoot, warm = 0 }: ContainerProcessesOptions): NodeContainerProcesses {
  const idle: ShimProcess[] = [];
  let closed = false;
  const refill = () => {
    while (!closed && idle.length < warm) idle.push(new ShimProcess(codeRoot));
  };
  refill();
  const take = () => {
    let process = idle.shift();
    while (process?.isGone) process = idle.shift();
    process ??= new ShimProcess(codeRoot);
    // After this start: booting another process competes with it.
    if (warm > 0) setTimeout(refill, 50).unref?.();
    return process;
  };
  return {
    launch: (document) => take().launch(document),
    launchRun: (document) => take().launchRun(document),
    prepare() {
      // After the start that is under way: booting another process competes with it.
      setTimeout(() => {
        if (!closed && idle.length === 0) idle.push(new ShimProcess(codeRoot));
      }, 50).unref?.();
    },
    connect: (socket, request) => openSession(nodeLocalSockets, socket, request),
    close() {
      closed = true;
      for (const process of idle.splice(0)) process.end();
    },
  };
}
