/**
 * Files of a tar into a directory of the client: `--output type=local`. The packets are those of DiffCopy, with the client
 * as the receiver: it is told all files in the order it wants them, and asks for the contents of those it has not got.
 */
import { baseOf, byBytes, parentOf } from '../../../build/tree/file-tree.ts';
import { toText } from '../../../containers/files/names.ts';
import { readTar } from '../../../containers/files/tar-reader.ts';
import { WctrError } from '../../../errors.ts';
import type { GrpcStream } from '../grpc/client.ts';
import { asWctrError } from '../grpc/status.ts';
import type { Of } from '../proto/codec.ts';
import {
  GO_MODE_DIR,
  GO_MODE_SETGID,
  GO_MODE_SETUID,
  GO_MODE_STICKY,
  GO_MODE_SYMLINK,
  PACKET,
  PACKET_DATA,
  PACKET_ERR,
  PACKET_FIN,
  PACKET_REQ,
  PACKET_STAT,
  type STAT,
} from '../proto/session.ts';
import { exporterMetadata, FILE_SEND } from './services.ts';
import type { Session } from './session.ts';
import type { Spool, SpooledFile } from './spool.ts';

const CHUNK_BYTES = 256 << 10;

type Stat = Partial<Of<typeof STAT>>;
type Packets = GrpcStream<Of<typeof PACKET>, Of<typeof PACKET>>;

interface Node {
  stat: Stat;
  content: SpooledFile | undefined;
  readonly children: Set<string> | undefined;
}

export async function sendDirectory(
  session: Session,
  exporter: number,
  tar: AsyncIterable<Uint8Array>,
  spool: Spool,
  signal: AbortSignal,
): Promise<void> {
  const files = await filesOf(tar, spool);
  const stream = session.client.stream(FILE_SEND, PACKET, PACKET, exporterMetadata(session, exporter), signal);
  try {
    const sent = new Set<number>();
    const order = [...inOrder(files, '')];
    const naming = (async () => {
      for (const { stat } of order) await stream.send({ type: PACKET_STAT, stat });
      await stream.send({ type: PACKET_STAT });
    })();
    naming.catch(() => {});
    let sending: Promise<void> = Promise.resolve();
    let isFinished = false;
    for await (const { type, ID, data } of stream.messages) {
      if (type === PACKET_REQ) {
        const node = order[ID];
        if (node?.content === undefined || sent.has(ID)) {
          throw new WctrError('invalid-argument', 'the client asked for a file that is not there');
        }
        const { content } = node;
        sent.add(ID);
        sending = sending.then(() => send(stream, ID, content));
        sending.catch(() => {});
      } else if (type === PACKET_FIN) {
        isFinished = true;
        await Promise.all([naming, sending]);
        await stream.send({ type: PACKET_FIN });
        stream.end();
      } else if (type === PACKET_ERR) throw new Error(new TextDecoder().decode(data.subarray(0, 2_000)));
    }
    if (!isFinished) throw new Error('it took no more files');
  } catch (error) {
    stream.cancel();
    throw asWctrError(error, 'failed to copy what was built to the client');
  }
}

async function send(stream: Packets, ID: number, content: SpooledFile): Promise<void> {
  for await (const chunk of content.read()) {
    for (let at = 0; at < chunk.length; at += CHUNK_BYTES) {
      await stream.send({ type: PACKET_DATA, ID, data: chunk.subarray(at, at + CHUNK_BYTES) });
    }
  }
  await stream.send({ type: PACKET_DATA, ID });
}

/** The client checks that names are in order, each directory before what is in it. */
function* inOrder(files: ReadonlyMap<string, Node>, path: string): Generator<Node> {
  const names = [...(files.get(path)?.children ?? [])].sort((a, b) => byBytes(baseOf(a), baseOf(b)));
  for (const name of names) {
    const node = files.get(name);
    if (node === undefined) continue;
    yield node;
    yield* inOrder(files, name);
  }
}

async function filesOf(tar: AsyncIterable<Uint8Array>, spool: Spool): Promise<Map<string, Node>> {
  const files = new Map<string, Node>([['', { stat: {}, content: undefined, children: new Set() }]]);
  const put = (path: string, node: Node) => {
    const parent = parentOf(path);
    const above = files.get(parent);
    if (above === undefined) put(parent, directory(parent));
    files.get(parent)?.children?.add(path);
    files.set(path, node);
  };
  for await (const { name, type, mode, uid, gid, size, mtimeNs, link, data } of readTar(tar)) {
    const path = clean(toText(name));
    if (path === '') continue;
    const common = { path, mode: permissions(mode), uid, gid, modTime: Number(mtimeNs) };
    if (type === '5') {
      const before = files.get(path);
      if (before?.children === undefined) put(path, directory(path));
      files.get(path)!.stat = { ...common, mode: (common.mode | GO_MODE_DIR) >>> 0 };
    } else if (type === '2') {
      const linkname = toText(link);
      put(path, {
        stat: { ...common, mode: (GO_MODE_SYMLINK | 0o777) >>> 0, linkname },
        content: undefined,
        children: undefined,
      });
    } else if (type === '0') {
      const content = spool.file(size);
      for await (const chunk of data) await content.write(chunk);
      put(path, { stat: { ...common, size }, content, children: undefined });
    } else if (type === '1') {
      // Another name of the same bytes: a file of its own there.
      const first = files.get(clean(toText(link)));
      if (first?.content !== undefined) {
        put(path, { stat: { ...first.stat, path }, content: first.content, children: undefined });
      }
    }
  }
  return files;
}

function directory(path: string): Node {
  return { stat: { path, mode: (GO_MODE_DIR | 0o755) >>> 0 }, content: undefined, children: new Set() };
}

function clean(path: string): string {
  return path
    .split('/')
    .filter((part) => part !== '' && part !== '.')
    .join('/');
}

function permissions(mode: number): number {
  return (
    (mode & 0o777) |
    ((mode & 0o4000) === 0 ? 0 : GO_MODE_SETUID) |
    ((mode & 0o2000) === 0 ? 0 : GO_MODE_SETGID) |
    ((mode & 0o1000) === 0 ? 0 : GO_MODE_STICKY)
  );
}
