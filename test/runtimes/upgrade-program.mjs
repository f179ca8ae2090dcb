// <runtime> upgrade-program.mjs <URL of http-server.js>: a request with a body that becomes a connection, its bytes cut
// into packets in every way that matters. Prints what the service had of the body and of the connection.
import { connect } from 'node:net';
import process from 'node:process';

const { listen } = await import(process.argv[2]);
const seen = [];
const service = {
  fetch: async () => new Response('no'),
  async upgrade(request) {
    const body = await request.text();
    return {
      headers: {},
      async serve({ readable, writable }) {
        let text = '';
        const writer = writable.getWriter();
        await writer.write(new TextEncoder().encode('ready'));
        for await (const chunk of readable) text += new TextDecoder().decode(chunk);
        seen.push({ body, text });
        await writer.close();
      },
    };
  },
};
const server = await listen(service, { host: '127.0.0.1', port: 0 }, { isOurName: () => true });
const port = Number(server.url.split(':').at(-1));
const HEAD =
  'POST /exec HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: tcp\r\nContent-Length: 7\r\n\r\n';

for (const packets of [
  [`${HEAD}{"a":1}`, 'typed'],
  [`${HEAD}{"a":1}typed`],
  [HEAD, '{"a":1}', 'typed'],
  [HEAD, '{"a":1}typed'],
  [`${HEAD}{"a"`, ':1}typed'],
  [`${HEAD}{"a"`, ':1}ty', 'ped'],
]) {
  const socket = connect({ port, host: '127.0.0.1' });
  let answer = '';
  socket.setNoDelay(true);
  socket.on('data', (chunk) => {
    answer += chunk;
  });
  const closed = new Promise((resolve) => socket.once('close', resolve));
  for (const packet of packets) {
    socket.write(packet);
    await new Promise((resolve) => setTimeout(resolve, 30));
  }
  socket.end();
  await closed;
  seen.push(answer.slice(0, 12), answer.slice(-5));
}
process.stdout.write(`${JSON.stringify(seen)}\n`, () => process.exit(0));
