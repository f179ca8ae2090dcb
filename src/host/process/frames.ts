/**
 * What travels between a container process and its parent, over one pipe (file descriptor 3 of the child).
 *
 * ```
 * frame:  u32 byteLength of the payload, little endian | u8 kind | payload
 * spec:   u32 jsonLength | json | blob bytes, one after the other     (parent -> child, once)
 * ready:  nothing: the spec is read, the guest's time starts          (child -> parent, once)
 * exit:   json of SandboxExit                                         (child -> parent, once)
 * ```
 *
 * Bytes inside a spec (`{ bytes }` locations) travel as blobs after the document, which names them by length:
 * `{ "bytes": <length> }`. Host paths travel as they are, so a spec that names files costs a few hundred bytes.
 */
import { WctrError } from '../../errors.ts';
import type { SandboxSpec } from '../sandbox.ts';

export const FRAME_SPEC = 1;
export const FRAME_EXIT = 2;
export const FRAME_READY = 3;

/** Throws 'unsupported' for a mount of an object: it cannot leave the thread it lives in. */
export function encodeSpec(spec: SandboxSpec): Uint8Array {
  const blobs: Uint8Array[] = [];
  // Read through `this`: a Buffer's toJSON has been called by the time `value` is handed in.
  const json = JSON.stringify(spec, function (this: Record<string, unknown>, key, value: unknown) {
    const raw = this[key];
    if (raw instanceof Uint8Array) {
      blobs.push(raw);
      return raw.length;
    }
    if (key === 'fs') {
      throw new WctrError('unsupported', 'an fs object cannot be mounted into another process', {
        hint: "use isolation 'inline', or mount a directory of the host",
      });
    }
    return value;
  });
  const document = new TextEncoder().encode(json);
  const size = blobs.reduce((sum, blob) => sum + blob.length, 4 + document.length);
  const payload = new Uint8Array(size);
  new DataView(payload.buffer).setUint32(0, document.length, true);
  payload.set(document, 4);
  let at = 4 + document.length;
  for (const blob of blobs) {
    payload.set(blob, at);
    at += blob.length;
  }
  return payload;
}

export function decodeSpec(payload: Uint8Array): SandboxSpec {
  const documentLength = new DataView(payload.buffer, payload.byteOffset).getUint32(0, true);
  const document = new TextDecoder().decode(payload.subarray(4, 4 + documentLength));
  let at = 4 + documentLength;
  // JSON.parse visits members in the order JSON.stringify wrote them, so the blobs come out in theirs.
  return JSON.parse(document, (key, value: unknown) => {
    if (key !== 'bytes' || typeof value !== 'number') return value;
    const blob = payload.subarray(at, at + value);
    at += value;
    return blob;
  }) as SandboxSpec;
}
