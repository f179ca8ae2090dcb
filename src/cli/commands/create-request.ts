/** The flags of `create` and `run` -> the create request docker's CLI sends for them. */
import { isHostPath } from '../../containers/mounts.ts';
import { WctrError } from '../../errors.ts';
import type { ContainerCreateRequest, HealthConfig, HostConfig, Ulimit } from '../../spec/engine-api.ts';
import type { Context } from '../command.ts';
import type { ParsedFlags } from '../flags.ts';
import { parseBytes, parseDuration, parseNanoseconds } from '../format/units.ts';
import { keyValues, readEnvironment, readLabels } from './environment.ts';
import { readMountFlags } from './mount-flags.ts';
import { readNetworkFlags } from './network-flags.ts';
import { readPorts } from './port-flags.ts';
import { integer, readRestartPolicy } from './resource-flags.ts';
import { positive, readUnknownImports } from './run-options.ts';

/** Throws `invalid-argument`, naming the flag. */
export async function createRequest(
  context: Context,
  args: readonly string[],
  flags: ParsedFlags,
): Promise<ContainerCreateRequest> {
  const [image, ...rest] = args as [string, ...string[]];
  const command = rest[0] === '--' ? rest.slice(1) : rest;
  const ports = readPorts(flags.list('publish'), flags.list('expose'));
  const mounts = readMountFlags(flags, context.host.resolvePath);
  const network = readNetworkFlags(flags);
  const env = await readEnvironment(context, flags);
  const health = readHealth(flags);
  const entrypoint = flags.string('entrypoint');
  const stopSignal = flags.string('stop-signal');
  const stopTimeout = flags.string('stop-timeout');
  const given = <T>(list: readonly T[]): readonly T[] | null => (list.length === 0 ? null : list);
  return {
    Hostname: flags.string('hostname') ?? '',
    Domainname: flags.string('domainname') ?? '',
    User: flags.string('user') ?? '',
    ...attachments(flags),
    ...(Object.keys(ports.exposed).length === 0 ? {} : { ExposedPorts: ports.exposed }),
    Tty: flags.bool('tty'),
    // On the wire null where nothing was set, as docker's.
    Env: given(env) as readonly string[],
    Cmd: given(command),
    ...(health === undefined ? {} : { Healthcheck: health }),
    Image: isHostPath(image) ? context.host.resolvePath(image) : image,
    Volumes: mounts.volumes,
    WorkingDir: flags.string('workdir') ?? '',
    Entrypoint: entrypoint === undefined ? null : [entrypoint],
    OnBuild: null,
    Labels: await readLabels(context, flags),
    ...(stopSignal === undefined ? {} : { StopSignal: stopSignal }),
    ...(stopTimeout === undefined ? {} : { StopTimeout: integer(stopTimeout, '--stop-timeout') }),
    HostConfig: hostConfig(context, flags, { ports, mounts, mode: network.mode }),
    NetworkingConfig: network.networking,
  };
}

function attachments(flags: ParsedFlags) {
  const detached = flags.bool('detach');
  const named = flags.list('attach').map((name) => name.toLowerCase());
  const unknown = named.find((name) => !/^std(in|out|err)$/.test(name));
  if (unknown !== undefined) {
    throw new WctrError('invalid-argument', `invalid argument "${unknown}" for --attach`, {
      hint: 'valid streams are STDIN, STDOUT and STDERR',
    });
  }
  if (detached && named.length > 0) throw conflict('-a and -d');
  const open = flags.bool('interactive');
  const wants = (name: string) => !detached && (named.includes(name) || named.length === 0);
  const stdin = !detached && (open || named.includes('stdin'));
  return {
    AttachStdin: stdin,
    AttachStdout: wants('stdout'),
    AttachStderr: wants('stderr'),
    OpenStdin: open,
    StdinOnce: open && stdin,
  };
}

interface Parsed {
  readonly ports: ReturnType<typeof readPorts>;
  readonly mounts: ReturnType<typeof readMountFlags>;
  readonly mode: string;
}

/** Members that mean nothing here have the value docker's CLI sends when they are not set. */
function hostConfig(context: Context, flags: ParsedFlags, { ports, mounts, mode }: Parsed): HostConfig {
  const refused = ['device', 'gpus'].find((name) => flags.has(name));
  if (refused !== undefined) {
    throw new WctrError('unsupported', `--${refused} is not supported: there are no devices in a container`);
  }
  const restart = readRestartPolicy(flags.string('restart') ?? 'no');
  if (flags.bool('rm') && restart.Name !== 'no') throw conflict('--restart and --rm');
  const text = (name: string) => flags.string(name) ?? '';
  const list = (name: string) => flags.list(name);
  const orNull = (name: string) => (list(name).length === 0 ? null : list(name));
  const bytes = (name: string) => (flags.has(name) ? parseBytes(text(name), `--${name}`) : 0);
  const number = (name: string, absent = 0) => (flags.has(name) ? integer(text(name), `--${name}`) : absent);
  const swap = text('memory-swap') === '-1' ? -1 : bytes('memory-swap');
  const annotations = annotationsOf(flags);
  const init = flags.bool('init') || text('init') === 'false';
  const isolation = flags.string('sandbox') ?? flags.string('isolation') ?? '';
  return {
    Binds: mounts.binds.length === 0 ? null : mounts.binds,
    ContainerIDFile: flags.has('cidfile') ? context.host.resolvePath(text('cidfile')) : '',
    LogConfig: { Type: text('log-driver'), Config: keyValues(list('log-opt')) },
    NetworkMode: mode,
    PortBindings: ports.bindings,
    RestartPolicy: restart,
    AutoRemove: flags.bool('rm'),
    VolumeDriver: text('volume-driver'),
    VolumesFrom: orNull('volumes-from'),
    ConsoleSize: consoleSize(context, flags),
    CapAdd: capabilities(list('cap-add')),
    CapDrop: capabilities(list('cap-drop')),
    CgroupnsMode: text('cgroupns'),
    Dns: list('dns'),
    DnsOptions: list('dns-option'),
    DnsSearch: list('dns-search'),
    ExtraHosts: list('add-host').length === 0 ? null : list('add-host').map(extraHost),
    GroupAdd: orNull('group-add'),
    IpcMode: text('ipc'),
    Cgroup: '',
    Links: list('link').length === 0 ? null : list('link').map(checkLink),
    OomScoreAdj: number('oom-score-adj'),
    PidMode: text('pid'),
    Privileged: flags.bool('privileged'),
    PublishAllPorts: flags.bool('publish-all'),
    ReadonlyRootfs: flags.bool('read-only'),
    SecurityOpt: orNull('security-opt'),
    ...(list('storage-opt').length === 0 ? {} : { StorageOpt: storageOptions(list('storage-opt')) }),
    ...(list('tmpfs').length === 0 ? {} : { Tmpfs: mounts.tmpfs }),
    UTSMode: text('uts'),
    UsernsMode: text('userns'),
    ShmSize: bytes('shm-size'),
    ...(list('sysctl').length === 0 ? {} : { Sysctls: keyValues(list('sysctl')) }),
    ...(flags.has('runtime') ? { Runtime: text('runtime') } : {}),
    Isolation: isolation,
    CpuShares: number('cpu-shares'),
    Memory: bytes('memory'),
    NanoCpus: flags.has('cpus') ? nanoCpus(text('cpus')) : 0,
    CgroupParent: text('cgroup-parent'),
    BlkioWeight: number('blkio-weight'),
    BlkioWeightDevice: [],
    BlkioDeviceReadBps: [],
    BlkioDeviceWriteBps: [],
    BlkioDeviceReadIOps: [],
    BlkioDeviceWriteIOps: [],
    CpuPeriod: number('cpu-period'),
    CpuQuota: number('cpu-quota'),
    CpuRealtimePeriod: 0,
    CpuRealtimeRuntime: 0,
    CpusetCpus: text('cpuset-cpus'),
    CpusetMems: text('cpuset-mems'),
    Devices: [],
    DeviceCgroupRules: null,
    DeviceRequests: null,
    MemoryReservation: bytes('memory-reservation'),
    MemorySwap: swap,
    MemorySwappiness: number('memory-swappiness', -1),
    OomKillDisable: flags.bool('oom-kill-disable'),
    PidsLimit: number('pids-limit'),
    Ulimits: list('ulimit').map(readUlimit),
    CpuCount: 0,
    CpuPercent: 0,
    IOMaximumIOps: 0,
    IOMaximumBandwidth: 0,
    ...(mounts.mounts.length === 0 ? {} : { Mounts: mounts.mounts }),
    ...(init ? { Init: flags.bool('init') } : {}),
    ...(Object.keys(annotations).length === 0 ? {} : { Annotations: annotations }),
    MaskedPaths: null,
    ReadonlyPaths: null,
  };
}

/** wctr's own flags travel as annotations, which every client and the daemon pass on. */
function annotationsOf(flags: ParsedFlags): Record<string, string> {
  const timeout = flags.string('timeout');
  const imports = flags.string('unknown-imports');
  return {
    ...keyValues(flags.list('annotation')),
    ...(timeout === undefined ? {} : { 'wctr.timeout': String(parseDuration(timeout, '--timeout')) }),
    ...(imports === undefined ? {} : { 'wctr.unknown-imports': readUnknownImports(imports) }),
    ...(flags.bool('deterministic') ? { 'wctr.deterministic': 'true' } : {}),
  };
}

/** [rows, columns] of the terminal a `run -t` starts on. */
function consoleSize({ terminal }: Context, flags: ParsedFlags): readonly [number, number] {
  const size = flags.bool('tty') && !flags.bool('detach') ? terminal.size() : undefined;
  return size === undefined ? [0, 0] : [size.height, size.width];
}

function readHealth(flags: ParsedFlags): HealthConfig | undefined {
  const duration = (name: string) => {
    const text = flags.string(name);
    const value = text === undefined ? 0 : parseNanoseconds(text, `--${name}`);
    return value === 0 ? undefined : value;
  };
  const retries = flags.string('health-retries');
  const command = flags.string('health-cmd');
  const health = {
    ...(command === undefined ? {} : { Test: ['CMD-SHELL', command] }),
    ...defined('Interval', duration('health-interval')),
    ...defined('Timeout', duration('health-timeout')),
    ...defined('StartPeriod', duration('health-start-period')),
    ...defined('StartInterval', duration('health-start-interval')),
    ...defined('Retries', retries === undefined ? undefined : natural(retries, '--health-retries')),
  };
  const isSet = Object.keys(health).length > 0;
  if (!flags.bool('no-healthcheck')) return isSet ? health : undefined;
  if (isSet) throw new WctrError('invalid-argument', '--no-healthcheck conflicts with --health-* options');
  return { Test: ['NONE'] };
}

function defined<K extends string, T>(key: K, value: T | undefined): { [P in K]?: T } {
  return (value === undefined ? {} : { [key]: value }) as { [P in K]?: T };
}

function natural(text: string, flag: string): number {
  const value = integer(text, flag);
  if (value < 0) throw new WctrError('invalid-argument', `${flag} cannot be negative`);
  return value;
}

function nanoCpus(text: string): number {
  return Math.round(positive(text, '--cpus') * 1e9);
}

function capabilities(names: readonly string[]): readonly string[] | null {
  if (names.length === 0) return null;
  const all = names
    .map((name) => name.toUpperCase())
    .map((name) => (/^(ALL|CAP_.*)$/.test(name) ? name : `CAP_${name}`));
  return [...new Set(all)].sort();
}

/** `host:ip` and `host=ip`, on the wire with a colon. */
function extraHost(text: string): string {
  const [, host, address] = /^([^=:]+)[=:](.+)$/.exec(text) ?? [];
  if (host === undefined) {
    throw new WctrError('invalid-argument', `bad format for --add-host: "${text}"`, { hint: 'write HOST:IP' });
  }
  return `${host}:${address!.replace(/^\[(.*)\]$/, '$1')}`;
}

function checkLink(text: string): string {
  if (text !== '' && text.split(':').length <= 2) return text;
  throw new WctrError('invalid-argument', `bad format for --link: "${text}"`, { hint: 'write CONTAINER[:ALIAS]' });
}

function storageOptions(options: readonly string[]): Record<string, string> {
  const odd = options.find((option) => !option.includes('='));
  if (odd === undefined) return keyValues(options);
  throw new WctrError('invalid-argument', `invalid storage option "${odd}"`, { hint: 'write size=64m' });
}

const ULIMITS =
  /^(as|core|cpu|data|fsize|locks|memlock|msgqueue|nice|nofile|nproc|rss|rtprio|rttime|sigpending|stack)$/;

function readUlimit(text: string): Ulimit {
  const [, name, soft, hard = soft] = /^(\w+)=(-?\d+)(?::(-?\d+))?$/.exec(text) ?? [];
  if (name === undefined || !ULIMITS.test(name)) {
    throw new WctrError('invalid-argument', `invalid ulimit argument: ${text}`, { hint: 'write nofile=1024[:2048]' });
  }
  const limit = { Name: name, Hard: Number(hard), Soft: Number(soft) };
  if (limit.Hard !== -1 && (limit.Soft === -1 || limit.Soft > limit.Hard)) {
    throw new WctrError('invalid-argument', `ulimit soft limit must be less than or equal to hard limit: ${text}`);
  }
  return limit;
}

function conflict(what: string): WctrError {
  return new WctrError('invalid-argument', `conflicting options: cannot specify both ${what}`);
}
