/** `ps`: no lock, no image, and one read where nothing has changed since the last time. */
import type { ListedContainer } from '../containers/listing.ts';
import type { ContainerRecords } from '../containers/records.ts';
import { WctrError } from '../errors.ts';
import type { ContainerSummary, Filters } from '../spec/engine-api.ts';
import type { ContainerContext } from './container-context.ts';
import { currentRecord, isForgotten, isRunning } from './container-state.ts';
import { summarise } from './container-views.ts';
import { matchesLabels, readFilters } from './filters.ts';

export interface ListOptions {
  readonly all?: boolean;
  readonly limit?: number;
  readonly size?: boolean;
  readonly filters?: Filters;
}

const KEYS = [
  'id',
  'name',
  'label',
  'label!',
  'status',
  'exited',
  'ancestor',
  'before',
  'since',
  'volume',
  'network',
  'health',
  'publish',
  'expose',
  'is-task',
  'isolation',
] as const;

const STATUSES = ['created', 'running', 'paused', 'restarting', 'removing', 'exited', 'dead'];

/** Newest first. */
export async function listContainers(
  context: ContainerContext,
  options: ListOptions = {},
): Promise<ContainerSummary[]> {
  const { containers } = context.parts;
  const { current, unsettled } = await look(containers);
  if (unsettled.length > 0) context.background(putRight(context, unsettled));
  const lines = await linesOf(current, options);
  if (options.size !== true) return lines;
  const { containerSize } = await import('./container-size.ts');
  const sizeOf = async (id: string) => {
    const record = await containers.get(id);
    return record === undefined ? {} : containerSize(context, record);
  };
  return Promise.all(lines.map(async (line) => ({ ...line, ...(await sizeOf(line.Id)) })));
}

/** The same without an engine; undefined where it takes one: for sizes, and where a container has to be put right. */
export async function listSettled(
  containers: ContainerRecords,
  options: ListOptions = {},
): Promise<ContainerSummary[] | undefined> {
  if (options.size === true) return undefined;
  const { current, unsettled } = await look(containers);
  return unsettled.length > 0 ? undefined : linesOf(current, options);
}

async function look(containers: ContainerRecords) {
  const found = await containers.listed();
  const processes = containers.processes();
  const current = found.map((record) => currentRecord(record, processes));
  const unsettled = found.filter((record, i) => current[i] !== record || isForgotten(record));
  return { current: current.sort(byAge), unsettled };
}

async function linesOf(all: readonly ListedContainer[], options: ListOptions): Promise<ContainerSummary[]> {
  const wanted = await matcher(options.filters ?? {}, all);
  const limit = options.limit !== undefined && options.limit > 0 ? options.limit : undefined;
  const showsAll = options.all === true || limit !== undefined || wanted.asksForState;
  const shown = all.filter((record) => (showsAll || isRunning(record.state)) && wanted.matches(record));
  return shown.slice(0, limit).map((record) => summarise(record));
}

/** The list does not wait for it. */
async function putRight(context: ContainerContext, records: readonly ListedContainer[]): Promise<void> {
  const { reconcile } = await import('./reconcile.ts');
  for (const { key } of records) await reconcile(context, key).catch(() => {});
}

function byAge(a: ListedContainer, b: ListedContainer): number {
  return a.createdAt === b.createdAt ? (a.key < b.key ? -1 : 1) : a.createdAt < b.createdAt ? 1 : -1;
}

/** Throws 'invalid-argument' for an unknown key or status, 'no-such-container' for an unknown one in before and since. */
async function matcher(given: Filters, all: readonly ListedContainer[]) {
  const filters = readFilters(given, KEYS);
  const isFrom = filters.ancestor === undefined ? () => true : await imageMatcher();
  const wrong = filters.status?.find((status) => !STATUSES.includes(status));
  if (wrong !== undefined) throw new WctrError('invalid-argument', `invalid filter 'status=${wrong}'`);
  const before = filters.before?.map((name) => named(all, name));
  const since = filters.since?.map((name) => named(all, name));
  const some = (values: readonly string[] | undefined, test: (value: string) => boolean) =>
    values === undefined || values.some(test);
  const matches = (record: ListedContainer) => {
    const { state, config, hostConfig } = record;
    const health = state.health?.Status ?? 'none';
    return (
      some(filters.id, (id) => record.key.startsWith(id)) &&
      some(filters.name, (name) => hasName(record, name)) &&
      matchesLabels(config.Labels, filters) &&
      some(filters.status, (status) => state.status === status) &&
      some(filters.exited, (code) => state.status === 'exited' && String(state.exit?.exitCode ?? 0) === code) &&
      some(filters.ancestor, (image) => isFrom(record, image)) &&
      (before === undefined || before.some((other) => byAge(record, other) > 0 && record.key !== other.key)) &&
      (since === undefined || since.some((other) => byAge(record, other) < 0)) &&
      some(filters.volume, (volume) =>
        record.mounts.some((m) => m.Name === volume || m.Destination === volume || m.Source === volume),
      ) &&
      some(filters.network, (network) => isOn(record, network)) &&
      some(filters.health, (wanted) => wanted === health) &&
      some(filters.publish, (port) => hasPort(record.ports, port) || hasPort(hostConfig.PortBindings ?? {}, port)) &&
      some(filters.expose, (port) => hasPort(config.ExposedPorts ?? {}, port)) &&
      some(filters['is-task'], (value) => /^(false|0)$/i.test(value)) &&
      some(filters.isolation, (value) => value === record.isolation)
    );
  };
  return { matches, asksForState: filters.status !== undefined || filters.exited !== undefined };
}

function named(all: readonly ListedContainer[], name: string): ListedContainer {
  const found =
    all.find((record) => record.name === name.replace(/^\//, '')) ?? all.find(({ key }) => key.startsWith(name));
  if (found !== undefined) return found;
  throw new WctrError('no-such-container', `no such container: ${name}`, { data: { name } });
}

/** A regular expression over the name, with or without its slash, as docker has it. */
function hasName({ name }: ListedContainer, text: string): boolean {
  let pattern: RegExp;
  try {
    pattern = new RegExp(text);
  } catch {
    return name.includes(text);
  }
  return pattern.test(`/${name}`) || pattern.test(name);
}

/** Whether a container is of an image, by its name in any of its forms or by its id. */
async function imageMatcher(): Promise<(record: ListedContainer, text: string) => boolean> {
  const { canonicalName, parseReference } = await import('../images/reference.ts');
  return ({ image, imageId }, text) => {
    const hex = imageId.slice('sha256:'.length);
    if (/^(sha256:)?[0-9a-f]{4,64}$/.test(text) && hex.startsWith(text.replace(/^sha256:/, ''))) return true;
    if (image === text) return true;
    try {
      return canonicalName(parseReference(image)) === canonicalName(parseReference(text));
    } catch {
      return false;
    }
  };
}

function isOn({ networks, hostConfig }: ListedContainer, network: string): boolean {
  const isNamed = Object.entries(networks).some(
    ([name, { NetworkID = '' }]) => name === network || (NetworkID !== '' && NetworkID.startsWith(network)),
  );
  return isNamed || hostConfig.NetworkMode === network;
}

/** `80`, `80/tcp`, `80-90/udp`. */
function hasPort(ports: Readonly<Record<string, unknown>>, text: string): boolean {
  const [, low, high = low, protocol = 'tcp'] = /^(\d+)(?:-(\d+))?(?:\/(\w+))?$/.exec(text) ?? [];
  if (low === undefined) throw new WctrError('invalid-argument', `invalid port: ${text}`);
  return Object.keys(ports).some((key) => {
    const [port, type = 'tcp'] = key.split('/');
    return type === protocol && Number(port) >= Number(low) && Number(port) <= Number(high);
  });
}
