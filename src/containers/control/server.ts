/**
 * The container's end of its control socket. Whatever a caller does (talks nonsense, reads nothing, goes away) concerns
 * its own connection alone: memory is bounded per connection, and no error leaves it.
 */
import { isWctrError, WctrError } from '../../errors.ts';
import { decodeJson, encodeJson } from '../../host/frames.ts';
import type { ByteChannel } from '../../host/ports.ts';

import { FrameStream } from './frame-stream.ts';
import {
  type ControlReply,
  type ControlRequest,
  FRAME_END,
  FRAME_INPUT,
  FRAME_INPUT_END,
  FRAME_REPLY,
  FRAME_REQUEST,
  FRAME_RESIZE,
} from './protocol.ts';

const MAX_FRAME_BYTES = 4 * 1024 * 1024;
/** A caller's input nobody took yet; beyond it the caller waits. */
const MAX_QUEUED_BYTES = 256 * 1024;
const REQUEST_WITHIN_MS = 30_000;

export interface TerminalSize {
  readonly height: number;
  readonly width: number;
}

export type ControlHandler = (exchange: ControlExchange) => Promise<unknown>;

/** One request and what belongs to it. */
export class ControlExchange {
  readonly request: ControlRequest;
  /** Called with the terminal's sizes as they change. */
  onResize: (size: TerminalSize) => void = () => {};
  readonly #frames: FrameStream;
  readonly #queue: Uint8Array[] = [];
  #queuedBytes = 0;
  #inputEnded = false;
  #wake: () => void = () => {};
  #drained: () => void = () => {};
  #replied = false;

  constructor(request: ControlRequest, frames: FrameStream) {
    this.request = request;
    this.#frames = frames;
    void this.#receive();
  }

  /** Resolves when the caller has left. */
  get gone(): Promise<void> {
    return this.#frames.channel.closed;
  }

  get hasReplied(): boolean {
    return this.#replied;
  }

  reply(result?: unknown): Promise<boolean> {
    this.#replied = true;
    return this.#frames.write(FRAME_REPLY, encodeJson({ ok: true, ...(result === undefined ? {} : { result }) }));
  }

  /** False when the caller has left. Waits while the caller is slow. */
  output(kind: number, bytes: Uint8Array): Promise<boolean> {
    return this.#frames.writeData(kind, bytes);
  }

  /** What the caller sends, until it says that there is no more, or leaves. `ended` is true when it said so. */
  async *input(): AsyncGenerator<Uint8Array, void> {
    for (;;) {
      const chunk = this.#queue.shift();
      if (chunk !== undefined) {
        this.#queuedBytes -= chunk.length;
        if (this.#queuedBytes < MAX_QUEUED_BYTES) this.#drained();
        yield chunk;
      } else if (this.#inputEnded) return;
      else {
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
      }
    }
  }

  async finish(reply: ControlReply): Promise<void> {
    await this.#frames.write(this.#replied ? FRAME_END : FRAME_REPLY, encodeJson(reply));
    this.#frames.channel.close();
  }

  /** Reads on, so that a caller that leaves is noticed, unless its input piles up. */
  async #receive(): Promise<void> {
    try {
      for (;;) {
        const frame = await this.#frames.read();
        if (frame === undefined) break;
        if (frame.kind === FRAME_INPUT && !this.#inputEnded) this.#queue.push(frame.payload);
        else if (frame.kind === FRAME_INPUT_END) this.#inputEnded = true;
        else if (frame.kind === FRAME_RESIZE) this.#resize(frame.payload);
        else throw new WctrError('invalid-argument', `a frame of kind ${frame.kind} on a control socket`);
        this.#queuedBytes += frame.kind === FRAME_INPUT ? frame.payload.length : 0;
        this.#wake();
        while (this.#queuedBytes >= MAX_QUEUED_BYTES) {
          await new Promise<void>((resolve) => {
            this.#drained = resolve;
          });
        }
      }
    } catch {
      this.#frames.channel.destroy();
    }
    this.#inputEnded = true;
    this.#wake();
  }

  #resize(payload: Uint8Array): void {
    const { height, width } = decodeJson<Partial<TerminalSize>>(payload);
    if (isSize(height) && isSize(width)) this.onResize({ height, width });
  }
}

function isSize(value: unknown): value is number {
  return Number.isInteger(value) && (value as number) >= 0 && (value as number) <= 0xffff;
}

/** Serves one connection. What `handle` resolves with is the result, of END when it has replied before, else of REPLY. */
export async function serveControl(channel: ByteChannel, handle: ControlHandler): Promise<void> {
  const frames = new FrameStream(channel, MAX_FRAME_BYTES);
  const late = setTimeout(() => channel.destroy(), REQUEST_WITHIN_MS);
  let exchange: ControlExchange | undefined;
  try {
    const first = await frames.read();
    clearTimeout(late);
    if (first === undefined) return channel.destroy();
    if (first.kind !== FRAME_REQUEST) throw new WctrError('invalid-argument', 'a control socket expects a request');
    const request = decodeJson<ControlRequest>(first.payload);
    if (typeof request !== 'object' || request === null) {
      throw new WctrError('invalid-argument', 'a control socket expects a request');
    }
    exchange = new ControlExchange(request, frames);
    const result = await handle(exchange);
    await exchange.finish({ ok: true, ...(result === undefined ? {} : { result }) });
  } catch (error) {
    clearTimeout(late);
    const reply = { ok: false, error: described(error) } as const;
    if (exchange !== undefined) await exchange.finish(reply);
    else {
      await frames.write(FRAME_REPLY, encodeJson(reply));
      channel.close();
    }
  }
}

/** An error as it travels. */
export function described(error: unknown): { code: WctrError['code']; message: string; hint?: string } {
  const message = (error as { message?: string } | null)?.message ?? String(error);
  if (!isWctrError(error)) return { code: 'internal', message };
  return { code: error.code, message, ...(error.hint === undefined ? {} : { hint: error.hint }) };
}
