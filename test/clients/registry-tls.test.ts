/** Registries with and without TLS, as Node's own fetch meets them. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:https';
import { type AddressInfo, createServer as createTcpServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { tempDir } from '../support/image-store.ts';
import { peer } from '../support/peers.ts';
import { createTestClient } from '../support/registry-client.ts';

const missing = !peer('openssl');

describe.skipIf(missing)('a registry with a certificate nobody vouches for', () => {
  let server: Server;
  let asked = 0;
  beforeAll(async () => {
    using dir = tempDir();
    const [key, cert] = ['key.pem', 'cert.pem'].map((file) => join(dir.path, file)) as [string, string];
    const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1'];
    const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2'];
    execFileSync(peer('openssl')!, ['req', '-x509', ...curve, ...subject, '-keyout', key, '-out', cert], {
      stdio: 'pipe',
    });
    server = createServer({ key: readFileSync(key), cert: readFileSync(cert) }, (_request, response) => {
      asked++;
      response.end('{}');
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  });
  afterAll(() => server?.close());

  it('is not spoken to, on loopback either', async () => {
    const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
    await expect(createTestClient().repository({ domain: host, path: 'a' }).manifest('latest')).rejects.toMatchObject({
      code: 'registry-unreachable',
      message: `cannot reach ${host}: its TLS certificate is not trusted (DEPTH_ZERO_SELF_SIGNED_CERT)`,
      hint: 'make its CA known to the runtime (Node: NODE_EXTRA_CA_CERTS); certificates are always checked',
    });
    expect(asked).toBe(0);
  });
});

describe('a server that speaks no HTTP', () => {
  it.each([
    ['closes at once', (socket: Socket) => socket.destroy(), 'connection reset'],
    ['talks something else', (socket: Socket) => socket.end('220 mail.example ESMTP\r\n'), 'it does not speak HTTP'],
  ])('%s', async (_case, behave, reason) => {
    const server = createTcpServer((socket) => {
      socket.on('error', () => {});
      behave(socket);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
    try {
      await expect(createTestClient().repository({ domain: host, path: 'a' }).manifest('latest')).rejects.toMatchObject(
        {
          code: 'registry-unreachable',
          message: `cannot reach ${host}: ${reason}`,
        },
      );
    } finally {
      server.close();
    }
  });

  it('has a name that does not exist', async () => {
    const client = createTestClient();
    await expect(client.repository({ domain: 'registry.invalid', path: 'a' }).manifest('latest')).rejects.toMatchObject(
      {
        code: 'registry-unreachable',
        message: expect.stringMatching(
          /^cannot reach registry\.invalid: (no such host|the name server does not answer)$/,
        ),
      },
    );
  });
});
