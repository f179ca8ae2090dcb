/** Labels and variables of a container that `--log-opt labels=...` and `env=...` put beside every line (json-file). */
import type { ContainerConfig, LogConfig } from '../../spec/engine-api.ts';

export function needsAttributes({ Config }: LogConfig): boolean {
  return Object.keys(Config ?? {}).some((name) => /^(labels|env)(-regex)?$/.test(name));
}

export function logAttributes({ Config }: LogConfig, config: Pick<ContainerConfig, 'Labels' | 'Env'>) {
  const env = (config.Env ?? []).map((entry) => entry.split(/=(.*)/s).slice(0, 2) as [string, string]);
  return Object.fromEntries([
    ...chosen(Object.entries(config.Labels ?? {}), Config.labels, Config['labels-regex']),
    ...chosen(env, Config.env, Config['env-regex']),
  ]);
}

function chosen(entries: readonly (readonly [string, string])[], names = '', pattern?: string) {
  const listed = names.split(',').map((name) => name.trim());
  const matches = pattern === undefined || pattern === '' ? undefined : new RegExp(pattern);
  return entries.filter(([name]) => listed.includes(name) || matches?.test(name) === true);
}
