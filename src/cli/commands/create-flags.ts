import type { Flag } from '../flags.ts';

type Spec = readonly [name: string, description: string, value?: string, short?: string];

function flagsOf(type: Flag['type'], specs: readonly Spec[]): Flag[] {
  return specs.map(([name, description, value, short]) => ({
    name,
    type,
    description,
    ...(value === undefined || value === '' ? {} : { value }),
    ...(short === undefined ? {} : { short }),
  }));
}

/** What `create` and `run` both take: docker's flags, and wctr's own at the end. */
export const CREATE_FLAGS: readonly Flag[] = [
  ...flagsOf('list', [['attach', 'Attach to STDIN, STDOUT or STDERR', 'stream', 'a']]),
  ...flagsOf('boolean', [
    ['interactive', 'Give the container standard input', '', 'i'],
    ['tty', 'Give the program a terminal', '', 't'],
    ['rm', 'Remove the container and its anonymous volumes when it ends'],
  ]),
  ...flagsOf('string', [['name', 'Name of the container']]),
  ...flagsOf('list', [
    ['env', 'Set an environment variable', 'NAME=value', 'e'],
    ['env-file', 'Read environment variables from a file', 'path'],
    ['label', 'Set a label', 'name=value', 'l'],
    ['label-file', 'Read labels from a file', 'path'],
    ['annotation', 'Set an annotation', 'name=value'],
    ['volume', 'Mount a volume or a host directory', '[NAME|DIR:]PATH[:ro]', 'v'],
    ['mount', 'Mount a volume, a host directory (bind) or a tmpfs', 'type=...'],
    ['tmpfs', 'Mount an empty file system in memory', 'PATH[:size=64m]'],
    ['volumes-from', "Mount another container's volumes", 'container[:ro]'],
  ]),
  ...flagsOf('string', [
    ['volume-driver', 'Driver of the volumes that -v makes', 'name'],
    ['workdir', 'Working directory', 'path', 'w'],
    ['user', 'User, by number or by a name of the image', 'uid[:gid]', 'u'],
    ['entrypoint', "Replace the image's entrypoint", 'path'],
    ['hostname', 'Host name of the container', 'name', 'h'],
    ['domainname', 'NIS domain name, kept for inspect', 'name'],
  ]),
  ...flagsOf('list', [
    ['publish', 'Publish a port, or a range of them', '[[ip:]port:]port[/udp]', 'p'],
    ['expose', 'Expose a port or a range', 'port[/udp]'],
    ['network', "Connect to a network ('none', 'host', a name, or name=...,alias=...)", 'network'],
    ['network-alias', 'Another name for the container on its network', 'name'],
    ['link', "Add another container's name", 'container[:alias]'],
    ['link-local-ip', 'Link-local address', 'address'],
    ['add-host', 'Add a line to /etc/hosts', 'host:ip'],
    ['dns', 'DNS server', 'address'],
    ['dns-search', 'DNS search domain', 'domain'],
    ['dns-option', 'DNS option', 'option'],
  ]),
  ...flagsOf('boolean', [['publish-all', 'Publish all exposed ports to free ones', '', 'P']]),
  ...flagsOf('string', [
    ['ip', 'IPv4 address on the network', 'address'],
    ['ip6', 'IPv6 address on the network', 'address'],
    ['mac-address', 'MAC address', 'address'],
    ['restart', "Restart policy: 'no', 'always', 'unless-stopped' or 'on-failure[:max]'", 'policy'],
    ['stop-signal', 'Signal that stops the container', 'signal'],
    ['stop-timeout', 'Seconds to wait before it is killed', 'seconds'],
    ['health-cmd', 'Command that tells whether the container is well', 'command'],
    ['health-interval', 'Time between checks', 'duration'],
    ['health-timeout', 'Longest time of a check', 'duration'],
    ['health-retries', 'Failures in a row that make it unhealthy', 'number'],
    ['health-start-period', 'Time to start in, when failures do not count', 'duration'],
    ['health-start-interval', 'Time between checks while it starts', 'duration'],
    ['log-driver', "Logging driver: 'json-file', 'local' or 'none'", 'name'],
    ['memory', 'Memory limit (64m, 1g)', 'bytes', 'm'],
    ['memory-swap', 'Memory and swap together (-1: no limit)', 'bytes'],
    ['memory-reservation', 'Memory soft limit', 'bytes'],
    ['memory-swappiness', 'Kept for inspect (0 to 100)', 'number'],
    ['cpus', 'CPU limit (0.5 is half of one)', 'number'],
    ['cpu-shares', 'CPU shares (relative weight)', 'number', 'c'],
    ['cpu-period', 'CPU period in microseconds', 'number'],
    ['cpu-quota', 'CPU quota in microseconds', 'number'],
    ['cpuset-cpus', 'CPUs to run on, kept for inspect (0-3, 0,1)', 'list'],
    ['cpuset-mems', 'Memory nodes, kept for inspect', 'list'],
    ['blkio-weight', 'Block I/O weight, kept for inspect', 'number'],
    ['pids-limit', 'Most processes at once (-1: no limit)', 'number'],
    ['shm-size', 'Size of /dev/shm', 'bytes'],
    ['oom-score-adj', 'Kept for inspect (-1000 to 1000)', 'number'],
    ['pid', 'PID namespace, kept for inspect', 'mode'],
    ['ipc', 'IPC namespace, kept for inspect', 'mode'],
    ['uts', 'UTS namespace, kept for inspect', 'mode'],
    ['userns', 'User namespace, kept for inspect', 'mode'],
    ['cgroupns', 'Cgroup namespace, kept for inspect', 'mode'],
    ['cgroup-parent', 'Kept for inspect', 'name'],
    ['runtime', 'Kept for inspect', 'name'],
  ]),
  ...flagsOf('boolean', [
    ['no-healthcheck', "Switch the image's health check off"],
    ['init', 'Reap processes whose parent ended (always so)'],
    ['read-only', "Mount the container's root file system read-only"],
    ['privileged', 'Accepted and kept; there are no privileges to give'],
    ['oom-kill-disable', 'Kept for inspect'],
  ]),
  ...flagsOf('list', [
    ['log-opt', 'Option of the logging driver (max-size=10m, max-file=3)', 'name=value'],
    ['ulimit', 'Limit: nofile=N', 'name=soft[:hard]'],
    ['cap-add', 'Kept for inspect: there are no capabilities to add', 'name'],
    ['cap-drop', 'Kept for inspect: there are no capabilities to drop', 'name'],
    ['security-opt', 'Kept for inspect', 'option'],
    ['group-add', 'Another group of the user', 'gid'],
    ['sysctl', 'Kept for inspect', 'name=value'],
    ['device', 'Refused: there are no devices', 'path'],
    ['gpus', 'Refused: there are no devices', 'request'],
    ['storage-opt', 'Most bytes in the writable layer', 'size=64m'],
  ]),
  ...flagsOf('string', [
    ['timeout', 'End the container after this long (10s, 1m); exit code 124', 'duration'],
    ['pull', "Pull the image: 'always', 'missing' (default) or 'never'", 'policy'],
    ['platform', 'Platform of the image to run', 'os/arch'],
    ['cidfile', 'Write the container id to this new file', 'path'],
    ['isolation', 'The same as --sandbox', 'kind'],
    ['sandbox', "What runs the program: 'process' (default), 'worker', 'inline' or 'wasmer'", 'kind'],
    [
      'unknown-imports',
      "Imports nobody granted: 'deny' refuses the module (default), 'trap' ends it when it calls one",
      'policy',
    ],
  ]),
  ...flagsOf('boolean', [
    ['quiet', 'No pull progress', '', 'q'],
    ['deterministic', 'Fixed clock and random numbers: equal runs give equal output'],
  ]),
];

/** What only `run` takes. */
export const RUN_FLAGS: readonly Flag[] = [
  ...flagsOf('boolean', [
    ['detach', 'Run in the background and print the id', '', 'd'],
    ['sig-proxy', 'Pass signals on to the program (default true)'],
  ]),
  ...flagsOf('string', [['detach-keys', 'Keys that leave the container (default ctrl-p,ctrl-q)', 'keys']]),
  ...CREATE_FLAGS,
];
