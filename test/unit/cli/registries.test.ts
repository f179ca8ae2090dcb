/** login, logout, push and search: what they ask, print and keep. */
import { describe, expect, it } from 'vitest';
import { runCli } from '../../../src/cli/app.ts';
import type { RegistryTools } from '../../../src/cli/registry-tools.ts';
import type { LoginRequest } from '../../../src/engine/engine.ts';
import { WctrError } from '../../../src/errors.ts';
import type { NewLogin } from '../../../src/images/registry/login-store.ts';
import { type CliSetup, testContext } from '../../support/cli-context.ts';
import { fakeEngine } from '../../support/fake-engine.ts';

const DIGEST = `sha256:${'1'.repeat(64)}`;

interface Kept {
  readonly domain: string;
  readonly login: NewLogin;
}

/** Logs in with "secret" and nothing else; keeps what is stored in a list. */
async function wctr(
  line: readonly string[],
  setup: CliSetup & { stored?: object; helper?: string; token?: string } = {},
) {
  const kept: Kept[] = [];
  const removed: string[] = [];
  const { engine, calls } = fakeEngine({
    system: {
      login: async ({ password }: LoginRequest) => {
        if (password !== 'secret') throw new WctrError('unauthorized', 'refused', { data: {} });
        return { status: 'Login Succeeded', ...(setup.token === undefined ? {} : { identityToken: setup.token }) };
      },
    },
    images: {
      push: async () => [
        { tag: 'a', digest: DIGEST, sizeBytes: 1 },
        { tag: 'b', digest: DIGEST, sizeBytes: 1 },
      ],
      search: async () => [
        {
          name: 'evil\u001b[2J',
          description: 'd\ne '.repeat(40),
          star_count: 12,
          is_official: true,
          is_automated: false,
        },
        { name: 'plain', description: '', star_count: 0, is_official: false, is_automated: false },
      ],
    },
  });
  const logins = {
    path: '/home/me/.docker/config.json',
    get: async () => setup.stored,
    put: async (domain: string, login: NewLogin) => {
      kept.push({ domain, login });
      return setup.helper;
    },
    remove: async (domain: string) => {
      removed.push(domain);
      return setup.stored !== undefined;
    },
  };
  const context = Object.assign(testContext({ engine, ...setup }), {
    registry: async () => ({ logins }) as unknown as RegistryTools,
  });
  const code = await runCli(line, context, '0.0.0');
  return { code, stdout: context.stdout(), stderr: context.stderr(), modes: context.modes, kept, removed, calls };
}

async function* typed(...pieces: string[]) {
  for (const piece of pieces) yield new TextEncoder().encode(piece);
}

const TERMINAL = { height: 24, width: 80 };

describe('login', () => {
  it('takes the password from standard input', async () => {
    const { code, stdout, stderr, kept, calls } = await wctr(['login', '-u', 'me', '--password-stdin', 'reg.example'], {
      stdin: typed('sec', 'ret\r\n'),
    });
    expect([code, stdout]).toEqual([0, 'Login Succeeded\n']);
    expect(stderr).toContain("stored unencrypted in '/home/me/.docker/config.json'");
    expect(kept).toEqual([{ domain: 'reg.example', login: { username: 'me', password: 'secret' } }]);
    expect(calls[0]?.args[0]).toMatchObject({ server: 'reg.example', username: 'me', password: 'secret' });
  });

  it('says nothing of encryption where a helper keeps it, and keeps a token in place of the password', async () => {
    const { stderr, kept } = await wctr(['login', '-u', 'me', '-p', 'secret'], { helper: 'pass', token: 'tok' });
    expect(stderr).not.toContain('unencrypted');
    expect(stderr).toContain('--password can be seen by others');
    expect(kept).toEqual([
      { domain: 'docker.io', login: { username: 'me', password: 'secret', identityToken: 'tok' } },
    ]);
  });

  it('asks on a terminal, and does not show the password', async () => {
    const { code, stderr, kept, modes } = await wctr(['login', 'reg.example'], {
      terminal: TERMINAL,
      stdin: typed('xx\u0015m', 'ez\u007f\r', 'sec', 'rex\bt\n'),
    });
    expect(code).toBe(0);
    expect(kept).toEqual([{ domain: 'reg.example', login: { username: 'me', password: 'secret' } }]);
    expect(stderr).toContain('Username for reg.example: ');
    expect(stderr).toContain('Password: ');
    expect(stderr).not.toContain('sec');
    expect(modes).toEqual(['raw', 'cooked']);
  });

  it('is given up by Ctrl-C, and the terminal is as it was', async () => {
    const { code, kept, modes } = await wctr(['login'], { terminal: TERMINAL, stdin: typed('me\r', 'se\u0003') });
    expect([code, kept, modes]).toEqual([130, [], ['raw', 'cooked']]);
  });

  it('is done with what is stored already', async () => {
    const { code, stdout, kept } = await wctr(['login'], { stored: { username: 'me', password: 'secret' } });
    expect([code, stdout, kept]).toEqual([0, 'Login Succeeded\n', []]);
  });

  it('keeps nothing that was refused', async () => {
    const { code, stderr, kept } = await wctr(['login', '-u', 'me', '--password-stdin'], { stdin: typed('wrong') });
    expect([code, stderr, kept]).toEqual([1, 'wctr: refused\n', []]);
  });

  it.each([
    ['two passwords', ['-u', 'me', '-p', 'x', '--password-stdin'], 'mutually exclusive'],
    ['no user', ['--password-stdin'], '--password-stdin needs --username'],
    ['no terminal', ['-u', 'me'], 'cannot ask for a login without a terminal'],
    ['no password', ['-u', 'me', '--password-stdin'], 'a password is required'],
    ['no host', ['-u', 'me', '--password-stdin', 'a b'], 'not a registry host'],
  ])('refuses %s', async (_what, line, message) => {
    const { code, stderr, kept } = await wctr(['login', ...line]);
    expect([code === 0, stderr, kept]).toEqual([false, expect.stringContaining(message), []]);
  });
});

it('logout says whether there was a login', async () => {
  expect(await wctr(['logout'], { stored: {} })).toMatchObject({
    stdout: 'Removing login credentials for https://index.docker.io/v1/\n',
    removed: ['docker.io'],
  });
  expect((await wctr(['logout', 'reg.example'])).stdout).toBe('Not logged in to reg.example\n');
});

it('push prints the names it pushed when it is quiet', async () => {
  const { stdout, calls } = await wctr(['push', '-a', '-q', 'reg.example:5000/app']);
  expect(stdout).toBe('reg.example:5000/app:a\nreg.example:5000/app:b\n');
  expect(calls[0]).toMatchObject({ name: 'images.push', args: ['reg.example:5000/app', { all: true }] });
});

it('search prints a table of what is found', async () => {
  const { stdout, calls } = await wctr(['search', '--limit', '5', '-f', 'stars=3', 'term']);
  expect(stdout.split('\n')).toEqual([
    expect.stringMatching(/^NAME +DESCRIPTION +STARS +OFFICIAL$/),
    expect.stringMatching(/^evil\S* +d e d e .*… +12 +\[OK\]$/),
    expect.stringMatching(/^plain +0 *$/),
    '',
  ]);
  expect(stdout).not.toContain('\u001b');
  expect(calls[0]?.args[1]).toMatchObject({ limit: 5, filters: { stars: ['3'] } });
  expect((await wctr(['search', '--format', '{{.Name}} {{.StarCount}}', 'x'])).stdout).toContain('plain 0\n');
});
