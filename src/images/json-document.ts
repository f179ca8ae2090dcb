/** Reads JSON documents that came from outside, field by field; every complaint is one `invalid-manifest` line. */
import { WctrError } from '../errors.ts';
import type { Descriptor, Platform } from '../spec/image-spec.ts';
import { isDigest } from './digest.ts';
import { quote } from './quote.ts';

/** Manifests and configs above this are refused unread (distribution-spec: 4 MiB must be accepted). */
export const MAX_DOCUMENT_BYTES = 4 * 1024 * 1024;
/** No blob is larger: 1 TiB. */
export const MAX_BLOB_BYTES = 2 ** 40;

const MEDIA_TYPE_SYNTAX = /^[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]{0,126}\/[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]{0,126}$/;
const PLATFORM_WORD = /^[A-Za-z0-9_.-]{0,64}$/;

export type JsonObject = Readonly<Record<string, unknown>>;

/** One document under inspection; `what` is how messages call it (`manifest sha256:…`). */
export class JsonDocument {
  readonly what: string;
  readonly root: JsonObject;

  constructor(what: string, bytes: Uint8Array) {
    this.what = what;
    if (bytes.length > MAX_DOCUMENT_BYTES) {
      throw new WctrError('limit-exceeded', `${what} is ${bytes.length} bytes, more than ${MAX_DOCUMENT_BYTES}`, {
        data: { sizeBytes: bytes.length, limitBytes: MAX_DOCUMENT_BYTES },
      });
    }
    let parsed: unknown;
    try {
      parsed = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
    } catch (cause) {
      throw new WctrError('invalid-manifest', `${what} is not JSON in UTF-8`, { cause });
    }
    this.root = this.object(parsed, 'the document');
  }

  fail(why: string): WctrError {
    return new WctrError('invalid-manifest', `${this.what}: ${why}`);
  }

  object(value: unknown, path: string): JsonObject {
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as JsonObject;
    throw this.fail(`${path} is not an object`);
  }

  /** Undefined for a missing, null or (as Go writes empty ones) absent array. */
  array(value: unknown, path: string, maxItems: number): readonly unknown[] | undefined {
    if (value === undefined || value === null) return undefined;
    if (!Array.isArray(value)) throw this.fail(`${path} is not an array`);
    if (value.length > maxItems) throw this.fail(`${path} has ${value.length} items, more than ${maxItems}`);
    return value;
  }

  /** Text without NUL, at most `maxChars`. */
  text(value: unknown, path: string, maxChars: number): string | undefined {
    if (value === undefined || value === null) return undefined;
    if (typeof value !== 'string') throw this.fail(`${path} is not a string`);
    if (value.length > maxChars) throw this.fail(`${path} is longer than ${maxChars} characters`);
    if (value.includes('\0')) throw this.fail(`${path} contains a NUL character`);
    return value;
  }

  texts(value: unknown, path: string, maxItems: number, maxChars: number): readonly string[] | undefined {
    return this.array(value, path, maxItems)?.map((item, i) => {
      const text = this.text(item, `${path}[${i}]`, maxChars);
      if (text === undefined) throw this.fail(`${path}[${i}] is not a string`);
      return text;
    });
  }

  /** A map of strings. `Object.fromEntries` defines own properties, so a key `__proto__` is only a key. */
  textMap(value: unknown, path: string, maxItems: number, maxChars: number): Record<string, string> | undefined {
    if (value === undefined || value === null) return undefined;
    const entries = Object.entries(this.object(value, path));
    if (entries.length > maxItems) throw this.fail(`${path} has ${entries.length} items, more than ${maxItems}`);
    return Object.fromEntries(
      entries.map(([key, item]) => {
        const at = `${path}[${quote(key, 40)}]`;
        return [this.text(key, `${path} key`, maxChars) ?? '', this.text(item, at, maxChars) ?? ''];
      }),
    );
  }

  integer(value: unknown, path: string, max = Number.MAX_SAFE_INTEGER): number | undefined {
    if (value === undefined || value === null) return undefined;
    if (typeof value !== 'number' || !Number.isInteger(value)) throw this.fail(`${path} is not an integer`);
    if (value < 0) throw this.fail(`${path} is negative`);
    if (value > max) throw this.fail(`${path} is ${value}, more than ${max}`);
    return value;
  }

  mediaType(value: unknown, path: string): string | undefined {
    const text = this.text(value, path, 255);
    if (text === undefined || text === '') return undefined;
    if (!MEDIA_TYPE_SYNTAX.test(text)) throw this.fail(`${path} ${quote(text)} is not a media type`);
    return text;
  }

  descriptor(value: unknown, path: string): Descriptor {
    const fields = this.object(value, path);
    const mediaType = this.mediaType(fields.mediaType, `${path}.mediaType`);
    if (mediaType === undefined) throw this.fail(`${path}.mediaType is missing`);
    if (!isDigest(fields.digest)) {
      throw this.fail(
        `${path}.digest ${typeof fields.digest === 'string' ? quote(fields.digest, 80) : ''} is no digest`,
      );
    }
    const size = this.integer(fields.size, `${path}.size`, MAX_BLOB_BYTES);
    if (size === undefined) throw this.fail(`${path}.size is missing`);
    const urls = this.texts(fields.urls, `${path}.urls`, 16, 4096);
    const annotations = this.annotations(fields.annotations, `${path}.annotations`);
    const artifactType = this.mediaType(fields.artifactType, `${path}.artifactType`);
    const platform = this.platform(fields.platform, `${path}.platform`);
    return {
      mediaType,
      digest: fields.digest,
      size,
      ...(urls === undefined ? {} : { urls }),
      ...(annotations === undefined ? {} : { annotations }),
      ...(artifactType === undefined ? {} : { artifactType }),
      ...(platform === undefined ? {} : { platform }),
    };
  }

  annotations(value: unknown, path: string): Record<string, string> | undefined {
    return this.textMap(value, path, 1024, 256 * 1024);
  }

  platform(value: unknown, path: string): Platform | undefined {
    if (value === undefined || value === null) return undefined;
    const fields = this.object(value, path);
    const word = (name: string): string => {
      const text = this.text(fields[name], `${path}.${name}`, 64) ?? '';
      if (!PLATFORM_WORD.test(text)) throw this.fail(`${path}.${name} ${quote(text)} is not a plain word`);
      return text;
    };
    const variant = word('variant');
    const version = this.text(fields['os.version'], `${path}.os.version`, 128);
    const features = this.texts(fields['os.features'], `${path}.os.features`, 64, 128);
    return {
      os: word('os'),
      architecture: word('architecture'),
      ...(variant === '' ? {} : { variant }),
      ...(version === undefined ? {} : { 'os.version': version }),
      ...(features === undefined ? {} : { 'os.features': features }),
    };
  }
}
