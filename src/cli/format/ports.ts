import type { PortSummary } from '../../spec/engine-api.ts';

/** `0.0.0.0:8000-8001->80-81/tcp, 90/udp`: ports next to each other are one range, as docker shows them. */
export function displayPorts(ports: readonly PortSummary[]): string {
  const sorted = [...ports].sort(
    (a, b) =>
      a.PrivatePort - b.PrivatePort ||
      compare(a.IP ?? '', b.IP ?? '') ||
      (a.PublicPort ?? 0) - (b.PublicPort ?? 0) ||
      compare(a.Type, b.Type),
  );
  const groups = new Map<string, Range>();
  const single: string[] = [];
  const ranges: string[] = [];
  for (const port of sorted) {
    const { PrivatePort: inside, PublicPort: outside, Type: type, IP: ip } = port;
    if (outside !== undefined && outside !== inside) {
      single.push(`${address(ip)}:${outside}->${inside}/${type}`);
      continue;
    }
    const key = outside === undefined ? type : `${ip ?? ''}/${type}`;
    const group = groups.get(key);
    if (group !== undefined && inside === group.last + 1) {
      group.last = inside;
      continue;
    }
    if (group !== undefined) ranges.push(rangeText(group));
    groups.set(key, { first: inside, last: inside, type, ...(outside === undefined ? {} : { ip: ip ?? '' }) });
  }
  return [...ranges, ...[...groups.values()].map(rangeText), ...single].join(', ');
}

interface Range {
  readonly first: number;
  last: number;
  readonly type: string;
  /** Of published ports. */
  readonly ip?: string;
}

function rangeText({ first, last, type, ip }: Range): string {
  const range = first === last ? `${first}` : `${first}-${last}`;
  return ip === undefined ? `${range}/${type}` : `${address(ip)}:${range}->${range}/${type}`;
}

function address(ip = ''): string {
  return ip.includes(':') ? `[${ip}]` : ip;
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
