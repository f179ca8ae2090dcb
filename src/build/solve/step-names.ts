/** What steps are called: `[build 2/5] RUN make`, and the digests that name them to a client. */
import { formatPlatform } from '../../images/platform.ts';
import type { StageInstruction } from '../dockerfile/ast.ts';
import { nameOf, type PlannedStage } from '../dockerfile/stages.ts';
import type { Solver } from './solve.ts';

type Named = { readonly session: Pick<Solver['session'], 'progress'>; readonly job: Pick<Solver['job'], 'platform'> };

/** The instruction is a step of its own; the others only change the config. */
export function isStep({ kind }: StageInstruction): boolean {
  return kind === 'run' || kind === 'copy' || kind === 'add' || kind === 'workdir';
}

/** `id` tells it from the others of its stage. */
export function stepVertex({ session, job }: Named, { stage }: PlannedStage, id: string | number): string {
  return session.progress.digest('step', formatPlatform(job.platform), stage.index, id);
}

export function fromVertex({ session, job }: Named, { stage }: PlannedStage): string {
  return session.progress.digest('from', formatPlatform(job.platform), stage.index);
}

/** A stage without a name has none here where it is the only one. */
export function vertexName(
  { job: { file, platform, isOneOfSeveral } }: Solver,
  planned: PlannedStage,
  number: number,
  count: number,
  text: string,
): string {
  const stage = planned.stage.name ?? (file.stages.length > 1 ? nameOf(planned) : undefined);
  const where = [...(isOneOfSeveral ? [formatPlatform(platform)] : []), ...(stage === undefined ? [] : [stage])];
  const word = /^[a-z]+/i.exec(text)?.[0] ?? '';
  return `[${[...where, `${number}/${count}`].join(' ')}] ${word.toUpperCase()}${text.slice(word.length)}`;
}
