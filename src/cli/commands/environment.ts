/** `-e`, `--env-file`, `-l` and `--label-file`: what a container is told and how it is marked. */
import { WctrError } from '../../errors.ts';
import type { Context } from '../command.ts';
import type { ParsedFlags } from '../flags.ts';

/** Files first, then `-e`. `NAME` alone takes the caller's value; where the caller has none it stays `NAME`: unset it. */
export async function readEnvironment({ host, terminal }: Context, flags: ParsedFlags): Promise<string[]> {
  const result: string[] = [];
  for (const path of flags.list('env-file')) {
    for (const line of await readLines(host, path)) {
      const [name = ''] = line.split('=');
      if (/\s/.test(name)) {
        throw new WctrError('invalid-argument', `${path}: invalid variable "${name}": it contains whitespace`);
      }
      // A file's name without a value that the caller does not have is left out, as docker does.
      if (line.includes('=') || terminal.env[line] !== undefined) result.push(fromCaller(line, terminal.env));
    }
  }
  for (const entry of flags.list('env')) result.push(fromCaller(entry, terminal.env));
  return result;
}

function fromCaller(entry: string, env: Readonly<Record<string, string | undefined>>): string {
  if (entry === '' || entry.startsWith('=')) {
    throw new WctrError('invalid-argument', `invalid environment variable: "${entry}"`, { hint: 'write NAME=value' });
  }
  if (entry.includes('=')) return entry;
  if (/\s/.test(entry))
    throw new WctrError('invalid-argument', `invalid environment variable: "${entry}" contains whitespaces`);
  return env[entry] === undefined ? entry : `${entry}=${env[entry]}`;
}

export async function readLabels({ host }: Context, flags: ParsedFlags): Promise<Record<string, string>> {
  const labels: string[] = [];
  for (const path of flags.list('label-file')) labels.push(...(await readLines(host, path)));
  return keyValues([...labels, ...flags.list('label')]);
}

/** `a=b` and `a` (an empty value); the last of a name wins. */
export function keyValues(entries: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    entries.map((entry) => {
      const equals = entry.indexOf('=');
      return equals < 0 ? [entry, ''] : [entry.slice(0, equals), entry.slice(equals + 1)];
    }),
  );
}

async function readLines(host: Context['host'], path: string): Promise<string[]> {
  const text = new TextDecoder().decode(await host.readFile(path));
  return text
    .split(/\r?\n/)
    .map((line) => line.trimStart())
    .filter((line) => line !== '' && !line.startsWith('#'));
}
