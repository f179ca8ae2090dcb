import { VERSION } from '../../version.ts';
import type { Command } from '../command.ts';
import { renderSections, type Section } from '../format/sections.ts';
import { compileTemplate } from '../format/template.ts';
import { binarySize } from '../format/units.ts';

export const command: Command = {
  usage: '',
  args: [0, 0],
  flags: [{ name: 'format', short: 'f', type: 'string', value: 'template', description: "Go template or 'json'" }],
  examples: ['wctr info', "wctr info -f '{{.DockerRootDir}}'"],
  async run({ terminal, engine }, _args, flags) {
    const format = flags.string('format');
    // What this program is can be said without the daemon it is to ask.
    if (format === undefined) terminal.out(`${renderSections([['Client: wctr', { Version: VERSION }]])}\n`);
    const info = await (await engine()).system.info();
    if (format !== undefined) terminal.out(`${compileTemplate(format)(info)}\n`);
    else terminal.out(renderSections([['Server:', serverOf(info)]]));
    return 0;
  },
};

/** docker's lines in docker's order; what does not apply here is left out, the last few are wctr's own. */
function serverOf(info: Readonly<Record<string, unknown>>): Section {
  const named = (value: unknown) => (value ?? {}) as Readonly<Record<string, unknown>>;
  const words = (value: unknown) => (Array.isArray(value) ? value.join(' ') : '');
  const drivers = (info.DriverStatus ?? []) as readonly (readonly [string, string])[];
  const plugins = named(info.Plugins);
  const mirrors = (named(info.RegistryConfig).Mirrors ?? []) as readonly string[];
  const insecure = (named(info.RegistryConfig).InsecureRegistryCIDRs ?? []) as readonly string[];
  const warnings = (info.Warnings ?? []) as readonly string[];
  return {
    Containers: {
      '': info.Containers,
      Running: info.ContainersRunning,
      Paused: info.ContainersPaused,
      Stopped: info.ContainersStopped,
    },
    Images: info.Images,
    'Server Version': info.ServerVersion,
    'Storage Driver': { '': info.Driver, ...Object.fromEntries(drivers) },
    'Logging Driver': info.LoggingDriver,
    Plugins: { Volume: words(plugins.Volume), Network: words(plugins.Network), Log: words(plugins.Log) },
    Swarm: named(info.Swarm).LocalNodeState,
    Runtimes: Object.keys(named(info.Runtimes)).join(' '),
    'Default Runtime': info.DefaultRuntime,
    'Security Options': info.SecurityOptions,
    'Kernel Version': info.KernelVersion,
    'Operating System': info.OperatingSystem,
    OSType: info.OSType,
    Architecture: info.Architecture,
    CPUs: info.NCPU,
    'Total Memory': binarySize(Number(info.MemTotal)),
    Name: info.Name,
    ID: info.ID,
    'Docker Root Dir': info.DockerRootDir,
    'Debug Mode': info.Debug,
    Experimental: info.ExperimentalBuild,
    'Insecure Registries': insecure,
    ...(mirrors.length === 0 ? {} : { 'Registry Mirrors': mirrors }),
    'Live Restore Enabled': info.LiveRestoreEnabled,
    ...(Array.isArray(info.Platforms) ? { Platforms: info.Platforms.join(' ') } : {}),
    ...(info.DefaultIsolation === undefined ? {} : { 'Default Isolation': info.DefaultIsolation }),
    ...(warnings.length === 0 ? {} : { Warnings: warnings }),
  };
}
