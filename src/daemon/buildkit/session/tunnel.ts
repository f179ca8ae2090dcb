/** Control/Session: a session whose connection goes through a call, in messages of bytes, in place of one of its own. */
import type { DuplexChannel } from '../../../host/http.ts';
import { streamOf } from '../../../host/stream-of.ts';
import type { Call } from '../grpc/server.ts';
import type { BuildkitHost } from '../host.ts';
import type { Of } from '../proto/codec.ts';
import type { BYTES } from '../proto/session.ts';
import type { Sessions } from './session.ts';

type Bytes = Of<typeof BYTES>;

/** What `POST /session` has in its headers. */
const HEADERS = ['uuid', 'name', 'sharedkey', 'grpc-method'].map((name) => `x-docker-expose-session-${name}`);

export async function* tunnelSession(
  sessions: Sessions,
  host: BuildkitHost,
  requests: AsyncIterable<Bytes>,
  call: Call,
): AsyncGenerator<Partial<Bytes>> {
  const headers = new Headers();
  for (const name of HEADERS) {
    const value = call.metadata(name);
    if (value !== undefined) headers.set(name, value);
  }
  sessions.check(headers);
  const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
  const channel: DuplexChannel = { readable: streamOf(dataOf(requests)), writable };
  const connection = await host.http2.connect(channel);
  const leave = () => connection.destroy();
  call.signal.addEventListener('abort', leave, { once: true });
  const reader = readable.getReader();
  const served = sessions.serve(headers, connection).then(() => reader.cancel().catch(() => {}));
  try {
    for (let next = await reader.read(); !next.done; next = await reader.read()) yield { data: next.value };
  } finally {
    leave();
    await served;
  }
}

async function* dataOf(messages: AsyncIterable<Bytes>): AsyncGenerator<Uint8Array> {
  for await (const { data } of messages) if (data.length > 0) yield data;
}
