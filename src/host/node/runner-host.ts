/** What the runner needs of Node (and of Deno and Bun through node:), in whatever thread or process it runs. */
import { PathAnchors } from '../mounts/anchors.ts';
import { HostDirectory } from '../mounts/host-directory.ts';
import type { GuestStdio, RunnerHost } from '../runner/run.ts';
import { openBlockSource, readBytes } from './block-source.ts';
import { builtin } from './builtin.ts';
import type { WasmModules } from './packaged-wasm.ts';
import { pause } from './stdio.ts';
import { hostAnchors, hostHandles, syncFileSystem } from './sync-file-system.ts';

export function nodeRunnerHost(wasm: WasmModules, stdio: GuestStdio): RunnerHost {
  return {
    sleep: pause,
    kernelModule: wasm.kernel,
    guardCore: () => ({ module: wasm.core() }),
    stdio,
    openBlock: openBlockSource,
    readBytes,
    digest: (bytes) => builtin.crypto.createHash('sha256').update(bytes).digest('hex'),
    openMount(mount, nodes) {
      const { source } = mount;
      const shared = nodes === undefined ? {} : { nodes, handles: hostHandles(nodes) };
      const options = { readonly: mount.readonly ?? false, ...shared };
      if (mount.type === 'bind') {
        const owned = mount.owner === undefined ? options : { ...options, shownOwner: mount.owner };
        return new HostDirectory(syncFileSystem, hostAnchors(), source, owned);
      }
      return new HostDirectory(mount.fs, new PathAnchors(mount.fs), source, options);
    },
  };
}
