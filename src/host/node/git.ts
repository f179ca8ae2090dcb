/** An installed git, told to fetch over the network only and to run nothing of what it fetches. */
import { spawn } from 'node:child_process';
import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { WctrError } from '../../errors.ts';
import type { GitCheckout, GitClient } from '../ports.ts';
import { shownAddress } from '../shown-address.ts';

/** No local paths (a submodule may name one) and no commands in place of addresses. */
const PROTOCOLS = 'http:https:git:ssh';
const CONFIG = ['-c', 'core.hooksPath=/dev/null', '-c', 'core.fsmonitor=false', '-c', 'advice.detachedHead=false'];
const SAID_BYTES = 4096;
const COMMIT = /^[0-9a-f]{40}([0-9a-f]{24})?$/;

export const git: GitClient = {
  async checkout({ repository, ref, directory, signal }: GitCheckout): Promise<string> {
    const run = (...args: string[]) => runGit(directory, args, `fetch ${shownAddress(repository)}`, signal);
    await run('init', '-q');
    try {
      await run('fetch', '-q', '--depth=1', '--no-tags', '--', repository, ref);
    } catch (error) {
      // Not every server gives a commit by its name: then all branches are fetched, and it is looked for in them
      if (!COMMIT.test(ref) || signal?.aborted) throw error;
      await run('fetch', '-q', '--tags', '--', repository, '+refs/heads/*:refs/remotes/origin/*');
    }
    await run('checkout', '-q', '--force', '--detach', COMMIT.test(ref) ? ref : 'FETCH_HEAD', '--');
    if (existsSync(join(directory, '.gitmodules'))) {
      await run('remote', 'add', 'origin', '--', repository);
      await run('submodule', '-q', 'update', '--init', '--recursive', '--depth=1');
    }
    const commit = (await run('rev-parse', 'HEAD')).trim();
    rmSync(join(directory, '.git'), { recursive: true, force: true });
    return commit;
  },
};

function runGit(directory: string, args: string[], doing: string, signal: AbortSignal | undefined): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn('git', [...CONFIG, ...args], {
      cwd: directory,
      env: { ...elsewhere(process.env), GIT_TERMINAL_PROMPT: '0', GIT_ALLOW_PROTOCOL: PROTOCOLS },
      stdio: ['ignore', 'pipe', 'pipe'],
      ...(signal === undefined ? {} : { signal }),
    });
    let out = '';
    let said = '';
    child.stdout.on('data', (chunk: Buffer) => {
      out = (out + chunk.toString()).slice(0, SAID_BYTES);
    });
    child.stderr.on('data', (chunk: Buffer) => {
      said = (said + chunk.toString()).slice(-SAID_BYTES);
    });
    child.on('error', (cause: NodeJS.ErrnoException) => {
      if (signal?.aborted) reject(new WctrError('cancelled', `cannot ${doing}: cancelled`, { cause }));
      else if (cause.code === 'ENOENT') {
        reject(
          new WctrError('unsupported', `cannot ${doing}: git is not installed`, {
            hint: 'install git, or clone the repository elsewhere and build from the directory',
          }),
        );
      } else reject(new WctrError('internal', `cannot ${doing}: ${cause.message}`, { cause }));
    });
    child.on('close', (code) => {
      if (code === 0) resolve(out);
      else reject(new WctrError('not-found', `cannot ${doing}: ${lastLine(said) || `git ended with ${code}`}`));
    });
  });
}

/** Of a caller that git runs as a hook: they say which repository and index to change. */
const OWN_REPOSITORY = [
  'GIT_ALTERNATE_OBJECT_DIRECTORIES',
  'GIT_COMMON_DIR',
  'GIT_DIR',
  'GIT_INDEX_FILE',
  'GIT_NAMESPACE',
  'GIT_OBJECT_DIRECTORY',
  'GIT_PREFIX',
  'GIT_SHALLOW_FILE',
  'GIT_WORK_TREE',
];

function elsewhere(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(env).filter(([name]) => !OWN_REPOSITORY.includes(name)));
}

function lastLine(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: a server's words go to a terminal
  return (text.trim().split('\n').at(-1) ?? '').replace(/[\x00-\x1f\x7f]/g, ' ');
}
