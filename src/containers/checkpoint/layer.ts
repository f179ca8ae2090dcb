/** A checkpoint as an OCI layer: a tar with the one file. The same checkpoint makes the same bytes. */
import { fromText } from '../files/names.ts';
import { encodeHeader, TAR_END, tarPadding } from '../files/tar-header.ts';
import { CHECKPOINT_PATH } from './names.ts';

export async function* checkpointLayer(
  sizeBytes: number,
  chunks: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  const name = CHECKPOINT_PATH.slice(1);
  const directory = name.slice(0, name.lastIndexOf('/') + 1);
  const owner = { uid: 0, gid: 0, mtime: 0 };
  yield encodeHeader({ ...owner, name: fromText(directory), type: '5', mode: 0o755, size: 0 });
  yield encodeHeader({ ...owner, name: fromText(name), type: '0', mode: 0o600, size: sizeBytes });
  yield* chunks;
  yield tarPadding(sizeBytes);
  yield TAR_END;
}
