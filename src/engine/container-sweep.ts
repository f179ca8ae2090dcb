/** What kill -9 at a bad moment leaves in a store that no record speaks of any more. */
import type { ContainerRecord } from '../containers/record.ts';
import { parseAddress } from '../host/network/address.ts';
import type { ContainerContext } from './container-context.ts';

const SOCKET = /^([0-9a-f]{32})\.sock$/;

/** The sockets of a container whose process was killed: its addresses are still its own. Never rejects. */
export async function removeSockets(context: ContainerContext, record: ContainerRecord): Promise<void> {
  const { fs } = context.parts;
  const remove = (path: string) => fs.rm(path, { force: true }).catch(() => {});
  await remove(context.socket(record.key));
  for (const { NetworkID, IPAddress, GlobalIPv6Address } of Object.values(record.networks)) {
    const directory = `${context.host.runDirectory()}/net/${(NetworkID ?? '').slice(0, 10)}`;
    const names = await fs.readdir(directory).catch(() => []);
    for (const text of [IPAddress, GlobalIPv6Address]) {
      const address = parseAddress(text ?? '');
      if (address === undefined) continue;
      const hex = [...address].map((byte) => byte.toString(16).padStart(2, '0')).join('');
      for (const name of names) if (name.replace(/^n/, '').startsWith(hex)) await remove(`${directory}/${name}`);
    }
  }
}

/** Safe at any time, also while others create, start and remove. Never rejects. */
export async function sweepLeftovers(context: ContainerContext): Promise<void> {
  const { containers, locks } = context.parts;
  await containers.sweep().catch(() => {});
  await sweepSockets(context).catch(() => {});
  await sweepRuns(context).catch(() => {});
  await locks.sweep?.().catch(() => {});
}

/** What RUNs of killed builders had. */
export async function sweepRuns(context: ContainerContext): Promise<void> {
  if (context.parts.host.processes === undefined) return;
  const { RunPlaces } = await import('./run-places.ts');
  await new RunPlaces(context).sweep();
}

async function sweepSockets({ parts }: ContainerContext): Promise<void> {
  const { fs, host, containers } = parts;
  if (host.processes === undefined) return;
  const directory = host.processes.runDirectory();
  const names = await fs.readdir(directory).catch(() => []);
  // Read before the records: a socket is made after its record.
  const sockets = names.filter((name) => SOCKET.test(name));
  if (sockets.length === 0) return;
  const known = new Set((await containers.list({ verify: false })).map(({ key }) => key.slice(0, 32)));
  for (const name of sockets) {
    if (!known.has(SOCKET.exec(name)![1]!)) await fs.rm(`${directory}/${name}`, { force: true });
  }
}
