/** The composition root of a web page or worker: a store on memfs (or any file system given), guests in Web Workers. */
import { Core } from './core/core.ts';
import { createCoreModules } from './core/core-modules.ts';
import { createHasher } from './core/hash.ts';
import { assembleEngine } from './engine/assemble.ts';
import type { Engine } from './engine/engine.ts';
import type { EngineHost, SandboxChoice } from './engine/parts.ts';
import { WctrError } from './errors.ts';
import { WebLocks } from './host/browser/locks.ts';
import {
  type BrowserSandboxOptions,
  createInlineSandbox,
  createInlineSpaces,
  createWorkerSandbox,
  createWorkerSpaces,
} from './host/browser/sandboxes.ts';
import { MemoryLocks } from './host/memory-locks.ts';
import type { FileSystem } from './host/ports.ts';
import type { Sandbox } from './host/sandbox.ts';
import type { CreateHasher } from './images/digest.ts';
import { Layers } from './images/layers.ts';
import type { RegistriesConfig } from './images/registry/registries.ts';
import { Wctr as PortableWctr } from './index.ts';
import { VERSION } from './version.ts';

export * from './index.ts';
export { VERSION } from './version.ts';

export interface OpenOptions extends BrowserSandboxOptions {
  /**
   * Where the store lives: anything shaped like node:fs/promises, such as memfs over the origin's private file system.
   * Default: a fresh memfs, gone with the page.
   */
  readonly fs?: FileSystem;
  /** Directory of the store in `fs`. Default `/wctr`. */
  readonly dataRoot?: string;
  /** `worker` (default) or `inline`. */
  readonly isolation?: 'worker' | 'inline';
  /** The script of the workers that programs of a build run in, for bundlers that move it. */
  readonly spaceWorkerUrl?: string | URL;
  /** docker's `registry-mirrors` and `insecure-registries`. */
  readonly registries?: Partial<RegistriesConfig>;
}

/** `import { Wctr } from 'wctr/browser'`. */
export class Wctr extends PortableWctr {
  static async open(options: OpenOptions = {}): Promise<Wctr> {
    return new Wctr(await openEngine(options));
  }
}

/** As the package lays them out beside this file; a bundler that moves them says so by the options. */
const WASM = new URL('./wasm/', import.meta.url);
const WORKER = new URL('./host/browser/worker-entry.js', import.meta.url);
const SPACE_WORKER = new URL('./space-worker.js', import.meta.url);

async function openEngine(options: OpenOptions): Promise<Engine> {
  const wasm = new URL(options.wasmUrl ?? WASM, import.meta.url);
  const core = createCoreModules(() => fetchBytes(new URL('core.wasm', wasm)));
  const dataRoot = options.dataRoot ?? '/wctr';
  const hashing = await Core.create(core);
  const hasher: CreateHasher = (algorithm) => {
    if (algorithm === 'sha256') return createHasher(hashing);
    throw new WctrError('unsupported', 'sha512 digests are not supported in a browser');
  };
  return assembleEngine({
    version: VERSION,
    root: dataRoot,
    fs: options.fs ?? (await memoryFileSystem()),
    locks:
      options.fs !== undefined && globalThis.navigator?.locks !== undefined
        ? new WebLocks(navigator.locks, dataRoot)
        : new MemoryLocks(),
    createHasher: hasher,
    core,
    locateBy: 'bytes',
    layers: (stores) => new Layers({ ...stores, core, hostHash: false }),
    sandboxes: browserSandboxes({ ...options, wasmUrl: wasm, workerUrl: options.workerUrl ?? WORKER }),
    host: {
      facts: () => ({
        runtime: globalThis.navigator?.userAgent ?? 'browser',
        os: 'browser',
        architecture: 'wasm',
        cpus: globalThis.navigator?.hardwareConcurrency ?? 1,
        memoryBytes: 0,
        hostname: globalThis.location?.hostname ?? '',
      }),
      bundledImage: async () => undefined,
      randomBytes: (length) => crypto.getRandomValues(new Uint8Array(length)),
      isAlive: () => false,
      openHere: lazySpaces({ ...options, wasmUrl: wasm }),
      readAt: async (location, position, length) => {
        if ('bytes' in location)
          return location.bytes.slice(position, Math.min(position + length, location.bytes.length));
        throw new WctrError('internal', `a browser's store has no paths: ${location.path}`);
      },
    },
    // Cookies of the page are no business of a registry, and a registry's answers none of the HTTP cache's.
    transport: {
      fetch: (url, init) => fetch(url, { ...init, credentials: 'omit', cache: 'no-store' }),
      // Streams go over HTTP/2 alone, and not from every browser.
      canStream: false,
    },
    ...(options.registries === undefined ? {} : { registries: { mirrors: [], insecure: [], ...options.registries } }),
  });
}

/** Loaded by the first RUN of a build. */
function lazySpaces(options: OpenOptions): NonNullable<EngineHost['openHere']> {
  let open: Promise<NonNullable<EngineHost['openHere']>> | undefined;
  return async (spec) => {
    open ??= openSpaces(options);
    return (await open)(spec);
  };
}

async function openSpaces(options: OpenOptions): Promise<NonNullable<EngineHost['openHere']>> {
  if (options.isolation !== 'inline')
    return createWorkerSpaces(options, new URL(options.spaceWorkerUrl ?? SPACE_WORKER));
  const { KernelFiles } = await import('./containers/files/kernel-files.ts');
  return createInlineSpaces(options, (access) => new KernelFiles(access));
}

/** memfs is large: a page that brings its own file system never loads it. */
async function memoryFileSystem(): Promise<FileSystem> {
  const { memfs } = await import('memfs');
  return memfs().fs.promises as unknown as FileSystem;
}

async function fetchBytes(url: URL): Promise<Uint8Array> {
  const response = await fetch(url);
  if (!response.ok) throw new WctrError('sandbox-failed', `cannot load ${url.href}: HTTP ${response.status}`);
  return new Uint8Array(await response.arrayBuffer());
}

function browserSandboxes(options: OpenOptions): SandboxChoice {
  const makers: Readonly<Record<string, () => Sandbox & { close?(): void }>> = {
    worker: () => createWorkerSandbox(options),
    inline: () => createInlineSandbox(options),
  };
  const opened = new Map<string, Sandbox & { close?(): void }>();
  return {
    default: options.isolation ?? 'worker',
    available: Object.keys(makers),
    open: async (isolation) => {
      const maker = Object.hasOwn(makers, isolation) ? makers[isolation] : undefined;
      if (maker === undefined) {
        throw new WctrError('invalid-argument', `no such sandbox in a browser: ${isolation}`, {
          hint: `choose one of ${Object.keys(makers).join(', ')}`,
        });
      }
      const sandbox = opened.get(isolation) ?? maker();
      opened.set(isolation, sandbox);
      return sandbox;
    },
    close: async () => {
      for (const sandbox of opened.values()) sandbox.close?.();
    },
  };
}
