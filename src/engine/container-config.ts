/** An image's config and a create request, merged as docker merges them. */
import type { ContainerConfig, ContainerCreateRequest, HealthConfig } from '../spec/engine-api.ts';
import type { ProcessConfig } from '../spec/image-spec.ts';

export function mergeConfig(id: string, image: ProcessConfig, request: ContainerCreateRequest): ContainerConfig {
  const command = mergeCommand(image, request);
  const health = mergeHealth(image.Healthcheck, request.Healthcheck);
  const ports = { ...image.ExposedPorts, ...keyed(request.ExposedPorts, protocolOf) };
  const volumes = { ...image.Volumes, ...request.Volumes };
  const stopSignal = request.StopSignal || image.StopSignal;
  const stopTimeout = request.StopTimeout ?? image.StopTimeout;
  const shell = request.Shell ?? image.Shell;
  return {
    Hostname: request.Hostname || id.slice(0, 12),
    Domainname: request.Domainname ?? '',
    User: request.User || image.User || '',
    AttachStdin: request.AttachStdin ?? false,
    AttachStdout: request.AttachStdout ?? false,
    AttachStderr: request.AttachStderr ?? false,
    ...(Object.keys(ports).length === 0 ? {} : { ExposedPorts: ports }),
    Tty: request.Tty ?? false,
    OpenStdin: request.OpenStdin ?? false,
    StdinOnce: request.StdinOnce ?? false,
    Env: mergeEnv(image.Env ?? [], request.Env ?? []),
    Cmd: command.Cmd,
    ...(health === undefined ? {} : { Healthcheck: health }),
    Image: request.Image,
    Volumes: Object.keys(volumes).length === 0 ? null : volumes,
    WorkingDir: request.WorkingDir || image.WorkingDir || '',
    Entrypoint: command.Entrypoint,
    OnBuild: null,
    Labels: { ...image.Labels, ...request.Labels },
    ...(stopSignal === undefined || stopSignal === '' ? {} : { StopSignal: stopSignal }),
    ...(stopTimeout === undefined ? {} : { StopTimeout: stopTimeout }),
    ...(shell === undefined || shell === null ? {} : { Shell: shell }),
  };
}

/** An entrypoint in the request drops the image's command; `[""]` is none at all. */
function mergeCommand(image: ProcessConfig, request: ContainerCreateRequest) {
  const given = typeof request.Cmd === 'string' ? [request.Cmd as string] : request.Cmd;
  const asked = typeof request.Entrypoint === 'string' ? [request.Entrypoint as string] : request.Entrypoint;
  const isReset = asked?.length === 1 && asked[0] === '';
  const hasEntrypoint = asked !== undefined && asked !== null && asked.length > 0;
  const cmd = !hasEntrypoint && (given ?? []).length === 0 ? image.Cmd : given;
  const entrypoint = isReset ? null : (asked ?? image.Entrypoint);
  return {
    Cmd: cmd === undefined || cmd === null || cmd.length === 0 ? null : cmd,
    Entrypoint: entrypoint === undefined || entrypoint === null ? null : entrypoint,
  };
}

/** The request's, then what the image adds to them. */
function mergeEnv(image: readonly string[], request: readonly string[]): string[] {
  const names = new Set(request.map(nameOf));
  return [...request, ...image.filter((entry) => !names.has(nameOf(entry)))];
}

function nameOf(entry: string): string {
  const equals = entry.indexOf('=');
  return equals < 0 ? entry : entry.slice(0, equals);
}

/** Each part the request leaves open is the image's. */
function mergeHealth(image: HealthConfig | undefined, request: HealthConfig | undefined): HealthConfig | undefined {
  if (request === undefined || request === null) return image;
  if (image === undefined) return request;
  const merged: Record<string, unknown> = { ...image };
  for (const [name, value] of Object.entries(request)) {
    const isOpen = value === 0 || value === undefined || value === null || (Array.isArray(value) && value.length === 0);
    if (!isOpen) merged[name] = value;
  }
  return merged as HealthConfig;
}

/** `80` means `80/tcp`. */
export function protocolOf(port: string): string {
  return port.includes('/') ? port : `${port}/tcp`;
}

function keyed<T>(map: Readonly<Record<string, T>> | null | undefined, key: (name: string) => string) {
  return Object.fromEntries(Object.entries(map ?? {}).map(([name, value]) => [key(name), value]));
}
