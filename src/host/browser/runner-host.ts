/** What the runner needs of a browser: bytes in memory, no paths. */
import { Core } from '../../core/core.ts';
import { createHasher } from '../../core/hash.ts';
import { WctrError } from '../../errors.ts';
import { checkpoints } from '../checkpoint/resume.ts';
import { PathAnchors } from '../mounts/anchors.ts';
import { HostDirectory } from '../mounts/host-directory.ts';
import type { ByteLocation } from '../ports.ts';
import type { GuestStdio, RunnerHost } from '../runner/run.ts';

export interface CompiledModules {
  readonly kernel: WebAssembly.Module;
  /** Absent where nothing can be compiled: every program was prepared before. */
  readonly core?: WebAssembly.Module;
}

export function browserRunnerHost(modules: CompiledModules, stdio: GuestStdio): RunnerHost {
  return {
    kernelModule: () => modules.kernel,
    guardCore: () => ({ module: coreOf(modules) }),
    stdio,
    checkpoints,
    openBlock(location) {
      const bytes = bytesOf(location);
      return {
        sizeBytes: bytes.length,
        readSync(target, position) {
          const part = bytes.subarray(position, position + target.length);
          target.set(part);
          return part.length;
        },
        close() {},
      };
    },
    readBytes: bytesOf,
    digest(bytes) {
      const hasher = createHasher(Core.over(coreOf(modules)));
      hasher.update(bytes);
      return hasher.digestHex();
    },
    openMount(mount) {
      if (mount.type === 'bind') {
        throw new WctrError('unsupported', `cannot mount ${mount.source}: a browser has no directories of a host`, {
          hint: 'mount an fs object, such as memfs, with isolation `inline`',
        });
      }
      return new HostDirectory(mount.fs, new PathAnchors(mount.fs), mount.source, {
        readonly: mount.readonly ?? false,
      });
    },
  };
}

function coreOf({ core }: CompiledModules): WebAssembly.Module {
  if (core !== undefined) return core;
  throw new WctrError('unsupported', 'no program can be prepared here', {
    hint: 'this host has the one program its bundle was made with',
  });
}

function bytesOf(location: ByteLocation): Uint8Array {
  if ('bytes' in location) return location.bytes;
  throw new WctrError('unsupported', `cannot read ${location.path}: a browser has no files of a host`);
}
