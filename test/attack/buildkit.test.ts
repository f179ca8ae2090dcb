/**
 * A hostile client of BuildKit's door: its session names files that are none, floods, lies about sizes, or says nothing
 * (THREATS: build context). The daemon refuses the build, forgets it, and goes on serving others.
 */
import { randomBytes } from 'node:crypto';
import { existsSync, readdirSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { FileTree } from '../../src/build/tree/file-tree.ts';
import type { Of } from '../../src/daemon/buildkit/proto/codec.ts';
import { NOTHING } from '../../src/daemon/buildkit/proto/common.ts';
import { INFO_RESPONSE, SOLVE_REQUEST, SOLVE_RESPONSE } from '../../src/daemon/buildkit/proto/control.ts';
import {
  BYTES,
  GO_MODE_DIR,
  GO_MODE_SYMLINK,
  PACKET,
  PACKET_DATA,
  PACKET_ERR,
  PACKET_FIN,
  PACKET_REQ,
  PACKET_STAT,
  type STAT,
} from '../../src/daemon/buildkit/proto/session.ts';
import { ReceivedFiles } from '../../src/daemon/buildkit/session/received-files.ts';
import type { BuildRequest } from '../../src/engine/builds.ts';
import { collect } from '../../src/images/archive/files.ts';
import {
  type BuildkitClient,
  DIFF_COPY,
  openTestDoor,
  type SessionCall,
  type SessionMethods,
  serveFiles,
  type TestDoor,
  upgrade,
} from '../support/buildkit-client.ts';

type Stat = Partial<Of<typeof STAT>>;

let door: TestDoor;
let client: BuildkitClient;
let count = 0;

/** Reads the whole context, as `COPY . /` does. */
async function readAll(tree: FileTree, path = ''): Promise<number> {
  let bytes = 0;
  for (const name of await tree.list(path)) {
    const below = path === '' ? name : `${path}/${name}`;
    const entry = await tree.lstat(below);
    if (entry?.kind === 'directory') bytes += await readAll(tree, below);
    else if (entry?.read !== undefined) bytes += (await collect(entry.read())).length;
  }
  return bytes;
}

beforeAll(async () => {
  door = await openTestDoor({
    build: async ({ context }: BuildRequest) => {
      if ('tree' in context) await readAll(context.tree);
      return { imageId: 'sha256:c', references: [] };
    },
  });
  client = await door.connect();
});

afterEach(async () => {
  // Others are served as before.
  const info = await client.call('/moby.buildkit.v1.Control/Info', NOTHING, INFO_RESPONSE, {});
  expect(info.status).toBe(0);
  const spools = existsSync(join(door.dir, 'tmp')) ? readdirSync(join(door.dir, 'tmp')) : [];
  expect(spools).toEqual([]);
  expect(door.internalErrors).toEqual([]);
});

afterAll(() => door.close());

/** An honest Dockerfile, and a context that is sent by `hostile`. */
async function solveWith(hostile: (call: SessionCall) => void | Promise<void>, more: SessionMethods = {}) {
  count += 1;
  const honest = serveFiles({ dockerfile: { Dockerfile: 'FROM scratch\nCOPY . /\n' } }).methods[DIFF_COPY]!;
  const methods: SessionMethods = {
    ...more,
    [DIFF_COPY]: (call) => {
      const isContext = call.headers['dir-name'] === 'context' && call.headers.followpaths === undefined;
      return isContext ? hostile(call) : honest(call);
    },
  };
  const end = await client.openSession(`s${count}`, methods);
  const answer = await client.solve(`r${count}`, `s${count}`);
  end();
  return answer;
}

const file = (path: string, more: Stat = {}): Stat => ({ path, mode: 0o644, size: 1, modTime: 1, ...more });
const directory = (path: string): Stat => ({ path, mode: (GO_MODE_DIR | 0o755) >>> 0 });
const link = (path: string, linkname: string): Stat => ({ path, mode: (GO_MODE_SYMLINK | 0o777) >>> 0, linkname });

describe('names', () => {
  it.each<[string, Stat[]]>([
    ['the parent', [file('..')]],
    ['beyond the parent', [file('../x')]],
    ['a way out and in', [directory('a'), file('a/../../x')]],
    ['an absolute path', [file('/etc/passwd')]],
    ['an empty part', [directory('a'), file('a//b')]],
    ['a dot', [file('.')]],
    ['no name', [file('')]],
    ['a NUL', [file('a\0b')]],
    ['a file in a file', [file('a'), file('a/b')]],
    ['a file in a link', [link('a', '/etc'), file('a/passwd')]],
    ['a file whose directory was not named', [file('a/b')]],
    ['the same file twice', [file('a'), file('a')]],
    ['a directory that is a file, too', [file('a'), directory('a')]],
    ['a hard link to what is not there', [file('a', { linkname: '/etc/passwd' })]],
    ['a hard link to a link', [link('a', 'x'), file('b', { linkname: 'a' })]],
    ['a link to nothing', [link('a', '')]],
    ['a link with a NUL', [link('a', 'x\0y')]],
    ['a name longer than any', [file('a'.repeat(5_000))]],
    ['a size below nothing', [file('a', { size: -1 })]],
    ['a size beyond all disks', [file('a', { size: 2 ** 60 })]],
  ])('refuses %s', async (_, stats) => {
    const { status, message } = await solveWith((call) => {
      for (const stat of stats) call.send(PACKET, { type: PACKET_STAT, stat });
      call.send(PACKET, { type: PACKET_STAT });
    });
    expect(status).toBe(2);
    expect(message).toMatch(/cannot be in the build context: "/);
    expect(message).not.toMatch(/\p{Cc}/u);
  });

  it('leaves out what has no place in an image', async () => {
    const modes = [0x0400_0000, 0x0200_0000, 0x0100_0000, 0x0420_0000, 0x0008_0000].map((mode) => mode >>> 0);
    const asked: number[] = [];
    const { status } = await solveWith(async (call) => {
      for (const [at, mode] of modes.entries())
        call.send(PACKET, { type: PACKET_STAT, stat: file(`d${at}`, { mode }) });
      call.send(PACKET, { type: PACKET_STAT });
      for await (const { type, ID } of call.requests(PACKET)) if (type === PACKET_REQ) asked.push(ID);
    });
    expect(status).toBe(0);
    expect(asked).toEqual([]);
  });

  it('refuses more of them than there may be, or names longer than all of them may be', () => {
    const few = new ReceivedFiles('the build context', 10);
    for (let at = 0; at < 10; at += 1) few.add(file(`f${at}`));
    expect(() => few.add(file('f10'))).toThrow(expect.objectContaining({ code: 'limit-exceeded' }));
    const long = new ReceivedFiles('the build context');
    const flood = () => {
      for (let at = 0; at < 40_000; at += 1) long.add(link(`l${at}`, 'x'.repeat(4_000)));
    };
    expect(flood).toThrow(expect.objectContaining({ code: 'limit-exceeded' }));
  });
});

describe('contents', () => {
  /** Names files, and answers each request with what `send` makes of it. */
  const serve =
    (stats: readonly Stat[], send: (call: SessionCall, id: number) => void) => async (call: SessionCall) => {
      for (const stat of stats) call.send(PACKET, { type: PACKET_STAT, stat });
      call.send(PACKET, { type: PACKET_STAT });
      for await (const { type, ID } of call.requests(PACKET)) if (type === PACKET_REQ) send(call, ID);
    };
  const data = (ID: number, text = '') => ({ type: PACKET_DATA, ID, data: Buffer.from(text) });

  it.each<[string, (call: SessionCall, id: number) => void]>([
    [
      'more than was said',
      (call, id) => {
        call.send(PACKET, data(id, 'more than one'));
        call.send(PACKET, data(id));
      },
    ],
    ['less than was said', (call, id) => call.send(PACKET, data(id))],
    [
      'without an end',
      (call, id) => {
        for (let at = 0; at < 10_000; at += 1) call.send(PACKET, data(id, 'x'.repeat(1_000)));
      },
    ],
  ])('refuses a file with %s', async (_, send) => {
    const { status, message } = await solveWith(serve([file('a')], send));
    expect({ status, message }).toMatchObject({
      status: 2,
      message: expect.stringMatching(/"a" changed while it was sent/),
    });
  });

  it.each<[string, (call: SessionCall, id: number) => void]>([
    ['of a file nobody asked for', (call) => call.send(PACKET, data(77, 'x'))],
    ['of a directory', (call) => call.send(PACKET, data(1, 'x'))],
    [
      'after the end of the file',
      (call, id) => {
        call.send(PACKET, data(id, 'x'));
        call.send(PACKET, data(id));
        call.send(PACKET, data(id, 'x'));
      },
    ],
  ])('refuses contents %s', async (_, send) => {
    const { status, message } = await solveWith(serve([file('a', { size: 1 }), directory('b'), file('c')], send));
    expect(status).toBe(2);
    expect(message).toMatch(/a file nobody asked for/);
  });

  it('spools a large file, and leaves nothing of it when the client goes half way', async () => {
    const size = 8 << 20;
    const { status } = await solveWith(
      serve([file('large', { size })], (call, ID) => {
        call.send(PACKET, { type: PACKET_DATA, ID, data: randomBytes(size / 2) });
        setTimeout(() => call.stream.session?.destroy(), 50);
      }),
    );
    expect(status).not.toBe(0);
  });

  it('does not take other contents for those whose checksum it knows', async () => {
    const shared = { 'x-docker-expose-session-sharedkey': 'mine' };
    const seen: unknown[] = [];
    const other = await openTestDoor({
      build: async ({ context }: BuildRequest) => {
        const entry = 'tree' in context ? await context.tree.lstat('a') : undefined;
        const digest = await entry!.digest!();
        seen.push(digest, Buffer.from(await collect(entry!.read!())).toString());
        return { references: [] };
      },
    });
    try {
      const caller = await other.connect();
      for (const [at, text] of ['one', 'two'].entries()) {
        const { methods } = serveFiles({ dockerfile: { Dockerfile: 'FROM x' }, context: { a: text } });
        const end = await caller.openSession(`s${at}`, methods, shared);
        const { status, message } = await caller.solve(`r${at}`, `s${at}`);
        end();
        if (at === 0) expect(status).toBe(0);
        else expect(message).toMatch(/"a" changed while it was sent/);
      }
      expect(seen).toHaveLength(2);
    } finally {
      await other.close();
    }
  });
});

describe('the protocol', () => {
  it.each<[string, (call: SessionCall) => void, RegExp]>([
    [
      'an error of its own',
      (call) => call.send(PACKET, { type: PACKET_ERR, data: Buffer.from('no\nway\u001b[31m') }),
      /no way/,
    ],
    ['a packet of no type', (call) => call.send(PACKET, { type: 99 }), /unknown type 99/],
    ['an end before the last name', (call) => call.send(PACKET, { type: PACKET_FIN }), /ended the transfer/],
    ['an end of the call', (call) => call.end(), /ended the transfer/],
    ['a refusal', (call) => call.end(7, 'not for you'), /not for you/],
    [
      'names after the last one',
      (call) => {
        call.send(PACKET, { type: PACKET_STAT, stat: file('a') });
        call.send(PACKET, { type: PACKET_STAT });
        call.send(PACKET, { type: PACKET_STAT, stat: file('b') });
      },
      /after the last one/,
    ],
    ['noise', (call) => void call.stream.write(Buffer.from([0, 0, 0, 0, 3, 0x0a, 0xff, 0xff])), /malformed message/],
    ['a message of 4 GiB', (call) => void call.stream.write(Buffer.from([0, 0xff, 0xff, 0xff, 0xff])), /longer than/],
    ['a reset', (call) => call.stream.close(2), /failed to transfer/],
  ])('survives %s', async (_, hostile, expected) => {
    const { status, message } = await solveWith(hostile);
    expect(status).toBe(2);
    expect(message).toMatch(expected);
    expect(message).not.toMatch(/\p{Cc}/u);
  });

  it('survives any bytes of a session', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 64 }), async (noise) => {
        const { status } = await solveWith((call) => {
          call.stream.write(Buffer.from(noise));
          call.end();
        });
        expect(status).not.toBe(0);
      }),
      { numRuns: 40 },
    );
  });

  it('survives any bytes of a call', async () => {
    const path = '/moby.buildkit.v1.Control/Solve';
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 64 }), async (noise) => {
        const { status } = await client.raw(path, SOLVE_RESPONSE, noise);
        expect(status).not.toBe(0);
      }),
      { numRuns: 100 },
    );
  });

  it.each(['/grpc', '/session'])('survives what is no HTTP/2 on %s', async (path) => {
    const headers = path === '/session' ? { 'x-docker-expose-session-uuid': `noise-${count}` } : {};
    for (let run = 0; run < 20; run += 1) {
      const socket = await upgrade(door.path, path, headers);
      socket.on('error', () => {});
      const closed = new Promise((resolve) => socket.once('close', resolve));
      socket.resume();
      socket.write(randomBytes(200));
      socket.end();
      await closed;
    }
  });

  it('refuses a second session of one name, and one without', async () => {
    const end = await client.openSession('taken', {});
    await expect(upgrade(door.path, '/session', { 'x-docker-expose-session-uuid': 'taken' })).rejects.toThrow('409');
    await expect(upgrade(door.path, '/session')).rejects.toThrow('400');
    await expect(upgrade(door.path, '/session', { 'x-docker-expose-session-uuid': '../x' })).rejects.toThrow('400');
    end();
  });

  it('speaks h2c alone', async () => {
    await expect(upgrade(door.path, '/grpc', { upgrade: 'tcp' })).rejects.toThrow('400');
  });

  it('lets a client go that asks for much and reads nothing', async () => {
    for (let at = 0; at < 200; at += 1) {
      const stream = client.begin('/moby.buildkit.v1.Control/Info', NOTHING, {});
      stream.close(8);
    }
    const socket = connect(door.path);
    socket.on('error', () => {});
    socket.write('POST /grpc HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n');
    await new Promise((resolve) => socket.once('data', resolve));
    socket.destroy();
  });
});

describe('outputs', () => {
  it('are refused where the client takes none, or breaks off', async () => {
    const written = await openTestDoor({
      build: async ({ outputs }: BuildRequest) => {
        for (const output of outputs ?? []) {
          if (!('write' in output)) continue;
          await output.write(
            (async function* () {
              for (let at = 0; at < 1_000; at += 1) yield new Uint8Array(100_000);
            })(),
          );
        }
        return { references: [] };
      },
    });
    try {
      const caller = await written.connect();
      const { methods } = serveFiles({ dockerfile: { Dockerfile: 'FROM x' } });
      const Exporters = [{ Type: 'tar', Attrs: new Map() }];
      const solve = async (at: number, more: SessionMethods) => {
        const end = await caller.openSession(`s${at}`, { ...methods, ...more });
        const answer = await caller.solve(`r${at}`, `s${at}`, {}, { Exporters });
        end();
        return answer;
      };
      const path = '/moby.filesync.v1.FileSend/DiffCopy';
      expect(await solve(1, {})).toMatchObject({ message: expect.stringMatching(/takes no files/) });
      const refusing = { [path]: (call: SessionCall) => call.end(6, 'target already exists') };
      expect(await solve(2, refusing)).toMatchObject({ message: expect.stringMatching(/target already exists/) });
      const breaking = {
        [path]: async (call: SessionCall) => {
          for await (const _ of call.requests(BYTES)) break;
          call.stream.close(2);
        },
      };
      expect(await solve(3, breaking)).toMatchObject({ status: 2 });
      expect(written.internalErrors).toEqual([]);
    } finally {
      await written.close();
    }
  });
});

describe('many builds', () => {
  it('leave nothing behind when all their clients are killed', async () => {
    const before = process.memoryUsage().heapUsed;
    for (let at = 0; at < 100; at += 1) {
      const killed = await door.connect();
      const id = `killed-${at}`;
      await killed.openSession(id, { [DIFF_COPY]: () => {} });
      killed.begin('/moby.buildkit.v1.Control/Solve', SOLVE_REQUEST, {
        Ref: id,
        Session: id,
        Frontend: 'dockerfile.v0',
      });
      await new Promise((resolve) => setTimeout(resolve, 5));
      killed.close();
    }
    await expect
      .poll(async () => {
        // A name is free again when its session is gone.
        const socket = await upgrade(door.path, '/session', { 'x-docker-expose-session-uuid': 'killed-99' }).catch(
          () => undefined,
        );
        socket?.destroy();
        return socket !== undefined;
      })
      .toBe(true);
    expect(process.memoryUsage().heapUsed - before).toBeLessThan(200 << 20);
  });
});
