/** A container as `ps` and `system df -v` show it, with docker's field names for `--format`. */
import type { ContainerSummary } from '../../spec/engine-api.ts';
import { displayPorts } from '../format/ports.ts';
import type { Row, RowFormat } from '../format/rows.ts';
import { localTime } from '../format/time.ts';
import { humanAge, humanSize, printableLine } from '../format/units.ts';

export const CONTAINER_FORMAT: RowFormat = {
  columns: ['ID', 'Image', 'Command', 'RunningFor', 'Status', 'Ports', 'Names'],
  heads: {
    ID: 'CONTAINER ID',
    Names: 'NAMES',
    Image: 'IMAGE',
    Command: 'COMMAND',
    CreatedAt: 'CREATED AT',
    RunningFor: 'CREATED',
    Ports: 'PORTS',
    State: 'STATE',
    Status: 'STATUS',
    Size: 'SIZE',
    Labels: 'LABELS',
    Mounts: 'MOUNTS',
    LocalVolumes: 'LOCAL VOLUMES',
    Networks: 'NETWORKS',
    Label: (name: unknown) => String(name).split('.').at(-1)!.replace(/[-_]/g, ' '),
  },
};

const COMMAND_WIDTH = 20;

export function containerRow(container: ContainerSummary, whole: boolean, nowMs: number): Row {
  const { Labels: labels = {}, Mounts: mounts = [] } = container;
  const names = (container.Names ?? []).map((name) => name.replace(/^\//, ''));
  return {
    ID: whole ? container.Id : container.Id.slice(0, 12),
    // Other names are links, `other/alias`.
    Names: printableLine((whole ? names : names.filter((name) => !name.includes('/'))).join(',')),
    Image: printableLine(imageName(container, whole)),
    Command: `"${shorten(printableLine(container.Command), whole ? undefined : COMMAND_WIDTH)}"`,
    RunningFor: humanAge(container.Created * 1000, nowMs),
    Ports: displayPorts(container.Ports ?? []),
    State: container.State,
    Status: printableLine(container.Status),
    // The rest is asked for by few, and there may be many rows.
    get CreatedAt() {
      return localTime(container.Created * 1000);
    },
    get Size() {
      return sizeText(container);
    },
    get Labels() {
      const pairs = Object.entries(labels).map(([name, value]) => `${name}=${value}`);
      return printableLine(pairs.join(','));
    },
    get Mounts() {
      const sources = mounts.map(({ Name: name, Source: source }) => shorten(name || source, whole ? undefined : 15));
      return printableLine(sources.join(','));
    },
    get LocalVolumes() {
      return String(mounts.filter(({ Driver: driver }) => driver === 'local').length);
    },
    get Networks() {
      return printableLine(Object.keys(container.NetworkSettings?.Networks ?? {}).join(','));
    },
    Label: (name: unknown) => printableLine(labels[String(name)] ?? ''),
  };
}

function imageName({ Image: image, ImageID: id }: ContainerSummary, whole: boolean): string {
  if (image === '') return '<no image>';
  if (whole) return image;
  const digest = id.replace(/^sha256:/, '');
  // A container of an image that lost its name shows the image's id.
  return digest !== '' && digest.startsWith(image.replace(/^sha256:/, ''))
    ? digest.slice(0, 12)
    : image.replace(/@sha256:.*$/, '');
}

function sizeText({ SizeRw: written, SizeRootFs: all }: ContainerSummary): string {
  const own = humanSize(written ?? 0);
  return all === undefined || all === 0 ? own : `${own} (virtual ${humanSize(all)})`;
}

function shorten(text: string, width: number | undefined): string {
  return width === undefined || text.length <= width ? text : `${text.slice(0, width - 1)}…`;
}
