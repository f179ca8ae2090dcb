/** What `wctr registry` gets of this machine. */
import { daemonHost } from '../../host/node/daemon-host.ts';
import { dataRoot } from '../../host/node/directories.ts';
import { nodeHasher } from '../../host/node/hasher.ts';
import { listenRegistry } from './listener.ts';
import { openLocalStorage } from './store.ts';

export const registryHost = {
  openStorage: (root: string | undefined, isServing: boolean) =>
    openLocalStorage(root ?? dataRoot(process.env), isServing),
  createHasher: nodeHasher,
  listen: listenRegistry,
  untilTold: () => daemonHost.untilTold(),
};
