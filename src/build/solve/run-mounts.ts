/** The mounts of a RUN: where they come from, and what of them its result depends on. */
import { WctrError } from '../../errors.ts';
import { quote } from '../../images/quote.ts';
import { checksumSources } from '../cache/source-checksum.ts';
import { insidePath } from '../copy/sources.ts';
import type { MountFlag } from '../dockerfile/ast.ts';
import type { Mount } from '../dockerfile/mounts.ts';
import type { Origin } from '../dockerfile/stages.ts';
import { cleanPath } from '../ignore/clean-path.ts';
import type { RunMount } from '../run/executor.ts';
import type { FileTree } from '../tree/file-tree.ts';
import { resolvePath } from '../tree/resolve-path.ts';
import type { Solver, Source } from './solve.ts';
import type { KeyValue } from './step-key.ts';

export interface ResolvedMounts {
  readonly mounts: readonly RunMount[];
  /** Secrets that are to be variables. */
  readonly env: readonly string[];
}

/** A mount whose source is found; nothing of it is read yet. */
export interface PlannedMount {
  readonly mount: Mount;
  readonly target: string;
  readonly from: Source | undefined;
}

/** Takes the mounts of an instruction together with where they come from. `origins`: of those with a `from`, in order. */
export async function planMounts(
  solver: Solver,
  flags: readonly MountFlag[],
  origins: readonly Origin[],
  workingDir: string,
): Promise<readonly PlannedMount[]> {
  const left = [...origins];
  const planned: PlannedMount[] = [];
  for (const { mount } of flags) {
    if (mount === undefined) throw new WctrError('internal', 'a mount was left with its variables in it');
    if (mount.type === 'ssh') {
      throw new WctrError('unsupported', 'RUN --mount=type=ssh is not supported', {
        hint: 'mount the key that is needed by --mount=type=secret',
      });
    }
    const origin = mount.from === '' ? undefined : left.shift();
    const takesFiles = mount.type === 'bind' || (mount.type === 'cache' && mount.from !== '');
    const from = takesFiles ? await solver.source(origin) : undefined;
    planned.push({ mount, target: targetOf(mount, workingDir), from });
  }
  return planned;
}

function targetOf({ type, target, env, ...mount }: Mount, workingDir: string): string {
  if (type === 'secret' && target === '') return env === undefined ? `/run/secrets/${baseName(secretId(mount))}` : '';
  const path = cleanPath(target.startsWith('/') ? target : `${workingDir}/${target}`);
  if (target !== '' && path !== '/') return path;
  throw new WctrError('invalid-dockerfile', `invalid mount target ${quote(target)}`, {
    hint: 'write target=PATH; the root itself cannot be mounted upon',
  });
}

function secretId({ id, source, target = '' }: Pick<Mount, 'id' | 'source'> & { readonly target?: string }): string {
  return source || id || baseName(target);
}

function baseName(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

/** For the step's key. What a secret or a cache holds is no part of it, as with docker. */
export async function mountKeys(solver: Solver, planned: readonly PlannedMount[]): Promise<readonly KeyValue[]> {
  const { createHasher } = solver.session.parts;
  const keys: KeyValue[] = [];
  for (const { mount, target, from } of planned) {
    const { type, source, readOnly, sizeBytes, id, sharing, mode, uid, gid, env } = mount;
    const files =
      from === undefined
        ? null
        : (from.layers ?? [
            await checksumSources(from.tree, [source === '' ? '.' : source], {
              createHasher,
              literal: true,
              signal: solver.session.signal,
            }),
          ]);
    const about = { type, target, source, readOnly, sizeBytes, files };
    const more = { id, sharing: sharing ?? null, mode: mode ?? null, uid: uid ?? null, gid: gid ?? null };
    keys.push({ ...about, ...more, env: env ?? null });
  }
  return keys;
}

/** Throws `not-found` for a source or a required secret that is not there. */
export async function resolveMounts(solver: Solver, planned: readonly PlannedMount[]): Promise<ResolvedMounts> {
  const mounts: RunMount[] = [];
  const env: string[] = [];
  for (const { mount, target, from } of planned) {
    const { mode, uid = 0, gid = 0, readOnly } = mount;
    switch (mount.type) {
      case 'bind': {
        const { tree } = from as Source;
        mounts.push({ type: 'bind', target, tree, source: await sourceOf(tree, mount.source), readonly: readOnly });
        break;
      }
      case 'cache': {
        const initial =
          from === undefined ? {} : { initial: { tree: from.tree, source: await sourceOf(from.tree, mount.source) } };
        const { sharing = 'shared' } = mount;
        const about = { id: mount.id || target, sharing, readonly: readOnly, mode: mode ?? 0o755, uid, gid };
        mounts.push({ type: 'cache', target, ...about, ...initial });
        break;
      }
      case 'tmpfs':
        mounts.push({ type: 'tmpfs', target, ...(mount.sizeBytes === 0 ? {} : { sizeBytes: mount.sizeBytes }) });
        break;
      case 'secret': {
        const id = secretId(mount);
        const data = await solver.job.secret(id);
        if (data === undefined) {
          if (!mount.required) break;
          throw new WctrError('not-found', `secret ${quote(id)}: not found`, {
            hint: `give it: --secret id=${id},src=FILE`,
          });
        }
        if (mount.env !== undefined) env.push(`${mount.env}=${new TextDecoder().decode(data)}`);
        if (target !== '') mounts.push({ type: 'secret', target, data, mode: mode ?? 0o400, uid, gid });
        break;
      }
    }
  }
  return { mounts, env };
}

async function sourceOf(tree: FileTree, source: string): Promise<string> {
  const path = await resolvePath(tree, insidePath(source));
  if ((await tree.lstat(path)) !== undefined) return path;
  throw new WctrError('not-found', `${quote(`/${insidePath(source)}`)}: not found in ${tree.what}`, {
    hint: 'source= is relative to the context, or to what from= names',
  });
}
