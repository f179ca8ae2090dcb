import { afterAll, describe, expect, it } from 'vitest';
import * as w from '../../../../src/spec/wasi-preview1.ts';
import { place, runGuest, TestNetworks } from '../../../support/network.ts';

const networks = new TestNetworks();
afterAll(() => networks.close());

describe("WasmEdge's socket imports", () => {
  it('connect a program of the second generation to one of the first, by name', async () => {
    const web = await networks.container({ networks: [place(40, 2, ['web'])] });
    const app = await networks.container({ networks: [place(40, 3, ['app'])] });
    const server = await runGuest(web, 'wasiServer');
    await server.listening;
    const client = await runGuest(app, 'wasiClient', { name: 'web' });
    expect(await client.result).toEqual({
      found: { count: 1, port: 8080 },
      connecting: w.ERRNO_INPROGRESS,
      error: 0,
      again: w.ERRNO_AGAIN,
      text: 'you said hello',
      from: [1, 0, 172, 40, 0, 2],
      fromPort: 8080,
      end: 0,
    });
    expect(await server.result).toMatchObject({
      ready: { type: 1, bytes: 1 },
      request: { type: 1, bytes: 5 },
      localType: 4,
      localPort: 8080,
      local: [172, 40, 0, 2],
      peer: [172, 40, 0, 3],
      text: 'hello',
    });
  });

  it('answer calls that cannot be right', async () => {
    const network = await networks.container({ mode: 'none' });
    const guest = await runGuest(network, 'wasiWrong');
    expect(await guest.result).toEqual({
      badFd: w.ERRNO_BADF,
      notSocket: w.ERRNO_NOTSOCK,
      farResult: w.ERRNO_FAULT,
      farAddress: w.ERRNO_FAULT,
      family: w.ERRNO_AFNOSUPPORT,
      notConnected: w.ERRNO_NOTCONN,
      shortAddress: w.ERRNO_INVAL,
      notOurs: w.ERRNO_ADDRNOTAVAIL,
      option: w.ERRNO_NOPROTOOPT,
    });
  });

  it('are not supported without a network', async () => {
    const network = await networks.container({ mode: 'none' });
    const guest = await runGuest(network, 'wasiAlone');
    expect(await guest.result).toEqual({ open: w.ERRNO_NOTSUP, second: w.ERRNO_NOTSUP });
  });
});
