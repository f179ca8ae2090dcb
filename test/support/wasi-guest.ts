/** A guest that is no program: a memory, and the import functions called from the test as a program would. */

import { WasiProcess, type WasiProcessOptions } from '../../src/host/wasi/run.ts';
import { MODULE_PREVIEW1 } from '../../src/spec/wasi-preview1.ts';
import type { TestKernel } from './wasi-kernel.ts';

export type WasiCall = (...values: (number | bigint)[]) => number;

export class TestGuest {
  readonly memory = new WebAssembly.Memory({ initial: 4, maximum: 64 });
  readonly process: WasiProcess;
  readonly calls: Readonly<Record<string, WasiCall>>;
  #next = 1024;

  constructor(kernel: TestKernel, options: Partial<WasiProcessOptions> = {}) {
    this.process = new WasiProcess(kernel);
    this.process.open({ args: ['test'], ...options });
    this.process.attach(this.memory);
    this.calls = this.process.imports[MODULE_PREVIEW1] as unknown as Record<string, WasiCall>;
  }

  get view(): DataView {
    return new DataView(this.memory.buffer);
  }

  /** A fresh place in the guest's memory. */
  room(bytes: number): number {
    const at = this.#next;
    this.#next += (bytes + 15) & ~15;
    if (this.#next > this.memory.buffer.byteLength) this.memory.grow(1);
    return at;
  }

  /** Places text or bytes; gives pointer and length, as calls take them. */
  put(content: string | Uint8Array): [pointer: number, length: number] {
    const bytes = typeof content === 'string' ? new TextEncoder().encode(content) : content;
    const at = this.room(bytes.length);
    new Uint8Array(this.memory.buffer).set(bytes, at);
    return [at, bytes.length];
  }

  /** An iovec array of the given pieces. */
  vector(...pieces: (readonly [pointer: number, length: number])[]): [pointer: number, count: number] {
    const at = this.room(pieces.length * 8);
    pieces.forEach(([pointer, length], i) => {
      this.view.setUint32(at + 8 * i, pointer, true);
      this.view.setUint32(at + 8 * i + 4, length, true);
    });
    return [at, pieces.length];
  }

  /** path_open; a negative result is a WASI errno. */
  open(
    fd: number,
    path: string,
    options: { oflags?: number; rights?: number; inheriting?: number; follow?: boolean } = {},
  ) {
    const result = this.room(4);
    const errno = this.calls.path_open!(
      fd,
      options.follow === false ? 0 : 1,
      ...this.put(path),
      options.oflags ?? 0,
      BigInt(options.rights ?? 2),
      BigInt(options.inheriting ?? 0),
      0,
      result,
    );
    return errno === 0 ? this.view.getUint32(result, true) : -errno;
  }

  /** fd_read of up to `length` bytes as text; a number is an errno. */
  read(fd: number, length = 256): string | number {
    const at = this.room(length);
    const result = this.room(4);
    const errno = this.calls.fd_read!(fd, ...this.vector([at, length]), result);
    if (errno !== 0) return errno;
    const bytes = new Uint8Array(this.memory.buffer, at, this.view.getUint32(result, true));
    return new TextDecoder().decode(bytes.slice());
  }

  /** fd_write of text; the errno. */
  write(fd: number, text: string): number {
    return this.calls.fd_write!(fd, ...this.vector(this.put(text)), this.room(4));
  }

  /** [base, inheriting] of an open fd. */
  rights(fd: number): [base: number, inheriting: number] {
    const at = this.room(24);
    const errno = this.calls.fd_fdstat_get!(fd, at);
    if (errno !== 0) throw new Error(`fd_fdstat_get: ${errno}`);
    return [this.view.getUint32(at + 8, true), this.view.getUint32(at + 16, true)];
  }
}
