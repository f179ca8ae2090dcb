/** The context of a build as the tar that `POST /build` wants, with what .dockerignore says applied, as docker's client. */
import type { ContextFiles } from '../../build/context/directory-tree.ts';
import { DirectoryTree } from '../../build/context/directory-tree.ts';
import { IgnoreMatcher, parseIgnoreFile } from '../../build/ignore/ignore-matcher.ts';
import { type FileTree, join, type TreeEntry } from '../../build/tree/file-tree.ts';
import { IgnoredTree } from '../../build/tree/ignored-tree.ts';
import { fromText } from '../../containers/files/names.ts';
import { encodeHeader, TAR_END, tarPadding } from '../../containers/files/tar-header.ts';
import { WctrError } from '../../errors.ts';
import type { BuildRequest } from '../builds.ts';

/** A Dockerfile from elsewhere is sent under this name, and left out of the context by it. */
const SENT_DOCKERFILE = '.wctr.Dockerfile';

export interface SentContext {
  /** Undefined: the daemon fetches the context itself. */
  readonly tar?: AsyncIterable<Uint8Array>;
  readonly remote?: string;
  /** Path of the Dockerfile in it. */
  readonly dockerfile?: string;
  /** The Dockerfile's text, where it is known here. */
  readonly text?: string;
}

/** @param files Of this machine; a daemon on another one cannot read its directories. */
export async function sendContext(request: BuildRequest, files: ContextFiles | undefined): Promise<SentContext> {
  const { context, dockerfile, ignore } = request;
  if ('address' in context) {
    if (dockerfile !== undefined && 'text' in dockerfile) throw cannotJoin('an address');
    return { remote: context.address, ...(dockerfile === undefined ? {} : { dockerfile: dockerfile.path }) };
  }
  if ('tar' in context) {
    if (dockerfile === undefined || 'path' in dockerfile) {
      return { tar: context.tar, ...(dockerfile === undefined ? {} : { dockerfile: dockerfile.path }) };
    }
    return { tar: withDockerfile(context.tar, dockerfile.text), dockerfile: SENT_DOCKERFILE, text: dockerfile.text };
  }
  const tree = 'tree' in context ? context.tree : directoryTree(context.directory, files);
  if (dockerfile !== undefined && 'text' in dockerfile) {
    const patterns = ignore ?? (await textOf(tree, '.dockerignore')) ?? '';
    return { tar: packTree(tree, patterns, dockerfile.text), dockerfile: SENT_DOCKERFILE, text: dockerfile.text };
  }
  const path = dockerfile?.path ?? 'Dockerfile';
  const text = await textOf(tree, path);
  if (text === undefined) {
    throw new WctrError('not-found', `failed to read dockerfile: open ${path}: no such file or directory`);
  }
  const own = ignore ?? (await textOf(tree, `${path}.dockerignore`)) ?? (await textOf(tree, '.dockerignore')) ?? '';
  return { tar: packTree(tree, own, undefined, path), dockerfile: path, text };
}

function directoryTree(directory: string, files: ContextFiles | undefined): FileTree {
  if (files !== undefined) return new DirectoryTree(files, directory);
  throw new WctrError('unsupported', 'directories of this machine cannot be read here', {
    hint: 'give the context as a tree or a tar',
  });
}

function cannotJoin(what: string): WctrError {
  return new WctrError('unsupported', `a Dockerfile from elsewhere cannot be sent with ${what}`, {
    hint: 'put the Dockerfile into the context',
  });
}

async function* withDockerfile(tar: AsyncIterable<Uint8Array>, text: string): AsyncGenerator<Uint8Array> {
  yield* packFile(SENT_DOCKERFILE, new TextEncoder().encode(text));
  let isFirst = true;
  for await (const chunk of tar) {
    const [a, b] = chunk;
    // Members can be put in front of a plain tar alone.
    if (isFirst && ((a === 0x1f && b === 0x8b) || (a === 0x42 && b === 0x5a) || (a === 0xfd && b === 0x37))) {
      throw cannotJoin('a compressed tar');
    }
    isFirst = false;
    yield chunk;
  }
}

/** What is ignored stays here, but for the files that say how to build: docker's daemons look for them. */
async function* packTree(
  tree: FileTree,
  patterns: string,
  sent: string | undefined,
  path?: string,
): AsyncGenerator<Uint8Array> {
  const matcher = new IgnoreMatcher(parseIgnoreFile(patterns));
  const kept = new IgnoredTree(tree, matcher);
  const isOverridden = (name: string) => sent !== undefined && (name === '.dockerignore' || name === SENT_DOCKERFILE);
  yield* packDirectory(kept, '', isOverridden);
  if (sent !== undefined) {
    const lines = [patterns, '.dockerignore', SENT_DOCKERFILE, ''];
    yield* packFile('.dockerignore', new TextEncoder().encode(lines.join('\n')));
    yield* packFile(SENT_DOCKERFILE, new TextEncoder().encode(sent));
  } else {
    for (const name of [path ?? 'Dockerfile', `${path}.dockerignore`, '.dockerignore']) {
      if ((await kept.lstat(name)) !== undefined) continue;
      const entry = await tree.lstat(name);
      if (entry?.kind === 'file') yield* packEntry(tree, name, entry);
    }
  }
  yield TAR_END;
}

async function* packDirectory(
  tree: FileTree,
  directory: string,
  isLeftOut: (path: string) => boolean,
): AsyncGenerator<Uint8Array> {
  for (const name of await tree.list(directory)) {
    const path = join(directory, name);
    const entry = isLeftOut(path) ? undefined : await tree.lstat(path);
    if (entry === undefined) continue;
    yield* packEntry(tree, path, entry);
    if (entry.kind === 'directory') yield* packDirectory(tree, path, isLeftOut);
  }
}

async function* packEntry(tree: FileTree, path: string, entry: TreeEntry): AsyncGenerator<Uint8Array> {
  const common = { mode: entry.mode, uid: entry.uid, gid: entry.gid, mtime: 0 };
  if (entry.kind === 'directory') {
    yield encodeHeader({ ...common, name: fromText(`${path}/`), type: '5', size: 0 });
  } else if (entry.kind === 'symlink') {
    yield encodeHeader({ ...common, name: fromText(path), type: '2', size: 0, link: fromText(entry.target ?? '') });
  } else {
    const { size } = entry;
    yield encodeHeader({ ...common, name: fromText(path), type: '0', size });
    let sent = 0;
    for await (const chunk of entry.read?.() ?? []) {
      sent += chunk.length;
      if (sent <= size) yield chunk;
    }
    if (sent !== size) throw new WctrError('conflict', `${path} of ${tree.what} changed while it was read`);
    yield tarPadding(size);
  }
}

function* packFile(path: string, content: Uint8Array): Generator<Uint8Array> {
  yield encodeHeader({
    name: fromText(path),
    type: '0',
    mode: 0o644,
    uid: 0,
    gid: 0,
    mtime: 0,
    size: content.length,
  });
  yield content;
  yield tarPadding(content.length);
}

const MAX_TEXT_BYTES = 16 << 20;

async function textOf(tree: FileTree, path: string): Promise<string | undefined> {
  const entry = await tree.lstat(path).catch(() => undefined);
  if (entry?.kind !== 'file' || entry.read === undefined) return undefined;
  if (entry.size > MAX_TEXT_BYTES)
    throw new WctrError('limit-exceeded', `${path} is larger than ${MAX_TEXT_BYTES} bytes`);
  const decoder = new TextDecoder();
  let text = '';
  for await (const chunk of entry.read()) text += decoder.decode(chunk, { stream: true });
  return text + decoder.decode();
}
