/** Progress in the client's shape: SolveStatus of the builder as StatusResponse of the service. */
import type { SolveStatus } from '../../spec/build-progress.ts';
import type { Of } from './proto/codec.ts';
import type { TIMESTAMP } from './proto/common.ts';
import type { STATUS_RESPONSE } from './proto/control.ts';

export type StatusResponse = Partial<Of<typeof STATUS_RESPONSE>>;

export function statusResponse({ vertexes, statuses, logs, warnings }: SolveStatus): StatusResponse {
  const encoder = new TextEncoder();
  return {
    vertexes: (vertexes ?? []).map(({ started, completed, ...vertex }) => ({
      ...vertex,
      ...times({ started, completed }),
    })),
    statuses: (statuses ?? []).map(({ id, timestamp, started, completed, ...status }) => ({
      ...status,
      ID: id,
      ...times({ timestamp, started, completed }),
    })),
    logs: (logs ?? []).map(({ vertex, stream, data, timestamp }) => ({
      vertex,
      stream,
      msg: data,
      ...times({ timestamp }),
    })),
    warnings: (warnings ?? []).map(({ vertex, level, short, detail, url, sourceInfo, range }) => ({
      vertex,
      level: level ?? 1,
      short: encoder.encode(short),
      detail: (detail ?? []).map((line) => encoder.encode(line)),
      ...(url === undefined ? {} : { url }),
      ...(sourceInfo === undefined ? {} : { info: { ...sourceInfo, language: 'Dockerfile' } }),
      ranges: range ?? [],
    })),
  };
}

type Timestamp = Partial<Of<typeof TIMESTAMP>>;

function times<K extends string>(given: Readonly<Record<K, string | undefined>>): Partial<Record<K, Timestamp>> {
  const found: Partial<Record<K, Timestamp>> = {};
  for (const name of Object.keys(given) as K[]) {
    const text = given[name];
    if (text !== undefined) found[name] = timestampOf(text);
  }
  return found;
}

/** RFC 3339 with up to nine digits of a second. */
export function timestampOf(text: string): Timestamp {
  const [, date = '', fraction = '', zone = 'Z'] = /^([^.Z+]+?)(?:\.(\d{1,9}))?(Z|[+-]\d\d:\d\d)?$/.exec(text) ?? [];
  const seconds = Math.floor(Date.parse(`${date}${zone}`) / 1000);
  return Number.isFinite(seconds) ? { seconds, nanos: Number(fraction.padEnd(9, '0')) } : {};
}
