/** A registry in a process of its own, to be killed: the built command, on a store that stays. */
import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { WCTR } from './cli.ts';

export interface RegistryChild {
  readonly url: string;
  /** At once, as a power cut would. */
  kill(): Promise<void>;
  /** By SIGTERM; its exit code. */
  end(): Promise<number | null>;
}

export async function startRegistryChild(root: string, flags: readonly string[] = []): Promise<RegistryChild> {
  const args = [WCTR, 'registry', 'serve', '--listen', '127.0.0.1:0', '--root', root, ...flags];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'pipe'] });
  const ended = new Promise<number | null>((resolve) => child.once('exit', (code) => resolve(code)));
  // A test that fails before it ends the registry must not leave it behind.
  const killAtExit = () => void child.kill('SIGKILL');
  process.once('exit', killAtExit);
  void ended.then(() => process.off('exit', killAtExit));
  const url = await listening(child);
  const finish = async (signal: NodeJS.Signals) => {
    child.kill(signal);
    return ended;
  };
  return {
    url,
    kill: async () => void (await finish('SIGKILL')),
    end: () => finish('SIGTERM'),
  };
}

function listening(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    const seen: string[] = [];
    createInterface({ input: child.stderr! }).on('line', (line) => {
      seen.push(line);
      const url = /listens on (https?:\S+)/.exec(line)?.[1];
      if (url !== undefined) resolve(url);
    });
    child.once('exit', () => reject(new Error(`the registry ended:\n${seen.join('\n')}`)));
  });
}
