/** A store of its own with layers in it, and the RunExecutor of a Node host over it. */
import { mkdtempSync, readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { RunExecutor, RunMount, RunStep } from '../../src/build/run/executor.ts';
import { baseOf, type FileTree, parentOf, ROOT, type TreeEntry } from '../../src/build/tree/file-tree.ts';
import { KernelFiles } from '../../src/containers/files/kernel-files.ts';
import { readTar } from '../../src/containers/files/tar-reader.ts';
import { createContainerProcesses } from '../../src/containers/node/shim-processes.ts';
import { engineParts } from '../../src/engine/assemble.ts';
import { ContainerContext, type ContainerMounts } from '../../src/engine/container-context.ts';
import { LocalImages } from '../../src/engine/image-use-cases.ts';
import { LocalNetworks } from '../../src/engine/network-use-cases.ts';
import type { EngineHost, EngineParts } from '../../src/engine/parts.ts';
import { ProgramSources } from '../../src/engine/program.ts';
import { openRunExecutor } from '../../src/engine/run-executor.ts';
import {
  hostFacts,
  hostPaths,
  isAlive,
  listeners,
  processStart,
  randomBytes,
  readAt,
} from '../../src/host/node/engine-host.ts';
import { nodeFileSystem } from '../../src/host/node/file-system.ts';
import { nodeHasher } from '../../src/host/node/hasher.ts';
import { FileLocks } from '../../src/host/node/locks.ts';
import { processUsage, signalProcess } from '../../src/host/node/processes.ts';
import { runDirectory } from '../../src/host/node/run-directory.ts';
import { openSpace } from '../../src/host/node/sandboxes.ts';
import { syncFileSystem } from '../../src/host/node/sync-file-system.ts';
import { Layers } from '../../src/images/layers.ts';
import { type Digest, MEDIA_TYPE } from '../../src/spec/image-spec.ts';
import { compileGuest } from './c-guest.ts';
import { core } from './layers.ts';
import { sha256 } from './registry-server.ts';
import { removeTree } from './remove-tree.ts';
import { type EntryFields, tar } from './tar-builder.ts';

export interface RunWorld {
  readonly root: string;
  readonly parts: EngineParts;
  readonly executor: RunExecutor;
  /** Of an image with /bin/step and a user `app`. */
  readonly base: Digest;
  layer(...entries: EntryFields[]): Promise<Digest>;
  /** Runs `step` with these words to its end. */
  step(words: readonly string[], more?: Partial<RunStep>): Promise<Ran>;
  /** What is in the store's directories of builds and in the directory of sockets. */
  leftovers(): string[];
  close(): Promise<void>;
}

export interface Ran {
  readonly exitCode: number;
  readonly reason: string | undefined;
  readonly oomKilled: boolean;
  readonly stdout: string;
  readonly stderr: string;
  readonly layer: Uint8Array;
  /** Of the layer: `5 755 0:0 etc/`, of files with what they hold. */
  readonly members: readonly string[];
}

/** `isolation`: inline, on this thread. `host`: in place of parts of a Node host. `store`: one that is there already, with its base. */
export async function openRunWorld(
  options: {
    isolation?: 'inline';
    hasPaths?: boolean;
    host?: Partial<EngineHost>;
    store?: { root: string; base: Digest };
  } = {},
): Promise<RunWorld> {
  const root = options.store?.root ?? mkdtempSync(join(tmpdir(), 'wctr-runs-'));
  const env = { XDG_RUNTIME_DIR: '' };
  const processes = createContainerProcesses({ codeRoot: `${root}/code` });
  const parts = engineParts({
    version: '0.0.0',
    root,
    fs: nodeFileSystem,
    locks: new FileLocks(`${root}/locks`),
    createHasher: nodeHasher,
    locateBy: 'path',
    core,
    layers: (stores) => new Layers({ ...stores, createHasher: nodeHasher, core }),
    sandboxes: {
      default: options.isolation ?? 'process',
      available: [],
      open: () => Promise.reject(new Error('none')),
      close: async () => {},
    },
    host: {
      facts: hostFacts,
      bundledImage: async () => undefined,
      randomBytes,
      isAlive,
      listeners,
      processStart,
      pid: process.pid,
      processes: {
        runDirectory: () => runDirectory(env, root),
        containers: async () => processes,
        signal: signalProcess,
        usage: processUsage,
        close: async () => processes.close(),
      },
      readAt,
      ...(options.hasPaths === false
        ? {}
        : { paths: { fs: nodeFileSystem, ...hostPaths, contextFiles: async () => syncFileSystem } }),
      openHere: async (spec) => openSpace(spec, (access) => new KernelFiles(access)),
      ...options.host,
    },
    transport: { fetch, lookup: async () => [] },
  });
  const programs = new ProgramSources(parts, new LocalImages(parts));
  const noMounts: ContainerMounts = { resolve: async () => [], prepare: async () => [], release: async () => {} };
  const context = new ContainerContext(parts, programs, noMounts, new LocalNetworks(parts));
  const executor = await openRunExecutor(context);
  const layer = async (...entries: EntryFields[]): Promise<Digest> => {
    const bytes = tar(...entries);
    const diffId = sha256(bytes);
    const descriptor = { mediaType: MEDIA_TYPE.ociLayerTar, digest: diffId, size: bytes.length };
    await parts.layers.ingest(descriptor, diffId, async function* () {
      yield bytes;
    });
    return diffId;
  };
  const base = options.store?.base ?? (await layer(...baseFiles()));
  return {
    root,
    parts,
    executor,
    base,
    layer,
    step: (words, more = {}) => runStep(executor, { diffIds: [base], args: ['/bin/step', ...words], ...more }),
    leftovers: () => {
      const run = runDirectory(env, root);
      const listed = (path: string) => namesIn(path).map((name) => `${path}/${name}`);
      return [
        ...listed(`${root}/build/runs`),
        ...listed(`${root}/containers`),
        ...namesIn(run).filter((name) => name.endsWith('.sock')),
        ...namesIn(`${run}/net`).flatMap((name) => listed(`${run}/net/${name}`)),
        ...listed(`${root}/tmp`),
      ];
    },
    close: async () => {
      processes.close();
      removeTree(runDirectory(env, root));
      removeTree(root);
    },
  };
}

function baseFiles(): EntryFields[] {
  return [
    { name: 'bin/', type: '5', mode: 0o755 },
    { name: 'bin/step', mode: 0o755, data: compileGuest('step') },
    { name: 'etc/', type: '5', mode: 0o755 },
    { name: 'etc/passwd', data: 'root:x:0:0:root:/root:/bin/sh\napp:x:1000:1000::/home/app:/bin/sh\n' },
    { name: 'etc/group', data: 'root:x:0:\napp:x:1000:\n' },
    { name: 'etc/motd', data: 'from the image\n' },
    { name: 'tmp/', type: '5', mode: 0o1777 },
  ];
}

export async function runStep(
  executor: RunExecutor,
  step: Pick<RunStep, 'diffIds' | 'args'> & Partial<RunStep>,
): Promise<Ran> {
  const output: Record<1 | 2, Buffer[]> = { 1: [], 2: [] };
  const outcome = await executor.run({
    env: [],
    cwd: '/',
    user: '',
    mounts: [],
    network: 'none',
    extraHosts: [],
    onOutput: (stream, data) => void output[stream].push(Buffer.from(data)),
    ...step,
  });
  try {
    const pieces: Uint8Array[] = [];
    for await (const chunk of outcome.layer()) pieces.push(Buffer.from(chunk));
    const { exitCode, reason, oomKilled } = outcome;
    const layer = Buffer.concat(pieces);
    return {
      exitCode,
      reason,
      oomKilled,
      stdout: Buffer.concat(output[1]).toString(),
      stderr: Buffer.concat(output[2]).toString(),
      layer,
      members: await membersOf(layer),
    };
  } finally {
    await outcome.release();
  }
}

const SHOWN_CHARS = 100;

export async function membersOf(bytes: Uint8Array): Promise<string[]> {
  const members: string[] = [];
  const chunks = async function* () {
    yield bytes;
  };
  for await (const { type, mode, uid, gid, name, link, data } of readTar(chunks())) {
    const pieces: Buffer[] = [];
    for await (const chunk of data) pieces.push(Buffer.from(chunk));
    const held = type === '0' ? ` ${Buffer.concat(pieces).toString().slice(0, SHOWN_CHARS)}` : '';
    members.push(`${type} ${mode.toString(8)} ${uid}:${gid} ${name}${link === '' ? held : ` -> ${link}`}`.trimEnd());
  }
  return members;
}

/** Files by path, their text or what they are; directories on the way are made. */
export function treeOf(given: Readonly<Record<string, string | Partial<TreeEntry>>>): FileTree {
  const entries = new Map<string, TreeEntry>([['', ROOT]]);
  const children = new Map<string, Set<string>>([['', new Set()]]);
  const put = (path: string, entry: TreeEntry) => {
    const parent = parentOf(path);
    if (!entries.has(parent)) put(parent, ROOT);
    entries.set(path, entry);
    children.get(parent)?.add(baseOf(path));
    if (entry.kind === 'directory') children.set(path, children.get(path) ?? new Set());
  };
  for (const [path, what] of Object.entries(given)) {
    const bytes = new TextEncoder().encode(typeof what === 'string' ? what : '');
    const read = async function* () {
      yield bytes;
    };
    const file: TreeEntry = { kind: 'file', mode: 0o644, uid: 0, gid: 0, size: bytes.length, read };
    put(path, typeof what === 'string' ? file : { ...file, ...what });
  }
  return {
    what: 'the test',
    lstat: async (path) => entries.get(path),
    list: async (path) => [...(children.get(path) ?? [])].sort(),
  };
}

export function secret(target: string, text: string, more: Partial<Extract<RunMount, { type: 'secret' }>> = {}) {
  const data = new TextEncoder().encode(text);
  return { type: 'secret', target, data, mode: 0o400, uid: 0, gid: 0, ...more } satisfies RunMount;
}

function namesIn(path: string): string[] {
  try {
    return readdirSync(path);
  } catch {
    return [];
  }
}
