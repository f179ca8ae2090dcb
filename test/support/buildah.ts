/** Builds by buildah, and what an OCI archive holds, flattened. */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { gunzipSync } from 'node:zlib';
import { toText } from '../../src/containers/files/names.ts';
import { readTar } from '../../src/containers/files/tar-reader.ts';
import { collect } from '../../src/images/archive/files.ts';
import type { ImageConfigDocument, IndexDocument, ManifestDocument } from '../../src/spec/image-spec.ts';
import { type BuildCase, SOME_FILES } from './build-cases.ts';
import { chunks } from './image-store.ts';

/** What of an image can be compared: no times, no digests. */
export interface Flattened {
  /** `path: kind mode uid:gid`, and the link's target or the contents' checksum. */
  readonly files: readonly string[];
  readonly config: Record<string, unknown>;
}

export function writeContext({ text, files = SOME_FILES, ignore }: BuildCase, directory: string): void {
  mkdirSync(directory, { recursive: true });
  const modes: [string, number][] = [];
  for (const [name, file] of Object.entries(files)) {
    const path = join(directory, name);
    mkdirSync(name.endsWith('/') ? path : dirname(path), { recursive: true });
    const content = typeof file === 'string' ? file : (file.text ?? '');
    if (content.startsWith('-> ')) symlinkSync(content.slice(3), path);
    else if (!name.endsWith('/')) writeFileSync(path, content);
    if (!content.startsWith('-> '))
      modes.push([path, typeof file === 'string' ? (name.endsWith('/') ? 0o755 : 0o644) : file.mode]);
  }
  for (const [path, mode] of modes) chmodSync(path, mode);
  const isWhole = /^\s*(?:#[^\n]*\n)*(?:ARG[^\n]*\n)*(?:ENV x=1\n)?FROM /im.test(text);
  writeFileSync(join(directory, 'Dockerfile'), isWhole ? `${text}\n` : `FROM scratch\n${text}\n`);
  if (ignore !== undefined) writeFileSync(join(directory, '.dockerignore'), ignore);
}

/** Undefined where it refuses. `store`: a directory for its own files. */
export async function buildByBuildah(
  program: string,
  store: string,
  context: string,
  { args = {}, target }: BuildCase,
): Promise<Flattened | undefined> {
  const common = ['--root', join(store, 'root'), '--runroot', join(store, 'run'), '--storage-driver', 'vfs'];
  const archive = `${context}.tar`;
  const buildah = (...more: string[]) => promisify(execFile)(program, [...common, ...more], { timeout: 60_000 });
  const given = Object.entries(args).flatMap(([name, value]) => ['--build-arg', `${name}=${value}`]);
  const aimed = target === undefined ? [] : ['--target', target];
  // Without a policy file of its own it refuses to write
  const name = context.slice(context.lastIndexOf('/') + 1);
  try {
    await buildah('bud', '--isolation', 'chroot', '--quiet', '--tag', `case-${name}`, ...given, ...aimed, context);
  } catch {
    return undefined;
  }
  await buildah('push', '--quiet', `case-${name}`, `oci-archive:${archive}:case`);
  const { readFile } = await import('node:fs/promises');
  return flatten(await readFile(archive));
}

/** An OCI layout as a tar, of one image. */
export async function flatten(archive: Uint8Array): Promise<Flattened> {
  const blobs = new Map<string, Uint8Array>();
  for await (const { name, data } of readTar(chunks(archive))) blobs.set(toText(name), await collect(data));
  const json = <T>(path: string) => JSON.parse(new TextDecoder().decode(blobs.get(path))) as T;
  const blob = (digest: string) => `blobs/${digest.replace(':', '/')}`;
  const index = json<IndexDocument>('index.json');
  const manifest = json<ManifestDocument>(blob(index.manifests[0]!.digest));
  const document = json<ImageConfigDocument>(blob(manifest.config.digest));
  const files = new Map<string, string>();
  for (const { digest } of manifest.layers) {
    const bytes = blobs.get(blob(digest)) as Uint8Array;
    await applyLayer(files, bytes[0] === 0x1f ? gunzipSync(bytes) : bytes);
  }
  files.delete('');
  const lines = [...files].map(([path, line]) => `${path}: ${line}`).sort();
  return { files: lines, config: comparable(document) };
}

async function applyLayer(files: Map<string, string>, tar: Uint8Array): Promise<void> {
  for await (const entry of readTar(chunks(tar))) {
    const path = toText(entry.name)
      .replace(/^\.?\//, '')
      .replace(/\/$/, '');
    const base = path.slice(path.lastIndexOf('/') + 1);
    const data = await collect(entry.data);
    if (base.startsWith('.wh.')) throw new Error(`a whiteout in an image from scratch: ${path}`);
    const mode = (entry.mode & 0o7777).toString(8);
    const owner = `${entry.uid}:${entry.gid}`;
    if (entry.type === '1') files.set(path, files.get(toText(entry.link).replace(/^\.?\//, '')) ?? 'a lost hard link');
    else if (entry.type === '5') files.set(path, `directory ${mode} ${owner}`);
    else if (entry.type === '2') files.set(path, `link ${owner} ${toText(entry.link)}`);
    else files.set(path, `file ${mode} ${owner} ${createHash('sha256').update(data).digest('hex').slice(0, 16)}`);
  }
}

const DEFAULT_PATH = 'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/** What runs, and how; empty fields and the tool's own mark left out. */
function comparable({ config = {}, author }: ImageConfigDocument): Record<string, unknown> {
  const { Env = [], Labels = {}, ...rest } = config;
  const { 'io.buildah.version': _, ...labels } = Labels ?? {};
  const all = { ...rest, Env: Env.filter((entry) => entry !== DEFAULT_PATH), Labels: labels, author };
  const isEmpty = (value: unknown) =>
    value === undefined ||
    value === null ||
    value === '' ||
    (typeof value === 'object' && Object.keys(value).length === 0);
  return Object.fromEntries(
    Object.entries(all)
      .filter(([, value]) => !isEmpty(value))
      .sort(([a], [b]) => (a < b ? -1 : 1)),
  );
}
