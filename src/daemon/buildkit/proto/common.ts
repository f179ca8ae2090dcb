/** Messages more than one service of BuildKit speaks of: google.protobuf, google.rpc, pb, moby.buildkit.v1.types. */
import { bool, bytes, int32, int64, many, message, one, string, stringMap } from './codec.ts';

/** google.protobuf.Timestamp */
export const TIMESTAMP = message({ seconds: int64(1), nanos: int32(2) });

/** google.protobuf.Any */
export const ANY = message({ typeUrl: string(1), value: bytes(2) });

/** google.rpc.Status */
export const STATUS = message({ code: int32(1), message: string(2), details: many(3, ANY) });

/** Where a message is sent for its presence, or what it says does not matter. */
export const NOTHING = message({});

/** pb.Platform */
export const PLATFORM = message({ Architecture: string(1), OS: string(2), Variant: string(3) });

/** pb.Position: lines from 1, characters from 0. */
const POSITION = message({ line: int32(1), character: int32(2) });

/** pb.Range */
export const RANGE = message({ start: one(1, POSITION), end: one(2, POSITION) });

/** pb.SourceInfo */
export const SOURCE_INFO = message({ filename: string(1), data: bytes(2), language: string(4) });

/** moby.buildkit.v1.types.BuildkitVersion */
export const BUILDKIT_VERSION = message({ package: string(1), version: string(2), revision: string(3) });

/** moby.buildkit.v1.types.WorkerRecord */
export const WORKER = message({
  ID: string(1),
  Labels: stringMap(2),
  platforms: many(3, PLATFORM),
  BuildkitVersion: one(5, BUILDKIT_VERSION),
});

/** moby.buildkit.v1.apicaps.APICap */
export const CAPABILITY = message({ ID: string(1), Enabled: bool(2) });

/** moby.buildkit.v1.CacheOptionsEntry, the same in the gateway's package. */
export const CACHE_ENTRY = message({ Type: string(1), Attrs: stringMap(2) });
