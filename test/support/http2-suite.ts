/** What every Http2 adapter does, over any pair of channels. */
import { describe, expect, it } from 'vitest';
import type { DuplexChannel } from '../../src/host/http.ts';
import type { Http2, Http2ServerStream } from '../../src/host/http2.ts';
import { collect } from '../../src/images/archive/files.ts';

/** @param open the two ends of a new connection. */
export function http2Suite(
  name: string,
  http2: Http2,
  open: () => Promise<readonly [DuplexChannel, DuplexChannel]>,
): void {
  describe(name, () => {
    async function connected(onStream: (stream: Http2ServerStream) => void | Promise<void>) {
      const [near, far] = await open();
      const server = await http2.serve(far, (stream) => void Promise.resolve(onStream(stream)).catch(() => {}));
      const client = await http2.connect(near);
      return { server, client };
    }
    const headers = { ':method': 'POST', ':path': '/a/b', ':scheme': 'http', ':authority': 'x' };

    it('carries bodies, headers and trailers both ways', async () => {
      const { client, server } = await connected(async (stream) => {
        expect(stream.headers).toMatchObject({ ':path': '/a/b', one: 'two, three' });
        stream.respond({ ':status': '200', 'content-type': 'x' });
        const body = await collect(stream.body);
        await stream.write(body);
        stream.end({ last: 'word' });
      });
      const stream = client.request({ ...headers, one: ['two', 'three'] });
      const sent = new Uint8Array(300_000).map((_, at) => at % 251);
      await stream.write(sent.subarray(0, 100_000));
      await stream.write(sent.subarray(100_000));
      stream.end();
      expect(Buffer.from(await collect(stream.body)).equals(sent)).toBe(true);
      expect(await stream.trailers).toMatchObject({ last: 'word' });
      client.destroy();
      await Promise.all([client.closed, server.closed]);
    });

    it('tells a client that a stream was reset, and a server that its client left', async () => {
      let left: AbortSignal | undefined;
      const { client } = await connected((stream) => {
        left = stream.signal;
        stream.respond({ ':status': '200' });
      });
      const stream = client.request(headers);
      await expect.poll(() => left !== undefined).toBe(true);
      stream.cancel();
      await expect.poll(() => left?.aborted).toBe(true);
      await expect(stream.trailers).rejects.toThrow();
      client.destroy();
      await client.closed;
    });

    it('holds a writer up while nobody reads, and lets it go when the connection does', async () => {
      let written = 0;
      let isOver = false;
      const { client } = await connected(async (stream) => {
        stream.respond({ ':status': '200' });
        for (let at = 0; at < 1_000 && !stream.signal.aborted; at += 1) {
          await stream.write(new Uint8Array(64 << 10));
          written += 1;
        }
        isOver = true;
      });
      client.request(headers);
      await expect.poll(() => written).toBeGreaterThan(0);
      await new Promise((resolve) => setTimeout(resolve, 200));
      expect(written).toBeLessThan(500);
      client.destroy();
      await expect.poll(() => isOver).toBe(true);
    });

    it('ends what waits when the connection is dropped', async () => {
      const { client, server } = await connected((stream) => stream.respond({ ':status': '200' }));
      const stream = client.request(headers);
      const read = collect(stream.body);
      server.destroy();
      await expect(Promise.all([read, stream.trailers])).rejects.toThrow();
      await client.closed;
    });
  });
}
