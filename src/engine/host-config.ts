/** A request's HostConfig: what is wrong is refused, what can have no effect is warned of, the rest is kept as it came. */
import { sandboxLimits } from '../containers/limits.ts';
import { checkLogConfig } from '../containers/logs/driver.ts';
import { WctrError } from '../errors.ts';
import type { SandboxResources } from '../host/sandbox.ts';
import type { HostConfig, Resources, RestartPolicy } from '../spec/engine-api.ts';
import { protocolOf } from './container-config.ts';
import type { HostFacts } from './parts.ts';

const LEAST_MEMORY = 6 * 1024 * 1024;
const DEFAULT_SHM = 64 * 1024 * 1024;
const RESTART_POLICIES = ['no', 'always', 'unless-stopped', 'on-failure'];

/** Has no meaning without a Linux kernel below. */
const WITHOUT_EFFECT: readonly (readonly [name: string, what: string])[] = [
  ['Privileged', 'privileged mode'],
  ['Devices', 'devices'],
  ['DeviceRequests', 'device requests'],
  ['DeviceCgroupRules', 'device rules'],
  ['CapAdd', 'added capabilities'],
  ['Sysctls', 'sysctls'],
  ['CpusetCpus', 'the set of CPUs'],
  ['CpuShares', 'CPU shares'],
  ['BlkioWeight', 'block I/O weight'],
  ['OomKillDisable', 'disabling the OOM killer'],
];

export interface CheckedHostConfig {
  readonly hostConfig: HostConfig;
  readonly warnings: readonly string[];
}

/** Throws 'invalid-argument', 'unsupported'. */
export function checkHostConfig(given: HostConfig, facts: Pick<HostFacts, 'cpus'>): CheckedHostConfig {
  checkResources(given, facts);
  const restartPolicy = checkRestartPolicy(given.RestartPolicy);
  if (given.AutoRemove === true && restartPolicy.Name !== 'no') {
    throw invalid("can't create 'AutoRemove' container with restart policy");
  }
  const log = { Type: given.LogConfig?.Type || 'json-file', Config: given.LogConfig?.Config ?? {} };
  checkLogConfig(log);
  const isolation = given.Isolation || 'default';
  if (isolation !== 'default' && isolation !== 'process') {
    throw new WctrError('unsupported', `a container that is kept runs in a process, not with isolation ${isolation}`, {
      hint: 'use it with a foreground run --rm',
    });
  }
  return {
    hostConfig: {
      ...given,
      NetworkMode:
        given.NetworkMode === undefined || /^(default)?$/.test(given.NetworkMode) ? 'bridge' : given.NetworkMode,
      RestartPolicy: restartPolicy,
      AutoRemove: given.AutoRemove ?? false,
      LogConfig: log,
      ShmSize: given.ShmSize || DEFAULT_SHM,
      PortBindings: normalisePorts(given.PortBindings),
    },
    warnings: [
      ...WITHOUT_EFFECT.filter(([name]) => isSet(given[name])).map(
        ([, what]) => `A sandbox has no kernel of its own: ${what} will have no effect.`,
      ),
      ...(given.NetworkMode === 'host' && (isSet(given.PortBindings) || given.PublishAllPorts === true)
        ? ['Published ports are discarded when using host network mode']
        : []),
    ],
  };
}

/** Of `create` and `update`. */
export function checkResources(given: Resources, facts: Pick<HostFacts, 'cpus'>): void {
  if (given.Memory !== undefined && given.Memory !== 0 && given.Memory < LEAST_MEMORY) {
    throw invalid('Minimum memory limit allowed is 6MB');
  }
  const cpus = (given.NanoCpus ?? 0) / 1e9;
  if (cpus < 0 || cpus > facts.cpus) {
    throw invalid(`Range of CPUs is from 0.01 to ${facts.cpus}.00, as there are only ${facts.cpus} CPUs available`);
  }
}

export function checkRestartPolicy(given: RestartPolicy | undefined): RestartPolicy {
  const name = given?.Name || 'no';
  const count = given?.MaximumRetryCount ?? 0;
  if (!RESTART_POLICIES.includes(name)) throw invalid(`invalid restart policy: unknown policy '${name}'`);
  if (count < 0) throw invalid('invalid restart policy: maximum retry count cannot be negative');
  if (count > 0 && name !== 'on-failure') {
    throw invalid("invalid restart policy: maximum retry count can only be used with 'on-failure'");
  }
  return { Name: name, MaximumRetryCount: count };
}

/** What of it binds a sandbox. */
export function sandboxResources(config: HostConfig): SandboxResources {
  const nofile = config.Ulimits?.find(({ Name }) => Name === 'nofile')?.Soft ?? 0;
  const storage = config.StorageOpt?.size;
  const timeout = Number(config.Annotations?.['wctr.timeout'] ?? 0);
  return {
    ...sandboxLimits(config),
    ...(nofile > 0 ? { nofile } : {}),
    ...(storage === undefined ? {} : { storageBytes: sizeOf(storage) }),
    ...(timeout > 0 ? { timeoutMs: timeout } : {}),
  };
}

function sizeOf(text: string): number {
  const [, digits, unit = ''] = /^(\d+(?:\.\d+)?)\s*([kmgt]?)i?b?$/i.exec(text) ?? [];
  if (digits === undefined) throw invalid(`invalid size: '${text}'`, 'write a number with k, m or g: 64m');
  return Math.round(Number(digits) * 1024 ** ' kmgt'.indexOf(unit.toLowerCase() || ' '));
}

function normalisePorts(ports: HostConfig['PortBindings']): NonNullable<HostConfig['PortBindings']> {
  return Object.fromEntries(
    Object.entries(ports ?? {}).map(([port, bindings]) => [
      protocolOf(port),
      (bindings ?? []).map(({ HostIp = '', HostPort = '' }) => ({ HostIp, HostPort })),
    ]),
  );
}

function isSet(value: unknown): boolean {
  if (Array.isArray(value)) return value.length > 0;
  if (typeof value === 'object' && value !== null) return Object.keys(value).length > 0;
  return value !== undefined && value !== null && value !== false && value !== 0 && value !== '';
}

function invalid(message: string, hint?: string): WctrError {
  return new WctrError('invalid-argument', message, hint === undefined ? {} : { hint });
}
