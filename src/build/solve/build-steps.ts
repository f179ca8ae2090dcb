/** The instructions a build goes through, for those who show them one by one. */
import type { Solver } from './solve.ts';
import { fromVertex, isStep, stepVertex } from './step-names.ts';

/** An instruction of a stage that is needed, FROM included; in the order of the file. */
export interface BuildStep {
  /** As written, without continuations: `FROM wctr/base AS build`. */
  readonly text: string;
  /** The instruction's word in small letters: `from`, `run`. */
  readonly kind: string;
  /** Digest of the vertex that does it. Absent: it only changes the config. */
  readonly vertex?: string;
}

/** The ARGs in front, and those of the stages that are needed, FROM included, in the order of the file. */
export function buildSteps(solver: Solver): readonly BuildStep[] {
  const inFront = solver.job.file.globalArgs.map(({ text, kind }): BuildStep => ({ text, kind }));
  const ofStages = solver.job.plan.needed.flatMap((planned): BuildStep[] => {
    const { from, instructions } = planned.stage;
    const hasVertex = planned.base.kind === 'image' || planned.base.kind === 'context';
    return [
      { text: from.text, kind: from.kind, ...(hasVertex ? { vertex: fromVertex(solver, planned) } : {}) },
      ...instructions.map((instruction) => ({
        ...{ text: instruction.text, kind: instruction.kind },
        ...(isStep(instruction) ? { vertex: stepVertex(solver, planned, instruction.span.start) } : {}),
      })),
    ];
  });
  return [...inFront, ...ofStages];
}
