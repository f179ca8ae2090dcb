/** A container's network on the main thread of its process: networks, published ports, and its guests' sockets. */
import type { PortMap } from '../../spec/engine-api.ts';
import type { Counters } from './attachment.ts';
import { GuestLink } from './guest-link.ts';
import type { HostSockets } from './host-sockets.ts';
import { hostsOf } from './hosts.ts';
import { NetworkTransport } from './network-transport.ts';
import type { ContainerNetwork, NetworkPlan } from './port.ts';
import { PublishedPorts, parsePort } from './publish.ts';
import { type BoundPort, HostTransport } from './transport.ts';

/**
 * Joins the networks and opens the published ports. Throws 'conflict' when a port of the host is taken ("Bind for
 * 0.0.0.0:8080 failed: port is already allocated"), 'invalid-argument'.
 */
export async function openContainerNetwork(plan: NetworkPlan, sockets: HostSockets): Promise<ContainerNetwork> {
  if (plan.mode === 'host') return hostNetwork(plan, sockets);
  const transport = new NetworkTransport(plan, sockets, hostsOf(plan));
  const published = new PublishedPorts(sockets, transport);
  const links = new Set<GuestLink>();
  try {
    await transport.update(plan, hostsOf(plan));
    if (plan.mode === 'networks' && plan.joined !== true) await published.open(plan.publish);
  } catch (error) {
    await transport.close();
    throw error;
  }
  let listen = plan.listen;
  return {
    attach(wake) {
      const listeners = softListeners(transport, listen);
      const link = new GuestLink(transport, listeners, wake);
      links.add(link);
      return attached(link, () => links.delete(link));
    },
    get ports(): PortMap {
      return published.ports;
    },
    stats() {
      const stats: Record<string, Counters> = {};
      for (const { plan: network, counters } of transport.attachments) stats[network.name] = { ...counters };
      return stats;
    },
    async update(next) {
      listen = next.listen;
      await transport.update(next, hostsOf(next));
    },
    async close() {
      published.close();
      for (const link of links) link.detach();
      await transport.close();
    },
  };
}

function hostNetwork(plan: NetworkPlan, sockets: HostSockets): ContainerNetwork {
  const transport = new HostTransport(sockets, hostsOf(plan));
  const links = new Set<GuestLink>();
  return {
    attach(wake) {
      const link = new GuestLink(transport, [], wake);
      links.add(link);
      return attached(link, () => links.delete(link));
    },
    ports: {},
    stats: () => ({}),
    update: async () => {},
    async close() {
      for (const link of links) link.detach();
    },
  };
}

function attached(link: GuestLink, gone: () => void): ReturnType<ContainerNetwork['attach']> {
  return {
    setup: link.setup,
    transfer: [link.setup.port],
    detach() {
      gone();
      link.detach();
    },
  };
}

/** The first guest gets those nobody has; a program that was started beside it gets none. */
function softListeners(transport: NetworkTransport, listen: readonly string[]): BoundPort[] {
  const bound: BoundPort[] = [];
  const ports = new Set(listen.map(parsePort).flatMap(({ port, protocol }) => (protocol === 'tcp' ? [port] : [])));
  for (const port of [...ports].sort((a, b) => a - b)) {
    if (transport.isTaken(port)) continue;
    bound.push(transport.bindSoft(port, () => {}));
  }
  return bound;
}
