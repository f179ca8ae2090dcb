/** A request that becomes a connection, as `docker exec` makes one: every runtime hands its bytes over in another way. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { BUN, DENO, NODE } from '../support/runtimes.ts';

const PROGRAM = new URL('./upgrade-program.mjs', import.meta.url).pathname;
const SERVER = new URL('../../dist/host/node/http-server.js', import.meta.url).href;
const OWN = { name: 'the Node of the tests', command: [process.execPath] };

describe.each([OWN, NODE, DENO, BUN])('$name', ({ command }) => {
  it.skipIf(command === null)(
    'gives the body to the request and the rest to the connection',
    async () => {
      const [program, ...flags] = command as readonly [string, ...string[]];
      const { stdout } = await promisify(execFile)(program, [...flags, PROGRAM, SERVER], { timeout: 15_000 });
      const one = [{ body: '{"a":1}', text: 'typed' }, 'HTTP/1.1 101', 'ready'];
      expect(JSON.parse(stdout)).toEqual(Array.from({ length: 6 }, () => one).flat());
    },
    20_000,
  );
});
