import { WctrError } from '../../errors.ts';
import type { Flag, ParsedFlags } from '../flags.ts';

/** docker run's flags, as far as a sandbox without a kernel gives them a meaning. */
export const RUN_FLAGS: readonly Flag[] = [
  { name: 'interactive', short: 'i', type: 'boolean', description: 'Give the container standard input' },
  { name: 'tty', short: 't', type: 'boolean', description: 'Tell the program that it talks to a terminal' },
  { name: 'rm', type: 'boolean', description: 'Remove the container when it ends' },
  { name: 'name', type: 'string', description: 'Name of the container' },
  { name: 'env', short: 'e', type: 'list', value: 'NAME=value', description: 'Set an environment variable' },
  { name: 'env-file', type: 'list', value: 'path', description: 'Read environment variables from a file' },
  { name: 'volume', short: 'v', type: 'list', value: 'DIR:PATH[:ro]', description: 'Mount a host directory' },
  { name: 'mount', type: 'list', value: 'type=...', description: 'Mount a host directory (bind) or a tmpfs' },
  { name: 'tmpfs', type: 'list', value: 'PATH[:size=64m]', description: 'Mount an empty file system in memory' },
  { name: 'workdir', short: 'w', type: 'string', value: 'path', description: 'Working directory' },
  {
    name: 'user',
    short: 'u',
    type: 'string',
    value: 'uid[:gid]',
    description: 'User, by number or by a name of the image',
  },
  { name: 'entrypoint', type: 'string', value: 'path', description: "Replace the image's entrypoint" },
  { name: 'hostname', short: 'h', type: 'string', description: 'Host name of the container' },
  { name: 'label', short: 'l', type: 'list', value: 'name=value', description: 'Set a label' },
  { name: 'read-only', type: 'boolean', description: "Mount the container's root file system read-only" },
  { name: 'memory', short: 'm', type: 'string', value: 'bytes', description: 'Memory limit (64m, 1g)' },
  { name: 'cpus', type: 'string', value: 'number', description: 'CPU limit (0.5 is half of one)' },
  { name: 'pids-limit', type: 'string', value: 'number', description: 'Most processes at once (-1: no limit)' },
  { name: 'ulimit', type: 'list', value: 'nofile=N', description: 'Most open files' },
  { name: 'storage-opt', type: 'list', value: 'size=64m', description: 'Most bytes in the writable layer' },
  {
    name: 'timeout',
    type: 'string',
    value: 'duration',
    description: 'End the container after this long (10s, 1m); exit code 124',
  },
  {
    name: 'pull',
    type: 'string',
    value: 'policy',
    description: "Pull the image: 'always', 'missing' (default) or 'never'",
  },
  { name: 'platform', type: 'string', value: 'os/arch', description: 'Platform of the image to run' },
  { name: 'quiet', short: 'q', type: 'boolean', description: 'No pull progress' },
  { name: 'cidfile', type: 'string', value: 'path', description: 'Write the container id to this new file' },
  {
    name: 'sandbox',
    type: 'string',
    value: 'kind',
    description: "What runs the program: 'process' (default), 'worker', 'inline' or 'wasmer'",
  },
  {
    name: 'unknown-imports',
    type: 'string',
    value: 'policy',
    description: "Imports nobody granted: 'deny' refuses the module (default), 'trap' ends it when it calls one",
  },
  {
    name: 'deterministic',
    type: 'boolean',
    description: 'Fixed clock and random numbers: equal runs give equal output',
  },
  ...unsupportedFlags(),
];

/** docker flags that mean something wctr does not do yet: refused by name instead of as a spelling mistake. */
function unsupportedFlags(): Flag[] {
  const hidden = (name: string, type: Flag['type'], short?: string): Flag => ({
    name,
    type,
    description: 'Not supported yet',
    ...(short === undefined ? {} : { short }),
  });
  return [
    hidden('detach', 'boolean', 'd'),
    hidden('publish', 'list', 'p'),
    hidden('publish-all', 'boolean', 'P'),
    hidden('network', 'string'),
    hidden('restart', 'string'),
  ];
}

const UNSUPPORTED: Readonly<Record<string, string>> = {
  detach: 'leave out -d: the container runs in the foreground',
  publish: 'a container has no network yet',
  'publish-all': 'a container has no network yet',
  restart: 'leave out --restart',
};

export function refuseUnsupported(flags: ParsedFlags): void {
  for (const [name, hint] of Object.entries(UNSUPPORTED)) {
    const given =
      name === 'restart' ? flags.string(name) !== undefined && flags.string(name) !== 'no' : flags.has(name);
    if (given && flags.string(name) !== 'false') {
      throw new WctrError('unsupported', `--${name} is not supported yet`, { hint });
    }
  }
  const network = flags.string('network');
  if (network !== undefined && network !== 'none') {
    throw new WctrError('unsupported', `--network ${network} is not supported yet`, {
      hint: "'none' is what every container has today",
    });
  }
}
