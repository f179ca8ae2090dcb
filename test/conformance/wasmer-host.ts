/** The conformance host over the Sandbox adapter of @wasmer/wasi. */
import type { BlockSource, ByteLocation, SyncFileSystem } from '../../src/host/ports.ts';
import type { SandboxMount } from '../../src/host/sandbox.ts';
import { WasmerSandbox } from '../../src/host/wasmer/sandbox.ts';
import type { ConformanceCase, ConformanceHost, Outcome, Tree } from './case.ts';

export function wasmerHost(): ConformanceHost {
  const sandbox = new WasmerSandbox({ open: openBytes });
  return {
    name: '@wasmer/wasi',
    async run(test: ConformanceCase): Promise<Outcome> {
      const mounts: SandboxMount[] = [];
      if (test.root !== undefined) {
        mounts.push({ type: 'fs', destination: '/', source: '/', fs: treeFileSystem(test.root) });
      }
      const handle = await sandbox.start({
        id: '0'.repeat(64),
        hostname: 'conformance',
        process: {
          args: test.args,
          env: test.env,
          cwd: test.cwd ?? '/',
          user: { uid: 0, gid: 0, additionalGids: [] },
          terminal: false,
        },
        root: { readonly: false, layers: [] },
        program: { module: { bytes: test.wasm() } },
        mounts,
        resources: {},
        stdio: { stdin: 'pipe', stdout: 'pipe', stderr: 'pipe' },
      });
      const writer = handle.stdin!.getWriter();
      if (test.stdin !== undefined) await writer.write(new TextEncoder().encode(test.stdin));
      await writer.close();
      const exit = await handle.wait();
      return {
        exitCode: exit.exitCode,
        stdout: await new Response(handle.stdout).text(),
        stderr: await new Response(handle.stderr).text(),
        ...(exit.reason !== undefined && { reason: exit.reason }),
      };
    },
  };
}

function openBytes(location: ByteLocation): BlockSource {
  if (!('bytes' in location)) throw new Error('conformance cases hand over bytes');
  const { bytes } = location;
  return {
    sizeBytes: bytes.length,
    readSync(target, position) {
      const piece = bytes.subarray(position, position + target.length);
      target.set(piece);
      return piece.length;
    },
    close() {},
  };
}

/** A tree as the few calls the adapter copies a mount with. */
function treeFileSystem(tree: Tree): SyncFileSystem {
  const directories = new Map<string, Set<string>>([['/', new Set()]]);
  const files = new Map<string, Uint8Array>();
  const mkdir = (path: string) => {
    if (directories.has(path)) return;
    directories.set(path, new Set());
    const cut = path.lastIndexOf('/');
    mkdir(path.slice(0, cut) || '/');
    directories.get(path.slice(0, cut) || '/')!.add(path.slice(cut + 1));
  };
  for (const [path, node] of Object.entries(tree)) {
    const clean = `/${path.replace(/\/$/, '')}`;
    if (node === null) {
      mkdir(clean);
    } else if (typeof node === 'string' || node instanceof Uint8Array) {
      const cut = clean.lastIndexOf('/');
      mkdir(clean.slice(0, cut) || '/');
      directories.get(clean.slice(0, cut) || '/')!.add(clean.slice(cut + 1));
      files.set(clean, typeof node === 'string' ? new TextEncoder().encode(node) : node);
    }
  }
  const open: Uint8Array[] = [];
  return {
    lstatSync(path: string) {
      const normal = path === '/' ? path : path.replace(/\/$/, '');
      const content = files.get(normal);
      return { mode: content === undefined ? 0o040755n : 0o100644n, size: BigInt(content?.length ?? 0) };
    },
    readdirSync: (path: string) => [...(directories.get(path === '/' ? path : path.replace(/\/$/, '')) ?? [])],
    openSync: (path: string) => open.push(files.get(path)!) - 1,
    readSync(fd: number, buffer: Uint8Array, offset: number, length: number, position: number | null) {
      const piece = open[fd]!.subarray(position ?? 0, (position ?? 0) + length);
      buffer.set(piece, offset);
      return piece.length;
    },
    closeSync() {},
  } as unknown as SyncFileSystem;
}
