import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { channelOf } from '../../../src/host/node/http-channel.ts';
import { nodeHttp2 } from '../../../src/host/node/http2.ts';
import { http2Suite } from '../../support/http2-suite.ts';

http2Suite('HTTP/2 of Node over sockets', nodeHttp2, async () => {
  const server = createServer({ allowHalfOpen: true });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const near = connect((server.address() as AddressInfo).port, '127.0.0.1');
  const [far] = (await once(server, 'connection')) as [Socket];
  server.close();
  return [channelOf(near), channelOf(far)];
});

http2Suite('HTTP/2 of Node over plain channels', nodeHttp2, async () => {
  const there = new TransformStream<Uint8Array, Uint8Array>();
  const back = new TransformStream<Uint8Array, Uint8Array>();
  return [
    { readable: back.readable, writable: there.writable },
    { readable: there.readable, writable: back.writable },
  ];
});
