/**
 * docker's credential helpers as programs: `docker-credential-<name> get`, the registry on stdin, JSON on stdout; `store`
 * takes the JSON on stdin, `erase` the registry.
 * https://github.com/docker/docker-credential-helpers
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { WctrError } from '../../errors.ts';
import type { CredentialStore } from '../ports.ts';

export interface CredentialHelperOptions {
  /** A helper may have to ask its user; after this it is killed. Default 60 s. */
  readonly timeoutMs?: number;
  readonly env?: NodeJS.ProcessEnv;
}

const OUTPUT_LIMIT_BYTES = 64 * 1024;
/** What helpers print, with exit code 1, for a registry they know nothing of. */
const NOT_FOUND = /credentials not found/i;

export class NodeCredentialHelpers implements CredentialStore {
  private readonly timeoutMs: number;
  private readonly env: NodeJS.ProcessEnv | undefined;

  constructor(options: CredentialHelperOptions = {}) {
    this.timeoutMs = options.timeoutMs ?? 60_000;
    this.env = options.env;
  }

  /**
   * @returns undefined when the helper has nothing for this registry
   * @throws invalid-argument for a name that is none, unauthorized when the helper is missing, fails or talks nonsense
   */
  async get(helper: string, registryHost: string): Promise<{ username: string; secret: string } | undefined> {
    const program = `docker-credential-${checkedName(helper)}`;
    const { code, stdout, stderr } = await this.run(program, 'get', registryHost);
    if (code !== 0) {
      const said = firstLine(stdout) || firstLine(stderr);
      if (NOT_FOUND.test(said)) return undefined;
      throw failed(program, said === '' ? `exit code ${code}` : said);
    }
    return parseAnswer(stdout, program);
  }

  async store(helper: string, registryHost: string, username: string, secret: string): Promise<void> {
    const document = { ServerURL: registryHost, Username: username, Secret: secret };
    await this.done(`docker-credential-${checkedName(helper)}`, 'store', JSON.stringify(document));
  }

  async erase(helper: string, registryHost: string): Promise<void> {
    await this.done(`docker-credential-${checkedName(helper)}`, 'erase', registryHost);
  }

  private async done(program: string, action: string, input: string): Promise<void> {
    const { code, stdout, stderr } = await this.run(program, action, input);
    if (code === 0) return;
    const said = firstLine(stdout) || firstLine(stderr);
    throw failed(program, said === '' ? `exit code ${code}` : said);
  }

  private run(
    program: string,
    action: string,
    input: string,
  ): Promise<{ code: number; stdout: string; stderr: string }> {
    return new Promise((resolve, reject) => {
      // No shell, and stderr is kept: a helper's chatter must not reach the user's terminal.
      const child = spawn(program, [action], { stdio: 'pipe', env: this.env ?? process.env, windowsHide: true });
      const timer = setTimeout(() => stop(`it did not answer within ${this.timeoutMs / 1000} s`), this.timeoutMs);
      const output = { stdout: '', stderr: '' };
      function stop(why: string): void {
        kill(child);
        settle(() => reject(failed(program, why)));
      }
      function settle(finish: () => void): void {
        clearTimeout(timer);
        finish();
      }
      for (const name of ['stdout', 'stderr'] as const) {
        child[name].setEncoding('utf8').on('data', (text: string) => {
          output[name] += text;
          if (output[name].length > OUTPUT_LIMIT_BYTES) stop('it prints too much');
        });
      }
      child.on('error', (error: NodeJS.ErrnoException) =>
        settle(() => reject(failed(program, error.code === 'ENOENT' ? 'not found on PATH' : error.message))),
      );
      child.on('close', (code) => settle(() => resolve({ code: code ?? 1, ...output })));
      // A helper that exits without reading its input is not an error of ours.
      child.stdin.on('error', () => {});
      child.stdin.end(`${input}\n`);
    });
  }
}

/** A name from a config file becomes part of a program's name; it must not become a path. */
function checkedName(helper: string): string {
  if (/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/.test(helper)) return helper;
  throw new WctrError('invalid-argument', `invalid credential helper name ${JSON.stringify(helper.slice(0, 80))}`, {
    hint: 'credsStore and credHelpers hold the <name> of a program docker-credential-<name>',
  });
}

function parseAnswer(text: string, program: string): { username: string; secret: string } {
  let answer: { Username?: unknown; Secret?: unknown } | null = null;
  try {
    answer = JSON.parse(text);
  } catch {
    // Reported below: without the fields.
  }
  const { Username: username, Secret: secret } = answer ?? {};
  if (typeof username !== 'string' || typeof secret !== 'string') throw failed(program, 'its answer is not valid');
  return { username, secret };
}

function kill(child: ChildProcess): void {
  child.kill('SIGKILL');
  child.stdout?.destroy();
  child.stderr?.destroy();
}

function firstLine(text: string): string {
  return (text.trim().split('\n')[0] ?? '').replace(/[^\x20-\x7e]/g, '?').slice(0, 200);
}

function failed(program: string, why: string): WctrError {
  return new WctrError('unauthorized', `credential helper ${program}: ${why}`, { data: { program } });
}
