/** From what a client asked for to what the engine builds: the Dockerfile and the contexts come through the session. */
import { parseIgnoreFile } from '../../build/ignore/ignore-matcher.ts';
import type { FileTree, TreeEntry } from '../../build/tree/file-tree.ts';
import { resolvePath } from '../../build/tree/resolve-path.ts';
import type { BuildContextSource, BuildRequest } from '../../engine/builds.ts';
import { WctrError } from '../../errors.ts';
import { collect } from '../../images/archive/files.ts';
import { quote } from '../../images/quote.ts';
import { buildOptions, cacheLocation, meaningless, prefixed } from './attributes.ts';
import { exportsOf } from './exporters.ts';
import type { BuildkitHost } from './host.ts';
import type { DigestMemory } from './session/known-digests.ts';
import { credentialsOf, pullUpload, secretsOf } from './session/services.ts';
import type { Session, Sessions } from './session/session.ts';
import { openSessionTree, type SessionTree } from './session/session-tree.ts';
import { Spool } from './session/spool.ts';
import type { Attributes, Solve } from './solves.ts';
import { type Vertex, Vertices } from './vertices.ts';

const MAX_DOCKERFILE_BYTES = 8 << 20;
const UPLOAD_HOST = 'buildkit-session';
const ADDRESS = /^(https?:\/\/|git:\/\/|git@|ssh:\/\/|github\.com\/)/;

export interface LoadParts {
  readonly sessions: Sessions;
  readonly digests: DigestMemory;
  readonly host: BuildkitHost;
}

export interface DockerfileText {
  readonly name: string;
  readonly text: string;
}

export interface LoadedBuild {
  readonly request: BuildRequest;
  /** Where it came through the session. */
  readonly dockerfile: DockerfileText | undefined;
  close(): Promise<void>;
}

/** Everything a build is asked for; what was opened for it is closed with it. */
export async function loadBuild(solve: Solve, attributes: Attributes, parts: LoadParts): Promise<LoadedBuild> {
  const session = await parts.sessions.get(solve.request.Session, solve.signal);
  const signal = AbortSignal.any([solve.signal, session.signal]);
  const loader = new Loader(session, signal, solve, parts);
  try {
    const options = buildOptions(attributes);
    const exports = exportsOf(solve.request, { session, signal, spool: loader.spool });
    const cacheTo = (solve.request.Cache?.Exports ?? []).map(({ Type = '', Attrs = new Map() }) => ({
      ...cacheLocation(Type, Attrs),
      ...(Attrs.get('mode') === 'max' ? { mode: 'max' as const } : {}),
    }));
    const { context, dockerfile, ignore } = await loader.mainContext(attributes);
    const credentials = credentialsOf(session, signal);
    const path = attributes.get('filename') || 'Dockerfile';
    const request: BuildRequest = {
      ...options,
      ...exports,
      context,
      dockerfile: dockerfile ?? { path },
      ...(ignore === undefined ? {} : { ignore }),
      ...(cacheTo.length === 0 ? {} : { cacheTo }),
      contexts: await loader.namedContexts(attributes),
      secret: secretsOf(session, signal),
      ...(credentials === undefined ? {} : { credentials }),
      onStatus: (status) => solve.tell(loader.vertices.withOwn(status)),
      signal,
    };
    loader.warn(meaningless(attributes));
    return { request, dockerfile, close: () => loader.close() };
  } catch (error) {
    await loader.close();
    throw error;
  }
}

/** The Dockerfile alone, for what is asked about it. */
export async function loadDockerfile(solve: Solve, attributes: Attributes, parts: LoadParts): Promise<DockerfileText> {
  const session = await parts.sessions.get(solve.request.Session, solve.signal);
  const loader = new Loader(session, AbortSignal.any([solve.signal, session.signal]), solve, parts);
  try {
    if (addressOf(attributes) !== undefined && !attributes.has('dockerfilekey')) {
      throw new WctrError('unsupported', 'a Dockerfile at another place than the client is not looked at alone');
    }
    return (await loader.dockerfile(attributes)).dockerfile;
  } finally {
    await loader.close();
  }
}

interface MainContext {
  readonly context: BuildContextSource;
  readonly dockerfile: DockerfileText | undefined;
  readonly ignore: string | undefined;
}

class Loader {
  readonly spool: Spool;
  readonly vertices: Vertices;
  readonly #session: Session;
  readonly #signal: AbortSignal;
  readonly #parts: LoadParts;

  readonly #open = new Set<{ close(): Promise<void> }>();

  constructor(session: Session, signal: AbortSignal, solve: Solve, parts: LoadParts) {
    this.#session = session;
    this.#signal = signal;
    this.#parts = parts;
    this.spool = new Spool(() => parts.host.openSpool());
    this.vertices = new Vertices(
      solve.request.Ref,
      (status) => solve.tell(status),
      () => parts.host.createHasher(),
    );
  }

  async mainContext(attributes: Attributes): Promise<MainContext> {
    if (attributes.has('contextsubdir')) {
      throw new WctrError('unsupported', 'a part of a context is not built', {
        hint: 'name it in the address, after :',
      });
    }
    const address = addressOf(attributes);
    if (address !== undefined) {
      const local = attributes.has('dockerfilekey') ? await this.dockerfile(attributes) : undefined;
      return { context: this.#remote(address), dockerfile: local?.dockerfile, ignore: local?.ignore };
    }
    const { dockerfile, ignore: own } = await this.dockerfile(attributes);
    const ignore = own ?? (await this.#dockerignore('context'));
    const tree = this.#lazily('context', 'the build context', '[internal] load build context', ignore);
    // Read here; not to be looked for in the context.
    return { context: { tree }, dockerfile, ignore: ignore ?? '' };
  }

  async namedContexts(attributes: Attributes): Promise<NonNullable<BuildRequest['contexts']>> {
    const found: [string, BuildContextSource | { image: string }][] = [];
    for (const [key, value] of Object.entries(prefixed(attributes, 'context:'))) {
      const [name = key] = key.split('::');
      found.push([name, await this.#namedContext(name, value)]);
    }
    return Object.fromEntries(found);
  }

  async dockerfile(attributes: Attributes): Promise<{ dockerfile: DockerfileText; ignore: string | undefined }> {
    const name = attributes.get('filename') || 'Dockerfile';
    const lower = name.replace(/(^|\/)Dockerfile$/, '$1dockerfile');
    const only = [name, `${name}.dockerignore`, ...(lower === name ? [] : [lower])];
    const dirName = attributes.get('dockerfilekey') ?? 'dockerfile';
    return this.vertices.run(
      `[internal] load build definition from ${name}`,
      'transferring dockerfile:',
      async (vertex) => {
        const tree = await this.#tree({ name: dirName, what: 'the directory of the Dockerfile', only, vertex });
        const text = (await readText(tree, name)) ?? (await readText(tree, lower));
        if (text === undefined) {
          const path = quote(name).slice(1, -1);
          throw new WctrError('not-found', `failed to read dockerfile: open ${path}: no such file or directory`);
        }
        return { dockerfile: { name, text }, ignore: await readText(tree, `${name}.dockerignore`) };
      },
    );
  }

  warn(names: readonly string[]): void {
    if (names.length === 0) return;
    const vertex = this.vertices.begin('[internal] look at the options', 'reading options:');
    vertex.complete();
    vertex.warn(`${names.join(', ')}: without effect on programs of WebAssembly`);
  }

  async close(): Promise<void> {
    for (const open of this.#open) await open.close();
    await this.spool.close();
  }

  async #dockerignore(directory: string): Promise<string | undefined> {
    return this.vertices.run('[internal] load .dockerignore', 'transferring context:', async (vertex) => {
      const what = 'the build context';
      const tree = await this.#tree({ name: directory, what, only: ['.dockerignore'], vertex });
      return readText(tree, '.dockerignore');
    });
  }

  async #namedContext(name: string, value: string): Promise<BuildContextSource | { image: string }> {
    const [, scheme = '', rest = ''] = /^([a-z-]+):(.*)$/s.exec(value) ?? [];
    if (scheme === 'docker-image') return { image: rest.replace(/^\/\//, '') };
    if (scheme === 'local') {
      const what = `the context ${quote(name)}`;
      const ignore = await this.#dockerignore(rest);
      return { tree: this.#lazily(rest, what, `[context ${name}] load from client`, ignore) };
    }
    if (ADDRESS.test(value)) return this.#remote(value);
    throw new WctrError('unsupported', `the context ${quote(name)} cannot be read: ${quote(value)}`, {
      hint: 'name a directory, an image (docker-image://…) or an address',
    });
  }

  #remote(address: string): BuildContextSource {
    if (!/^https?:/.test(address)) return { address };
    const url = URL.canParse(address) ? new URL(address) : undefined;
    if (url?.host !== UPLOAD_HOST) return { address };
    return { tar: pullUpload(this.#session, url, this.#signal) };
  }

  /** Asked for when the build needs the first file of it. */
  #lazily(name: string, what: string, step: string, ignore: string | undefined): FileTree {
    const excludes = ignore === undefined ? [] : parseIgnoreFile(ignore);
    let vertex: Vertex | undefined;
    const tree = new LazyTree(what, async () => {
      vertex = this.vertices.begin(step, 'transferring context:');
      return this.#tree({ name, what, excludes, vertex });
    });
    tree.onDone = (error) => vertex?.complete(error);
    this.#open.add({ close: async () => tree.onDone() });
    return tree;
  }

  async #tree(options: {
    name: string;
    what: string;
    only?: readonly string[];
    excludes?: readonly string[];
    vertex: Vertex;
  }): Promise<SessionTree> {
    const { vertex, ...named } = options;
    const { host, digests } = this.#parts;
    const { sharedKey } = this.#session;
    const tree = await openSessionTree(this.#session, {
      ...named,
      spool: this.spool,
      createHasher: () => host.createHasher(),
      known: digests.of(sharedKey === '' ? undefined : `${sharedKey}\n${options.name}`),
      signal: this.#signal,
      onBytes: (sum) => vertex.bytes(sum),
    });
    this.#open.add(tree);
    return tree;
  }
}

/** A tree that is opened when it is looked into. */
class LazyTree implements FileTree {
  readonly what: string;
  onDone: (error?: unknown) => void = () => {};
  readonly #openTree: () => Promise<FileTree>;
  #tree: Promise<FileTree> | undefined;

  constructor(what: string, open: () => Promise<FileTree>) {
    this.what = what;
    this.#openTree = open;
  }

  async lstat(path: string): Promise<TreeEntry | undefined> {
    return (await this.#opened()).lstat(path);
  }

  async list(path: string): Promise<readonly string[]> {
    return (await this.#opened()).list(path);
  }

  async remember(): Promise<void> {
    this.onDone();
  }

  #opened(): Promise<FileTree> {
    if (this.#tree === undefined) {
      this.#tree = this.#openTree();
      this.#tree.catch((error: unknown) => this.onDone(error));
    }
    return this.#tree;
  }
}

/** The context's address, where it is no directory of the client. */
function addressOf(attributes: Attributes): string | undefined {
  const value = attributes.get(attributes.get('contextkey') ?? 'context');
  if (value === undefined || value === '') return undefined;
  if (ADDRESS.test(value) || value.endsWith('.git')) return value;
  throw new WctrError('unsupported', `the build context ${quote(value)} cannot be read`);
}

async function readText(tree: FileTree, path: string): Promise<string | undefined> {
  const entry = await tree.lstat(await resolvePath(tree, path));
  if (entry?.read === undefined) return undefined;
  if (entry.size > MAX_DOCKERFILE_BYTES) {
    throw new WctrError('limit-exceeded', `${quote(path)} has ${entry.size} bytes`);
  }
  return new TextDecoder().decode(await collect(entry.read()));
}
