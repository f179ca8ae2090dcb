/**
 * The isolations of a browser. Streams are as live as elsewhere where the page is cross-origin isolated (COOP and COEP
 * headers); without that there is no shared memory, so a guest gets its input whole and at its start.
 */
import { withMemoryKind } from '../../core/load.ts';
import { WctrError } from '../../errors.ts';
import type { CreateFiles } from '../container/files-access.ts';
import { createInlineSandbox as createInline } from '../inline/sandbox.ts';
import { type InlineSpace, openInlineSpace } from '../inline/space.ts';
import type { Sandbox, SandboxSpec } from '../sandbox.ts';
import {
  createWorkerSandbox as createWorker,
  type WorkerSandbox,
  type WorkerSandboxOptions,
} from '../worker/sandbox.ts';
import { openWorkerSpace } from '../worker/space-client.ts';
import type { SpaceMessage, SpaceRequest } from '../worker/space-messages.ts';
import { browserRunnerHost } from './runner-host.ts';
import { openWebWorker } from './worker-port.ts';

export interface BrowserSandboxOptions extends WorkerSandboxOptions {
  /** Where kernel.wasm and core.wasm are served. Default: beside this file, as the package lays them out. */
  readonly wasmUrl?: string | URL;
  /** The worker's script, for bundlers that move it. */
  readonly workerUrl?: string | URL;
}

const WASM = new URL('../../wasm/', import.meta.url);
const WORKER = new URL('./worker-entry.js', import.meta.url);

export function createWorkerSandbox(options: BrowserSandboxOptions = {}): WorkerSandbox {
  const { kernel, core } = modules(options);
  return createWorker(
    {
      openWorker: () => openWebWorker(new URL(options.workerUrl ?? WORKER)),
      kernelModule: kernel,
      coreModule: core,
      sharedMemory: globalThis.crossOriginIsolated === true,
      inheritsStdio: false,
    },
    options,
  );
}

export function createInlineSandbox(options: BrowserSandboxOptions = {}): Sandbox {
  const { kernel, core } = modules(options);
  return createInline({
    async runnerHost(stdio) {
      return browserRunnerHost({ kernel: await kernel(), core: await core() }, stdio);
    },
  });
}

/** For the programs of builds, each in a worker: `spaceUrl` is its script, src/space-worker.ts. */
export function createWorkerSpaces(options: BrowserSandboxOptions, spaceUrl: URL) {
  const { kernel, core } = modules(options);
  const openWorker = () => openWebWorker<SpaceRequest, SpaceMessage>(spaceUrl);
  return (spec: SandboxSpec) => openWorkerSpace(spec, { openWorker, kernelModule: kernel, coreModule: core });
}

/** The same on the calling thread: `createFiles` is how their files are reached. */
export function createInlineSpaces(options: BrowserSandboxOptions, createFiles: CreateFiles) {
  const { kernel, core } = modules(options);
  return async (spec: SandboxSpec): Promise<InlineSpace> => {
    const compiled = { kernel: await kernel(), core: await core() };
    return openInlineSpace(spec, (stdio) => browserRunnerHost(compiled, stdio), createFiles);
  };
}

function modules({ wasmUrl }: BrowserSandboxOptions) {
  const once = (name: string) => {
    let module: Promise<WebAssembly.Module> | undefined;
    return () => {
      module ??= load(new URL(name, wasmUrl ?? WASM));
      return module;
    };
  };
  return { kernel: once('kernel.wasm'), core: once('core.wasm') };
}

async function load(url: URL): Promise<WebAssembly.Module> {
  const response = await fetch(url);
  if (!response.ok) throw new WctrError('sandbox-failed', `cannot load ${url.href}: HTTP ${response.status}`);
  return WebAssembly.compile(withMemoryKind(new Uint8Array(await response.arrayBuffer()), false));
}
