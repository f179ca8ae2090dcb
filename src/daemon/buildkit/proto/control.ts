/** Package moby.buildkit.v1, service Control: api/services/control/control.proto of github.com/moby/buildkit, v0.24. */
import { bool, bytes, bytesList, int64, many, message, one, string, stringMap, strings } from './codec.ts';
import { BUILDKIT_VERSION, CACHE_ENTRY, NOTHING, RANGE, SOURCE_INFO, TIMESTAMP, WORKER } from './common.ts';

export const LIST_WORKERS_REQUEST = NOTHING;
export const LIST_WORKERS_RESPONSE = message({ record: many(1, WORKER) });

export const INFO_REQUEST = NOTHING;
export const INFO_RESPONSE = message({ buildkitVersion: one(1, BUILDKIT_VERSION) });

const EXPORTER = message({ Type: string(1), Attrs: stringMap(2) });

const CACHE_OPTIONS = message({
  ExportRefDeprecated: string(1),
  ImportRefsDeprecated: strings(2),
  Exports: many(4, CACHE_ENTRY),
  Imports: many(5, CACHE_ENTRY),
});

export const SOLVE_REQUEST = message({
  Ref: string(1),
  /** pb.Definition; only whether there is one is asked. */
  Definition: bytes(2),
  ExporterDeprecated: string(3),
  ExporterAttrsDeprecated: stringMap(4),
  Session: string(5),
  Frontend: string(6),
  FrontendAttrs: stringMap(7),
  Cache: one(8, CACHE_OPTIONS),
  Entitlements: strings(9),
  SourcePolicy: bytes(12),
  Exporters: many(13, EXPORTER),
});
export const SOLVE_RESPONSE = message({ ExporterResponse: stringMap(1) });

export const STATUS_REQUEST = message({ Ref: string(1) });

const VERTEX = message({
  digest: string(1),
  inputs: strings(2),
  name: string(3),
  cached: bool(4),
  started: one(5, TIMESTAMP),
  completed: one(6, TIMESTAMP),
  error: string(7),
});

const VERTEX_STATUS = message({
  ID: string(1),
  vertex: string(2),
  name: string(3),
  current: int64(4),
  total: int64(5),
  timestamp: one(6, TIMESTAMP),
  started: one(7, TIMESTAMP),
  completed: one(8, TIMESTAMP),
});

const VERTEX_LOG = message({ vertex: string(1), timestamp: one(2, TIMESTAMP), stream: int64(3), msg: bytes(4) });

const VERTEX_WARNING = message({
  vertex: string(1),
  level: int64(2),
  short: bytes(3),
  detail: bytesList(4),
  url: string(5),
  info: one(6, SOURCE_INFO),
  ranges: many(7, RANGE),
});

export const STATUS_RESPONSE = message({
  vertexes: many(1, VERTEX),
  statuses: many(2, VERTEX_STATUS),
  logs: many(3, VERTEX_LOG),
  warnings: many(4, VERTEX_WARNING),
});

export const USAGE_RECORD = message({
  ID: string(1),
  Mutable: bool(2),
  InUse: bool(3),
  Size: int64(4),
  CreatedAt: one(6, TIMESTAMP),
  LastUsedAt: one(7, TIMESTAMP),
  UsageCount: int64(8),
  Description: string(9),
  RecordType: string(10),
  Shared: bool(11),
  Parents: strings(12),
});
export const DISK_USAGE_REQUEST = message({ filter: strings(1) });
export const DISK_USAGE_RESPONSE = message({ record: many(1, USAGE_RECORD) });
/** Durations are nanoseconds, spaces bytes. */
export const PRUNE_REQUEST = message({
  filter: strings(1),
  all: bool(2),
  keepDuration: int64(3),
  reservedSpace: int64(4),
  maxUsedSpace: int64(5),
  minFreeSpace: int64(6),
});

export const HISTORY_REQUEST = message({ ActiveOnly: bool(1), Ref: string(2), EarlyExit: bool(3) });
