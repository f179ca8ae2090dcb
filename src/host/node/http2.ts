/** Http2 over node:http2. Deno and Bun have what it uses. */
import * as http2 from 'node:http2';
import type { Duplex } from 'node:stream';
import type { DuplexChannel } from '../http.ts';
import type { Http2, Http2ClientStream, Http2Headers, Http2ServerStream } from '../http2.ts';
import { socketOf } from './http-channel.ts';
import { connectionOf } from './socket-pair.ts';

/** A peer that is on this machine as a rule: few round trips, and no more than this of one stream unread. */
const STREAM_WINDOW_BYTES = 1 << 20;
const CONNECTION_WINDOW_BYTES = 4 << 20;
const MAX_STREAMS = 256;
const MAX_HEADER_BYTES = 64 * 1024;

const SETTINGS: http2.Settings = {
  initialWindowSize: STREAM_WINDOW_BYTES,
  maxConcurrentStreams: MAX_STREAMS,
  maxHeaderListSize: MAX_HEADER_BYTES,
  enablePush: false,
};

export const nodeHttp2: Http2 = {
  async serve(channel, onStream) {
    const socket = await socketFor(channel);
    const session = http2.performServerHandshake(socket, { settings: SETTINGS });
    endWhole(socket);
    widen(session);
    session.on('stream', (stream, headers) => onStream(serverStream(stream, headers)));
    return { closed: closedOf(session), destroy: () => session.destroy() };
  },

  async connect(channel: DuplexChannel) {
    const socket = await socketFor(channel);
    const session = http2.connect('http://session', { createConnection: () => socket, settings: SETTINGS });
    endWhole(socket);
    session.once('connect', () => widen(session));
    return {
      closed: closedOf(session),
      destroy: () => session.destroy(),
      request: (headers) => clientStream(session.request(headers as http2.OutgoingHttpHeaders)),
    };
  },
};

/** Bun's listener gives no socket after an upgrade that its HTTP/2 can work with. */
async function socketFor(channel: DuplexChannel): Promise<Duplex> {
  const own = process.versions.bun === undefined ? socketOf(channel) : undefined;
  return own ?? connectionOf(channel);
}

/** The listener lets its clients close one half; of HTTP/2 nothing is left then. */
function endWhole(socket: Duplex): void {
  socket.once('end', () => socket.destroy());
}

function widen(session: http2.Http2Session): void {
  session.setLocalWindowSize?.(CONNECTION_WINDOW_BYTES);
}

function closedOf(session: http2.Http2Session): Promise<void> {
  // A peer that goes away is no event of ours; its streams tell whoever waits for them.
  session.on('error', () => {});
  return new Promise((resolve) => session.once('close', () => resolve()));
}

function serverStream(stream: http2.ServerHttp2Stream, headers: http2.IncomingHttpHeaders): Http2ServerStream {
  const left = new AbortController();
  let ended = false;
  let trailers: Http2Headers = {};
  stream.on('error', () => {});
  stream.on('wantTrailers', () => stream.sendTrailers(trailers as http2.OutgoingHttpHeaders));
  stream.once('close', () => {
    if (!ended) left.abort();
  });
  // The other side has given up although the stream is not closed yet.
  stream.once('aborted', () => {
    if (!ended) left.abort();
  });
  return {
    headers: headers as Http2Headers,
    body: { [Symbol.asyncIterator]: () => stream.iterator({ destroyOnReturn: false })[Symbol.asyncIterator]() },
    signal: left.signal,
    respond(answer) {
      if (!stream.destroyed && !stream.headersSent) {
        stream.respond(answer as http2.OutgoingHttpHeaders, { waitForTrailers: true });
      }
    },
    write: (chunk) => written(stream, chunk),
    end(last) {
      if (ended) return;
      ended = true;
      trailers = last;
      if (!stream.destroyed) stream.end();
      // What the client has still to say would keep the stream open.
      stream.resume();
    },
  };
}

function clientStream(stream: http2.ClientHttp2Stream): Http2ClientStream {
  const last = new Promise<Http2Headers>((resolve, reject) => {
    let headers: Http2Headers = {};
    let failure: Error | undefined;
    stream.once('response', (answer) => {
      headers = answer as Http2Headers;
    });
    stream.once('trailers', (answer) => {
      headers = answer as Http2Headers;
    });
    stream.on('error', (error) => {
      failure ??= error;
    });
    stream.once('close', () => {
      if (failure === undefined && stream.rstCode === http2.constants.NGHTTP2_NO_ERROR) resolve(headers);
      else reject(failure ?? new Error(`the stream was reset with code ${stream.rstCode}`));
    });
  });
  last.catch(() => {});
  return {
    body: stream as AsyncIterable<Uint8Array>,
    trailers: last,
    write: (chunk) => written(stream, chunk),
    end: () => void (stream.writable && stream.end()),
    cancel: () => {
      if (!stream.closed) stream.close(http2.constants.NGHTTP2_CANCEL);
    },
  };
}

function written(stream: Duplex, chunk: Uint8Array): Promise<void> {
  if (!stream.writable || stream.destroyed) return Promise.resolve();
  if (stream.write(chunk)) return Promise.resolve();
  return new Promise((resolve) => {
    const done = () => {
      stream.off('drain', done);
      stream.off('close', done);
      resolve();
    };
    stream.once('drain', done);
    stream.once('close', done);
  });
}
