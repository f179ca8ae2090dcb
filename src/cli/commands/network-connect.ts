import type { EndpointSettings } from '../../spec/engine-api.ts';
import type { Command } from '../command.ts';

export const command: Command = {
  usage: 'NETWORK CONTAINER',
  args: [2, 2],
  flags: [
    { name: 'alias', type: 'list', value: 'name', description: 'Another name for the container on this network' },
    { name: 'driver-opt', type: 'list', value: 'key=value', description: 'An option for the driver; kept' },
    { name: 'ip', type: 'string', value: 'ip', description: 'Its address, as 172.30.100.104' },
    { name: 'link', type: 'list', value: 'container:alias', description: 'A name for another container' },
  ],
  examples: ['wctr network connect backend web', 'wctr network connect --alias db --ip 10.1.0.10 backend postgres'],
  async run({ engine }, [network, container], flags) {
    const { networks } = await engine();
    const ip = flags.string('ip');
    const options = flags.list('driver-opt').map((text) => text.split('=', 2) as [string, string]);
    const settings: EndpointSettings = {
      ...(ip === undefined ? {} : { IPAMConfig: { IPv4Address: ip } }),
      ...(flags.has('alias') ? { Aliases: flags.list('alias') } : {}),
      ...(flags.has('link') ? { Links: flags.list('link') } : {}),
      ...(options.length === 0 ? {} : { DriverOpts: Object.fromEntries(options) }),
    };
    await networks.connect(network!, container!, settings);
    return 0;
  },
};
