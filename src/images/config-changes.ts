/** Dockerfile instructions as `import --change` and `commit --change` take them: those that only alter the config. */
import { WctrError } from '../errors.ts';
import type { ProcessConfig } from '../spec/image-spec.ts';
import { quote } from './quote.ts';

type Mutable = { -readonly [Key in keyof ProcessConfig]: ProcessConfig[Key] };

const INSTRUCTIONS: Readonly<Record<string, (config: Mutable, rest: string) => void>> = {
  CMD: (config, rest) => {
    config.Cmd = command(rest);
  },
  ENTRYPOINT: (config, rest) => {
    config.Entrypoint = command(rest);
  },
  ENV: (config, rest) => {
    for (const [name, value] of pairs(rest)) {
      config.Env = [...(config.Env ?? []).filter((entry) => !entry.startsWith(`${name}=`)), `${name}=${value}`];
    }
  },
  LABEL: (config, rest) => {
    config.Labels = { ...config.Labels, ...Object.fromEntries(pairs(rest)) };
  },
  WORKDIR: (config, rest) => {
    config.WorkingDir = rest.startsWith('/') ? rest : `${(config.WorkingDir ?? '').replace(/\/$/, '')}/${rest}`;
  },
  USER: (config, rest) => {
    config.User = rest;
  },
  STOPSIGNAL: (config, rest) => {
    config.StopSignal = rest;
  },
  EXPOSE: (config, rest) => {
    const ports = words(rest).map((port) => [port.includes('/') ? port : `${port}/tcp`, {}] as const);
    config.ExposedPorts = { ...config.ExposedPorts, ...Object.fromEntries(ports) };
  },
  VOLUME: (config, rest) => {
    const paths = rest.startsWith('[') ? command(rest) : words(rest);
    config.Volumes = { ...config.Volumes, ...Object.fromEntries(paths.map((path) => [path, {}])) };
  },
};

/** Throws `invalid-argument` for an instruction that cannot change a config, or is written wrongly. */
export function applyChanges(config: ProcessConfig, changes: readonly string[]): ProcessConfig {
  const changed: Mutable = { ...config };
  for (const change of changes) {
    const [, name = '', rest = ''] = /^\s*(\w+)\s+(.*?)\s*$/s.exec(change) ?? [];
    const instruction = name.toUpperCase();
    const apply = Object.hasOwn(INSTRUCTIONS, instruction) ? INSTRUCTIONS[instruction] : undefined;
    if (apply === undefined || rest === '' || rest.includes('\0')) {
      throw new WctrError('invalid-argument', `cannot apply the change ${quote(change)}`, {
        hint: `a change is one of ${Object.keys(INSTRUCTIONS).join(', ')} with its arguments`,
      });
    }
    apply(changed, rest);
  }
  return changed;
}

/** `["a","b"]`, or a line for the shell. */
function command(rest: string): string[] {
  if (!rest.startsWith('[')) return ['/bin/sh', '-c', rest];
  try {
    const list: unknown = JSON.parse(rest);
    if (Array.isArray(list) && list.every((item): item is string => typeof item === 'string')) return list;
  } catch {
    // said below
  }
  throw new WctrError('invalid-argument', `${quote(rest)} is not a list of strings`, {
    hint: 'write it as JSON: ["/app.wasm", "--flag"]',
  });
}

/** `A=1 B="x y"`, or the old `A the whole rest`. */
function pairs(rest: string): [string, string][] {
  const old = /^([^\s="']+)\s+(.+)$/s.exec(rest);
  if (old !== null) return [[old[1] ?? '', unquoted(old[2] ?? '')]];
  return words(rest).map((word) => {
    const equals = word.indexOf('=');
    if (equals <= 0) throw new WctrError('invalid-argument', `${quote(word)} is not name=value`);
    return [word.slice(0, equals), word.slice(equals + 1)];
  });
}

/** Splits at spaces outside quotes; a backslash keeps the next character. */
function words(text: string): string[] {
  return (text.match(/(?:\\.|"(?:\\.|[^"\\])*"|'[^']*'|[^\s"'\\])+/gs) ?? []).map(unquoted);
}

function unquoted(word: string): string {
  return word.replace(/\\(.)|"((?:\\.|[^"\\])*)"|'([^']*)'/gs, (_, escaped, double, single) =>
    escaped !== undefined ? escaped : double !== undefined ? double.replace(/\\(.)/gs, '$1') : single,
  );
}
