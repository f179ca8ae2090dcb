/** Decoders for JavaScript; the protocol is described in decoder.ts. */
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
export { sniffFormat } from './sniff';
