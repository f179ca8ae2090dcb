/** The caller's end of a container's control socket: one connection, one request. */

import { WctrError } from '../../errors.ts';
import { decodeJson, encodeJson } from '../../host/frames.ts';
import type { ByteChannel, LocalSockets } from '../../host/ports.ts';
import type { ControlSession } from '../processes.ts';
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
  FRAME_STDERR,
  FRAME_STDOUT,
} from './protocol.ts';

/** Answers can be long lists. */
const MAX_FRAME_BYTES = 256 * 1024 * 1024;

/** Resolves with the reply. Throws the reply's error, 'conflict' when nobody listens, 'sandbox-failed' without a reply. */
export async function openSession(
  sockets: LocalSockets,
  path: string,
  request: ControlRequest,
): Promise<ControlSession> {
  const channel = await sockets.connect(path);
  const frames = new FrameStream(channel, MAX_FRAME_BYTES);
  await frames.write(FRAME_REQUEST, encodeJson(request));
  const frame = await frames.read();
  if (frame === undefined) throw processGone();
  const reply: ControlReply = frame.kind === FRAME_REPLY ? decodeJson(frame.payload) : { ok: false, error: nonsense };
  if (!reply.ok) {
    channel.destroy();
    throw errorOf(reply);
  }
  return new Session(frames, channel, reply.result);
}

const nonsense = { code: 'internal', message: 'a container process answered something else than a reply' } as const;

function processGone(): WctrError {
  return new WctrError('sandbox-failed', "the container's process is gone", {
    hint: 'see wctr ps -a for how it ended',
  });
}

function errorOf({ error }: ControlReply & { ok: false }): WctrError {
  return new WctrError(error.code, error.message, error.hint === undefined ? {} : { hint: error.hint });
}

class Session implements ControlSession {
  readonly result: unknown;
  readonly stdin: WritableStream<Uint8Array>;
  readonly stdout: ReadableStream<Uint8Array>;
  readonly stderr: ReadableStream<Uint8Array>;
  readonly end: Promise<unknown>;
  readonly #frames: FrameStream;
  readonly #channel: ByteChannel;
  readonly #outputs: Record<number, Output>;

  constructor(frames: FrameStream, channel: ByteChannel, result: unknown) {
    this.result = result;
    this.#frames = frames;
    this.#channel = channel;
    const stdout = new Output();
    const stderr = new Output();
    this.stdout = stdout.stream;
    this.stderr = stderr.stream;
    this.#outputs = { [FRAME_STDOUT]: stdout, [FRAME_STDERR]: stderr };
    this.stdin = new WritableStream<Uint8Array>({
      async write(chunk) {
        if (!(await frames.writeData(FRAME_INPUT, chunk))) throw processGone();
      },
      async close() {
        await frames.write(FRAME_INPUT_END, new Uint8Array(0));
      },
      async abort() {
        await frames.write(FRAME_INPUT_END, new Uint8Array(0));
      },
    });
    this.end = this.#receive();
    // Whoever does not ask for the end is not told of it.
    this.end.catch(() => {});
  }

  resize(size: { readonly height: number; readonly width: number }): void {
    void this.#frames.write(FRAME_RESIZE, encodeJson({ height: size.height, width: size.width }));
  }

  close(): void {
    for (const output of Object.values(this.#outputs)) output.end();
    this.#channel.destroy();
  }

  async #receive(): Promise<unknown> {
    try {
      for (;;) {
        const frame = await this.#frames.read();
        if (frame === undefined) throw processGone();
        if (frame.kind === FRAME_END) {
          this.#channel.close();
          const reply = decodeJson<ControlReply>(frame.payload);
          if (!reply.ok) throw errorOf(reply);
          return reply.result;
        }
        await this.#outputs[frame.kind]?.write(frame.payload);
      }
    } finally {
      for (const output of Object.values(this.#outputs)) output.end();
    }
  }
}

/** A readable whose writer waits for its reader; one nobody reads any more swallows. */
class Output {
  readonly stream: ReadableStream<Uint8Array>;
  #controller: ReadableStreamDefaultController<Uint8Array> | undefined;
  #pulled: () => void = () => {};

  constructor() {
    this.stream = new ReadableStream<Uint8Array>(
      {
        start: (controller) => {
          this.#controller = controller;
        },
        pull: () => this.#pulled(),
        cancel: () => {
          this.#controller = undefined;
          this.#pulled();
        },
      },
      { highWaterMark: 4 },
    );
  }

  async write(bytes: Uint8Array): Promise<void> {
    if (this.#controller === undefined) return;
    this.#controller.enqueue(bytes);
    if ((this.#controller.desiredSize ?? 0) > 0) return;
    await new Promise<void>((resolve) => {
      this.#pulled = resolve;
    });
  }

  end(): void {
    this.#controller?.close();
    this.#controller = undefined;
    this.#pulled();
  }
}
