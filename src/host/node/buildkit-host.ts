/** BuildkitHost over Node's modules. */
import { randomBytes } from 'node:crypto';
import { mkdir, open, rm } from 'node:fs/promises';
import type { FileHandle } from '../ports.ts';
import { nodeHasher } from './hasher.ts';
import { nodeHttp2 } from './http2.ts';

/** `root`: of the data, whose disk has the room for it. */
export function buildkitHost(root: string) {
  return {
    http2: nodeHttp2,
    createHasher: () => nodeHasher('sha256'),
    openSpool: () => openUnnamed(`${root}/tmp`),
  };
}

async function openUnnamed(directory: string): Promise<FileHandle> {
  await mkdir(directory, { recursive: true });
  const path = `${directory}/spool-${randomBytes(8).toString('hex')}`;
  const handle = await open(path, 'wx+', 0o600);
  const remove = () => rm(path, { force: true });
  // Windows keeps the name of a file that is open.
  const isGone = await remove().then(
    () => true,
    () => false,
  );
  return {
    read: (...args) => handle.read(...args),
    write: (...args) => handle.write(...args),
    truncate: (length) => handle.truncate(length),
    sync: () => handle.sync(),
    stat: () => handle.stat(),
    close: async () => {
      await handle.close();
      if (!isGone) await remove();
    },
  };
}
