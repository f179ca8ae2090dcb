import { WctrError } from '../errors.ts';
import type { FileSystem } from '../host/ports.ts';
import type { LogConfig } from '../spec/engine-api.ts';
import type { LogChunk, LogOptions } from './engine.ts';

export function readLogs(
  _source: { fs: FileSystem; path: string; log: LogConfig },
  _options: LogOptions,
  _ended?: Promise<unknown>,
): AsyncIterable<LogChunk> {
  throw new WctrError('unsupported', 'logs cannot be read yet');
}
