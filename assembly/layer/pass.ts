/**
 * The layer pass: compressed bytes in; both digests, the plain tar and the layer index out, in one stream.
 *
 *   input -> SHA-256 (digest) -> decoder -> chunk -> tar reader -> index
 *                                             |  \-> SHA-256 (diffID)
 *                                             \--> the caller, in place
 *
 * Memory is the same whatever the layer holds: decoder and its ring (a zstd window at most), the tar reader's scratch
 * (4 MiB) and the index region (4 MiB), which is handed out whenever it is a quarter full. One pass per instance.
 */
import { RUN_DONE, RUN_NEED_INPUT, RUN_OUTPUT } from '../../src/core/abi/codec';
import {
  AT_DECODE,
  AT_LIMIT,
  AT_TAR,
  PASS_DONE,
  PASS_HASH_BLOB,
  PASS_HASH_TAR,
  PASS_INDEX,
  PASS_INPUT,
  PASS_RATIO_FLOOR,
  PASS_TAR,
} from '../../src/core/abi/layer-pass';
import { E_LIMIT, E_NO_MEMORY, E_STATE, OK } from '../../src/core/abi/status';
import {
  decoderEnd,
  decoderInput,
  decoderInputSpace,
  decoderNew,
  decoderOutput,
  decoderOutputLength,
  decoderPush,
  decoderRun,
} from '../codec/decoder';
import { SHA256_BYTES, sha256Final, sha256Init, sha256Update } from '../hash/sha256';
import { regionAlloc } from '../memory/index';
import { entryPath, entryPathLength } from '../tar/names';
import {
  TAR_ENTRY,
  TAR_MORE,
  TAR_SCRATCH_BYTES,
  tarFeed,
  tarFinish,
  tarNext,
  tarPlace,
  tarPosition,
} from '../tar/reader';
import {
  WRITER_BYTES,
  writeEntry,
  writerEntries,
  writerFlush,
  writerHeader,
  writerIsFull,
  writerPlace,
  writerRegion,
} from './writer';

const STAGE_DECODE: u32 = 0;
const STAGE_PARSE: u32 = 1;
const STAGE_LAST: u32 = 2;
const STAGE_ENDED: u32 = 3;

let decoder: usize = 0;
let input: usize = 0;
let blobHash: usize = 0;
let tarHash: usize = 0;
let stage: u32 = STAGE_ENDED;
let flags: u32 = 0;
let failure: i32 = OK;
let failedAt: u32 = AT_DECODE;
let blobBytes: u64 = 0;
let tarBytes: u64 = 0;
let maxTarBytes: u64 = 0;
let maxRatio: u64 = 0;
let chunk: usize = 0;
let chunkLength: u32 = 0;
let indexLength: u32 = 0;

/**
 * Starts a pass. `slots`: chunks the caller keeps in use at once; `tarLimit` in bytes; `ratioLimit`: plain bytes per
 * blob byte once PASS_RATIO_FLOOR is passed, 0 = any; `hashes`: PASS_HASH_*. OK or E_NO_MEMORY.
 */
export function passBegin(
  format: u32,
  slots: u32,
  windowLimit: u32,
  entryLimit: u32,
  tarLimit: f64,
  ratioLimit: u32,
  hashes: u32,
): i32 {
  decoder = decoderNew(format, windowLimit, slots);
  const place = regionAlloc(2 * SHA256_BYTES + 64 + TAR_SCRATCH_BYTES + 64 + WRITER_BYTES);
  if (decoder == 0 || place == 0) return E_NO_MEMORY;
  blobHash = place;
  tarHash = place + SHA256_BYTES;
  const scratch = (place + 2 * SHA256_BYTES + 63) & ~63;
  tarPlace(scratch);
  writerPlace((scratch + TAR_SCRATCH_BYTES + 63) & ~63, entryLimit);
  sha256Init(blobHash);
  sha256Init(tarHash);
  stage = STAGE_DECODE;
  flags = hashes;
  failure = OK;
  blobBytes = 0;
  tarBytes = 0;
  maxTarBytes = <u64>tarLimit;
  maxRatio = ratioLimit;
  return OK;
}

/** Where the next input goes, and how much of it fits. */
export function passInput(): usize {
  input = decoderInput(decoder);
  return input;
}

/** To be asked after passInput. */
export function passSpace(): u32 {
  return decoderInputSpace(decoder);
}

/** `length` bytes of the blob were put at passInput; `last`: no more will come. */
export function passPush(length: u32, last: bool): i32 {
  const status = decoderPush(decoder, length);
  if (status != OK) return status;
  if (flags & PASS_HASH_BLOB) sha256Update(blobHash, input, length);
  blobBytes += length;
  if (last) decoderEnd(decoder);
  return OK;
}

/** Works until something is to be done: a PASS_* event, or an E_* after which the pass is over. */
export function passRun(): i32 {
  if (failure != OK) return failure;
  failedAt = AT_DECODE;
  const event = advance();
  if (event < 0) {
    failure = event;
    if (stage == STAGE_PARSE) failedAt = AT_TAR;
  }
  return event;
}

function advance(): i32 {
  while (true) {
    if (stage == STAGE_DECODE) {
      const status = decoderRun(decoder);
      if (status == RUN_NEED_INPUT) return PASS_INPUT;
      if (status == RUN_DONE) {
        const end = tarFinish();
        stage = STAGE_PARSE;
        if (end != OK) return end;
        stage = STAGE_LAST;
        indexLength = writerFlush();
        return PASS_INDEX;
      }
      if (status != RUN_OUTPUT) return status;
      const caps = takeChunk();
      if (caps != OK) return caps;
    } else if (stage == STAGE_PARSE) {
      const status = tarNext();
      if (status == TAR_ENTRY) {
        const written = writeEntry();
        if (written != OK) return written;
        if (!writerIsFull()) continue;
        indexLength = writerFlush();
        return PASS_INDEX;
      }
      if (status != TAR_MORE) return status;
      if (flags & PASS_HASH_TAR) sha256Update(tarHash, chunk, chunkLength);
      stage = STAGE_DECODE;
      return PASS_TAR;
    } else if (stage == STAGE_LAST) {
      stage = STAGE_ENDED;
      if (flags & PASS_HASH_TAR) sha256Final(tarHash, tarHash);
      return PASS_DONE;
    } else {
      return E_STATE;
    }
  }
}

function takeChunk(): i32 {
  chunk = decoderOutput(decoder);
  chunkLength = decoderOutputLength(decoder);
  tarBytes += chunkLength;
  const tooSteep = maxRatio != 0 && tarBytes > <u64>PASS_RATIO_FLOOR && tarBytes > blobBytes * maxRatio;
  if (tarBytes > maxTarBytes || tooSteep) {
    failedAt = AT_LIMIT;
    return E_LIMIT;
  }
  tarFeed(chunk, chunkLength);
  stage = STAGE_PARSE;
  return OK;
}

/** At PASS_TAR: the plain bytes, theirs until `slots - 1` more chunks came. */
export function passChunk(): usize {
  return chunk;
}

export function passChunkLength(): u32 {
  return chunkLength;
}

/** At PASS_INDEX: the next bytes of the index, to be copied before the pass goes on. */
export function passIndex(): usize {
  return writerRegion();
}

export function passIndexLength(): u32 {
  return indexLength;
}

/** At PASS_DONE: the index's header, LAYER_HEADER_BYTES that belong in front of it. */
export function passIndexHeader(): usize {
  return writerHeader(tarBytes);
}

/** After a failure the blob's digest can still be had: put up to 64 KiB at passHashOnlyInput, then passHashOnly. */
export function passHashOnlyInput(): usize {
  return writerRegion();
}

export function passHashOnly(length: u32): void {
  sha256Update(blobHash, writerRegion(), length);
}

/** Once, at PASS_DONE or after a failure: 32 bytes, if PASS_HASH_BLOB was asked for. */
export function passBlobDigest(): usize {
  sha256Final(blobHash, blobHash);
  return blobHash;
}

/** At PASS_DONE: 32 bytes, if PASS_HASH_TAR was asked for. */
export function passTarDigest(): usize {
  return tarHash;
}

export function passTarBytes(): f64 {
  return <f64>tarBytes;
}

export function passBlobBytes(): f64 {
  return <f64>blobBytes;
}

export function passEntries(): u32 {
  return writerEntries();
}

/** After a failure: AT_*. */
export function passFailedAt(): u32 {
  return failedAt;
}

/** After a failure: the name of the entry the tar reader stood at, and how far into the plain tar it was. */
export function passName(): usize {
  return entryPath;
}

export function passNameLength(): u32 {
  return entryPathLength;
}

export function passPosition(): f64 {
  return <f64>tarPosition();
}
