import { WctrError } from '../../errors.ts';
import type { PortBinding } from '../../spec/engine-api.ts';
import type { Command } from '../command.ts';

export const command: Command = {
  usage: 'CONTAINER [PORT[/PROTOCOL]]',
  args: [1, 2],
  flags: [],
  examples: ['wctr port web', 'wctr port web 80/tcp'],
  async run({ terminal, engine }, [name, wanted]) {
    const { NetworkSettings } = await (await engine()).containers.inspect(name!);
    const ports = NetworkSettings.Ports ?? {};
    if (wanted !== undefined) {
      const [port, protocol = 'tcp'] = wanted.split('/');
      if (!/^\d+$/.test(port!)) throw new WctrError('invalid-argument', `invalid port "${wanted}"`);
      const bindings = ports[`${port}/${protocol}`];
      if (bindings === undefined || bindings === null || bindings.length === 0) {
        throw new WctrError('not-found', `no public port '${port}/${protocol}' published for ${name}`);
      }
      terminal.out(bindings.map((binding) => `${where(binding)}\n`).join(''));
      return 0;
    }
    const lines = Object.entries(ports).flatMap(([port, bindings]) =>
      (bindings ?? []).map((binding) => ({ port, text: `${port} -> ${where(binding)}\n` })),
    );
    lines.sort((a, b) => Number.parseInt(a.port, 10) - Number.parseInt(b.port, 10) || (a.text < b.text ? -1 : 1));
    terminal.out(lines.map(({ text }) => text).join(''));
    return 0;
  },
};

function where({ HostIp: ip, HostPort: port }: PortBinding): string {
  return `${ip.includes(':') ? `[${ip}]` : ip}:${port}`;
}
