/**
 * What `--log-opt labels=...`, `env=...` and `tag=...` put beside every line of a json-file: labels and variables of the
 * container, and a text that names it.
 */
import { WctrError } from '../../errors.ts';
import type { LogConfig } from '../../spec/engine-api.ts';
import type { ContainerRecord } from '../record.ts';

export type LoggedContainer = Pick<ContainerRecord, 'key' | 'name' | 'image' | 'imageId' | 'args'> & {
  readonly config: Pick<ContainerRecord['config'], 'Labels' | 'Env'>;
};

export function needsAttributes({ Config }: LogConfig): boolean {
  return Object.keys(Config ?? {}).some((name) => /^((labels|env)(-regex)?|tag)$/.test(name));
}

export function logAttributes({ Config }: LogConfig, container: LoggedContainer): Record<string, string> {
  const { Labels, Env } = container.config;
  const env = (Env ?? []).map((entry) => entry.split(/=(.*)/s).slice(0, 2) as [string, string]);
  return Object.fromEntries([
    ...chosen(Object.entries(Labels ?? {}), Config.labels, Config['labels-regex']),
    ...chosen(env, Config.env, Config['env-regex']),
    ...(Config.tag ? [['tag', expanded(Config.tag, container)]] : []),
  ]);
}

function chosen(entries: readonly (readonly [string, string])[], names = '', pattern?: string) {
  const listed = names.split(',').map((name) => name.trim());
  const matches = pattern === undefined || pattern === '' ? undefined : new RegExp(pattern);
  return entries.filter(([name]) => listed.includes(name) || matches?.test(name) === true);
}

const ACTION = /\{\{\s*\.(\w+)\s*\}\}/g;

/** The names docker's documentation gives for log tags. */
const TAG_VALUES: Readonly<Record<string, (container: LoggedContainer) => string>> = {
  ID: ({ key }) => key.slice(0, 12),
  FullID: ({ key }) => key,
  Name: ({ name }) => name,
  FullName: ({ name }) => `/${name}`,
  ImageID: ({ imageId }) => imageId.replace(/^sha256:/, '').slice(0, 12),
  ImageFullID: ({ imageId }) => imageId,
  ImageName: ({ image }) => image,
  Command: ({ args }) => args.join(' '),
  DaemonName: () => 'wctr',
};

/** Throws 'invalid-argument' for a template that is more than names. */
export function checkTag(template: string): void {
  const unknown = [...template.matchAll(ACTION)].find(([, name]) => TAG_VALUES[name!] === undefined);
  if (unknown === undefined && !template.replace(ACTION, '').includes('{{')) return;
  throw new WctrError('invalid-argument', `cannot expand the log tag ${JSON.stringify(template)}`, {
    hint: `use ${Object.keys(TAG_VALUES)
      .map((name) => `{{.${name}}}`)
      .join(' ')}`,
  });
}

function expanded(template: string, container: LoggedContainer): string {
  return template.replace(ACTION, (_, name: string) => TAG_VALUES[name]?.(container) ?? '');
}
