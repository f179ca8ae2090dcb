import { isHostPath } from '../../containers/mounts.ts';
import type { ParsedFlags } from '../flags.ts';

/** Flags that say the same of a container that is this very process. */
const DIRECT = new Set([
  'rm',
  'interactive',
  'env',
  'env-file',
  'label',
  'label-file',
  'volume',
  'mount',
  'tmpfs',
  'workdir',
  'user',
  'entrypoint',
  'hostname',
  'read-only',
  'memory',
  'cpus',
  'pids-limit',
  'ulimit',
  'storage-opt',
  'timeout',
  'pull',
  'platform',
  'quiet',
  'cidfile',
  'sandbox',
  'isolation',
  'unknown-imports',
  'deterministic',
  'init',
  'sig-proxy',
  'network',
  // Switched off they say nothing.
  'detach',
  'tty',
  'publish-all',
  'privileged',
]);

/**
 * Whether `run` makes this process the container's: in the foreground, removed at its end, with nothing that another
 * process could reach it by. It starts several times faster than one with a process of its own, which has a log, a
 * control socket, networks and a writable layer on disk, and outlives the terminal.
 */
export function runsDirectly(flags: ParsedFlags): boolean {
  if (!flags.bool('rm')) return false;
  if (flags.names().some((name) => !DIRECT.has(name))) return false;
  if (flags.bool('detach') || flags.bool('tty') || flags.bool('publish-all') || flags.bool('privileged')) return false;
  if (flags.string('sig-proxy') === 'false') return false;
  if (flags.list('network').some((network) => network !== 'none' && network !== 'default')) return false;
  if (flags.list('volume').some((volume) => !isHostPath(volume) || !volume.includes(':'))) return false;
  return flags.list('mount').every((mount) => /(^|,)\s*type=(bind|tmpfs)\s*(,|$)/.test(mount));
}
