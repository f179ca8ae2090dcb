/** Decoders and the compressor for JavaScript; the protocols are described in decoder.ts and encoder.ts. */
export {
  decoderEnd,
  decoderFormat,
  decoderFree,
  decoderInput,
  decoderInputSpace,
  decoderNew,
  decoderOutput,
  decoderOutputLength,
  decoderPush,
  decoderReset,
  decoderRun,
  decoderUnread,
} from './decoder';
export {
  encoderEnd,
  encoderFree,
  encoderInput,
  encoderInputSpace,
  encoderNew,
  encoderOutput,
  encoderPush,
} from './encoder';
export { sniffFormat } from './sniff';
