/** Where a container's output is kept. */
import { WctrError } from '../../errors.ts';
import type { FileSystem } from '../../host/ports.ts';
import type { LogConfig } from '../../spec/engine-api.ts';
import { checkTag } from './attributes.ts';
import type { LogEntry, LogFormat } from './format.ts';
import { jsonFileFormat } from './json-file.ts';
import { LineSplitter } from './lines.ts';
import { localFormat } from './local.ts';
import { RotatedFile } from './rotation.ts';

export interface LogDriver {
  /** Resolves when it is with the operating system. Rejects never: what cannot be written is lost, and counted. */
  write(stream: LogEntry['stream'], bytes: Uint8Array): Promise<void>;
  /** The stream is at its end: a line without its newline is written. */
  end(stream: LogEntry['stream']): Promise<void>;
  close(): Promise<void>;
  /** Chunks that could not be written: a full disk must not stop the guest. */
  readonly lost: number;
}

export interface LogLimits {
  /** Bytes a file may have; undefined: any number. */
  readonly maxSize: number | undefined;
  readonly maxFiles: number;
  /** Rotated files are packed with gzip. */
  readonly compress: boolean;
}

interface DriverKind {
  readonly format: LogFormat;
  readonly defaults: LogLimits;
}

const KINDS: Readonly<Record<string, DriverKind>> = {
  'json-file': { format: jsonFileFormat, defaults: { maxSize: undefined, maxFiles: 1, compress: false } },
  local: { format: localFormat, defaults: { maxSize: 20 * 1024 * 1024, maxFiles: 5, compress: true } },
};
const OPTIONS = /^(max-size|max-file|compress|mode|max-buffer-size)$/;
const ATTRIBUTES = /^(labels|labels-regex|env|env-regex|tag)$/;

/** Throws 'invalid-argument' for a driver or an option that is not there. */
export function checkLogConfig(log: LogConfig): void {
  if (log.Type !== 'none') limitsOf(log);
}

/** Undefined for `none`. */
export function logFormat(log: LogConfig): LogFormat | undefined {
  return log.Type === 'none' ? undefined : kindOf(log).format;
}

export function limitsOf(log: LogConfig): LogLimits {
  const { defaults } = kindOf(log);
  const config = log.Config ?? {};
  for (const [name, value] of Object.entries(config)) {
    if (!OPTIONS.test(name) && (log.Type === 'local' || !ATTRIBUTES.test(name)))
      throw new WctrError('invalid-argument', `unknown log opt '${name}' for ${log.Type} log driver`);
    if (name === 'tag') checkTag(value);
  }
  const { 'max-size': size, 'max-file': files } = config;
  const maxFiles = files === undefined ? defaults.maxFiles : Number(files);
  if (!Number.isInteger(maxFiles) || maxFiles < 1 || maxFiles > 1000) {
    throw new WctrError('invalid-argument', `max-file cannot be ${JSON.stringify(files)}`, { hint: '1 or more' });
  }
  const maxSize = size === undefined ? defaults.maxSize : parseSize(size);
  const isAsked = config.compress !== undefined;
  const compress = isAsked ? readFlag('compress', config.compress!) : defaults.compress && maxFiles > 1;
  if (compress && isAsked && (maxFiles < 2 || maxSize === undefined)) {
    throw new WctrError(
      'invalid-argument',
      'compress cannot be true when max-file is less than 2 or max-size is not set',
    );
  }
  return { maxSize, maxFiles, compress };
}

/** As Go's strconv.ParseBool has it. */
function readFlag(name: string, text: string): boolean {
  if (/^(1|t|T|TRUE|true|True)$/.test(text)) return true;
  if (/^(0|f|F|FALSE|false|False)$/.test(text)) return false;
  throw new WctrError('invalid-argument', `${name} cannot be ${JSON.stringify(text)}`, { hint: 'true or false' });
}

function kindOf(log: LogConfig): DriverKind {
  const kind = KINDS[log.Type || 'json-file'];
  if (kind !== undefined) return kind;
  throw new WctrError('invalid-argument', `logger: no log driver named '${log.Type}' is registered`, {
    hint: 'use json-file, local or none',
  });
}

const UNITS: Readonly<Record<string, number>> = { '': 1, k: 1024, m: 1024 ** 2, g: 1024 ** 3 };

function parseSize(text: string): number | undefined {
  if (text === '-1') return undefined;
  const [, digits, unit = ''] = /^(\d+(?:\.\d+)?)\s*([kmg]?)(?:i?b)?$/i.exec(text) ?? [];
  const size = Number(digits) * UNITS[unit.toLowerCase()]!;
  if (digits !== undefined && size > 0) return Math.floor(size);
  throw new WctrError('invalid-argument', `invalid max-size ${JSON.stringify(text)}`, { hint: 'write 10m, or -1' });
}

export interface LogDriverOptions {
  readonly fs: FileSystem;
  readonly path: string;
  readonly log: LogConfig;
  /** Nanoseconds since the epoch. */
  readonly now: () => bigint;
  /** What every entry carries, for `logs --details`. */
  readonly attributes?: Readonly<Record<string, string>>;
}

/** Opens nothing before the first line. Throws as `checkLogConfig`. */
export function createLogDriver({ fs, path, log, now, attributes = {} }: LogDriverOptions): LogDriver | undefined {
  const format = logFormat(log);
  if (format === undefined) return undefined;
  return new FileLog(format, new RotatedFile(fs, path, limitsOf(log)), now, attributes);
}

class FileLog implements LogDriver {
  lost = 0;
  readonly #format: LogFormat;
  readonly #file: RotatedFile;
  readonly #now: () => bigint;
  readonly #attributes: Pick<LogEntry, 'attributes'>;
  readonly #lines = { stdout: new LineSplitter(), stderr: new LineSplitter() };
  #writing: Promise<void> = Promise.resolve();

  constructor(format: LogFormat, file: RotatedFile, now: () => bigint, attributes: Readonly<Record<string, string>>) {
    this.#attributes = Object.keys(attributes).length === 0 ? {} : { attributes };
    this.#format = format;
    this.#file = file;
    this.#now = now;
  }

  write(stream: LogEntry['stream'], bytes: Uint8Array): Promise<void> {
    return this.#store(stream, this.#lines[stream].push(bytes));
  }

  end(stream: LogEntry['stream']): Promise<void> {
    return this.#store(stream, this.#lines[stream].end());
  }

  async close(): Promise<void> {
    await this.#writing;
    await this.#file.close();
  }

  #store(stream: LogEntry['stream'], lines: readonly Uint8Array[]): Promise<void> {
    if (lines.length === 0) return this.#writing;
    const time = this.#now();
    const entries = lines.map((bytes) => this.#format.encode({ stream, time, bytes, ...this.#attributes }));
    this.#writing = this.#writing
      .then(() => this.#file.append(entries))
      .catch(() => {
        this.lost += 1;
      });
    return this.#writing;
  }
}
