/** `create`: from an image and a request to a record; nothing runs yet. */
import { checkName } from '../containers/names.ts';
import { workingDirectory } from '../containers/process-config.ts';
import type { ContainerRecord } from '../containers/record.ts';
import { WctrError } from '../errors.ts';
import type { ContainerConfig, ContainerCreateRequest, ContainerCreateResponse } from '../spec/engine-api.ts';
import { mergeConfig } from './container-config.ts';
import type { ContainerContext } from './container-context.ts';
import { claimName, newId } from './container-names.ts';
import { now } from './container-state.ts';
import { checkHostConfig, sandboxResources } from './host-config.ts';
import type { Program } from './program.ts';

export interface CreateOptions {
  readonly name?: string;
  readonly platform?: string;
}

/** Throws 'no-such-image' (never pulls), 'conflict' (name), 'invalid-argument', 'unsupported'. */
export async function createContainer(
  context: ContainerContext,
  request: ContainerCreateRequest,
  options: CreateOptions = {},
): Promise<ContainerCreateResponse> {
  const { containers, host, events } = context.parts;
  const wanted = options.name === undefined || options.name === '' ? undefined : options.name.replace(/^\//, '');
  if (wanted !== undefined) checkName(wanted);
  const { hostConfig, warnings } = checkHostConfig(request.HostConfig ?? {}, host.facts());
  sandboxResources(hostConfig);
  const program = await context.programs.find({
    image: request.Image,
    pull: 'never',
    ...(options.platform === undefined || options.platform === '' ? {} : { platform: options.platform }),
    ...(request.Entrypoint === undefined || request.Entrypoint === null ? {} : { entrypoint: request.Entrypoint }),
    ...(request.Cmd === undefined || request.Cmd === null ? {} : { args: request.Cmd }),
  });
  const id = newId(host.randomBytes);
  const config = mergeConfig(id, program.config, request);
  workingDirectory({}, { hostname: '', ...(config.WorkingDir === '' ? {} : { workingDir: config.WorkingDir }) });
  const args = commandOf(program, config);
  const name = await claimName(containers, wanted, id);
  const started: { record?: ContainerRecord } = {};
  try {
    const annotations = hostConfig.Annotations ?? {};
    const draft: ContainerRecord = {
      key: id,
      name,
      createdAt: now(),
      image: request.Image,
      imageId: program.imageId,
      platform: program.platform,
      ...(program.manifest === undefined ? {} : { manifest: program.manifest }),
      diffIds: program.diffIds,
      config,
      hostConfig,
      args,
      ...moduleOf(program),
      unknownImports:
        (annotations['wctr.unknown-imports'] ?? program.labels['wctr.unknown-imports']) === 'trap' ? 'trap' : 'deny',
      deterministic: annotations['wctr.deterministic'] === 'true',
      mounts: [],
      networks: {},
      ports: {},
      isolation: 'process',
      managed: true,
      restartCount: 0,
      stoppedByUser: false,
      state: { status: 'created' },
    };
    const mounts = await context.mounts.resolve(draft, request);
    started.record = { ...draft, mounts };
    started.record = { ...started.record, ...(await context.networks.attach(started.record, request)) };
    await containers.put(started.record);
    await events.container(started.record, 'create');
    return { Id: id, Warnings: warnings };
  } catch (error) {
    if (started.record !== undefined) await context.mounts.release(started.record).catch(() => {});
    await containers.releaseName(name, id).catch(() => {});
    throw error;
  }
}

function commandOf(program: Program, config: ContainerConfig): readonly string[] {
  const args = [...program.argsPrefix, ...(config.Entrypoint ?? []), ...(config.Cmd ?? [])];
  if (args.length > 0) return args;
  throw new WctrError('invalid-argument', `no command specified: image ${config.Image} has no entrypoint`, {
    hint: `name a program of the image: wctr run ${config.Image} /path/to/app.wasm`,
  });
}

function moduleOf({ module }: Program): Pick<ContainerRecord, 'module'> {
  if (module?.module === undefined) return {};
  if (!('path' in module.module)) {
    throw new WctrError('unsupported', 'a container that is kept needs a store on disk');
  }
  const { path } = module.module;
  return { module: { path, ...(module.export === undefined ? {} : { export: module.export }) } };
}
