/** Creates a container for `create` and `run`, with its image pulled where that is asked for. */
import { isHostPath } from '../../containers/mounts.ts';
import type { Engine } from '../../engine/engine.ts';
import { isWctrError, WctrError } from '../../errors.ts';
import type { ContainerCreateRequest } from '../../spec/engine-api.ts';
import type { Context } from '../command.ts';
import type { ParsedFlags } from '../flags.ts';
import { printable } from '../format/units.ts';
import { createProgress, lazyProgress, NO_PROGRESS } from '../progress.ts';
import { readPullPolicy } from './run-options.ts';

/** Returns the id; warnings go to standard error. `again`: the image is here, and the container ID file this command's. */
export async function createContainer(
  context: Context,
  request: ContainerCreateRequest,
  flags: ParsedFlags,
  again = false,
): Promise<string> {
  const { terminal, host } = context;
  const policy = again ? 'missing' : readPullPolicy(flags.string('pull'));
  const cidfile = flags.string('cidfile');
  if (!again && cidfile !== undefined && (await host.kind(cidfile)) !== undefined) {
    throw new WctrError('conflict', `container ID file found: ${cidfile}`, {
      hint: "make sure the other container isn't running, or delete the file",
    });
  }
  const engine = await context.engine();
  const [name, platform] = [flags.string('name'), flags.string('platform')];
  const create = () =>
    engine.containers.create(request, {
      ...(name === undefined ? {} : { name }),
      ...(platform === undefined ? {} : { platform }),
    });
  const isImage = !isHostPath(request.Image);
  if (policy === 'always' && isImage) await pullImage(context, engine, request.Image, flags);
  const created = await create().catch(async (error: unknown) => {
    if (!isWctrError(error, 'no-such-image') || policy !== 'missing' || !isImage) throw error;
    terminal.err(`Unable to find image '${printable(request.Image)}' locally\n`);
    try {
      await pullImage(context, engine, request.Image, flags);
    } catch (failure) {
      throw withNearNames(failure, error.data.candidates);
    }
    return create();
  });
  if (cidfile !== undefined) await host.writeFile(cidfile, new TextEncoder().encode(created.Id), { exclusive: !again });
  for (const warning of created.Warnings ?? []) terminal.err(`WARNING: ${printable(warning)}\n`);
  return created.Id;
}

async function pullImage(context: Context, engine: Engine, reference: string, flags: ParsedFlags): Promise<void> {
  const platform = flags.string('platform');
  const progress = flags.bool('quiet') ? NO_PROGRESS : lazyProgress(() => createProgress(context.terminal));
  try {
    await engine.images.pull(reference, {
      signal: context.signal,
      onEvent: (event) => progress.show(event),
      ...(platform === undefined ? {} : { platform }),
    });
  } finally {
    progress.end();
  }
}

/** For who mistyped a name: images that are here with almost this one. */
function withNearNames(failure: unknown, candidates: unknown): unknown {
  if (!isWctrError(failure) || failure.code === 'cancelled') return failure;
  if (!Array.isArray(candidates) || candidates.length === 0) return failure;
  const hint = `did you mean ${candidates.join(' or ')}?`;
  return new WctrError(failure.code, failure.message, { cause: failure, hint, data: failure.data });
}
