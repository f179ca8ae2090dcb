/** SHA-256 of the core behind the Hasher port; any number at once on one core. */
import { WctrError } from '../errors.ts';
import type { Hasher } from '../host/ports.ts';
import type { Core } from './core.ts';

const STAGING_BYTES = 128 * 1024;
const DIGEST_BYTES = 32;

/** Bytes go through one staging area per core, since an update is over before the next begins. */
const staging = new WeakMap<Core, number>();

/** A hasher that holds some 160 bytes of the core's memory until `digestHex`. */
export function createHasher(core: Core): Hasher {
  const { exports } = core;
  const input = stagingOf(core);
  const digestOffset = exports.sha256Size();
  const context = core.alloc(digestOffset + DIGEST_BYTES);
  exports.sha256Init(context);
  let spent = false;
  return {
    update(chunk) {
      if (spent) throw new WctrError('internal', 'a hasher was used after its digest');
      for (let at = 0; at < chunk.length; at += STAGING_BYTES) {
        const piece = chunk.subarray(at, at + STAGING_BYTES);
        core.bytes.set(piece, input);
        exports.sha256Update(context, input, piece.length);
      }
    },
    digestHex() {
      if (spent) throw new WctrError('internal', 'a hasher was used after its digest');
      spent = true;
      const digest = context + digestOffset;
      exports.sha256Final(context, digest);
      let hex = '';
      for (const byte of core.bytes.subarray(digest, digest + DIGEST_BYTES)) hex += byte.toString(16).padStart(2, '0');
      core.free(context);
      return hex;
    },
  };
}

function stagingOf(core: Core): number {
  const known = staging.get(core) ?? core.alloc(STAGING_BYTES);
  staging.set(core, known);
  return known;
}
