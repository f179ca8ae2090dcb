/** Checks that need no variables: names, casing, comments. */
import type { Dockerfile, FromInstruction, Instruction, StageInstruction } from '../ast.ts';
import type { ReadDockerfile } from '../parse.ts';
import type { SourceText } from '../source.ts';
import type { LintReport } from './report.ts';

const RESERVED = new Set(['context', 'scratch']);

export function checkText({ source, instructions }: ReadDockerfile, report: LintReport): void {
  for (const instruction of instructions) {
    if (instruction.hasEmptyContinuation) {
      // docker names the line the instruction ends in
      const line = lastOwnLine(source, instruction);
      report.addAt('NoEmptyContinuation', line, 'Empty continuation line', instruction.span);
    }
    if (instruction.kind === 'maintainer') {
      const message = 'Maintainer instruction is deprecated in favor of using label';
      report.add('MaintainerDeprecated', instruction, message);
    }
    if (instruction.kind === 'from') checkFrom(instruction, report);
    if (instruction.kind === 'arg') {
      const keys = instruction.args.map(({ key }) => key.text);
      checkDescription('ARG', instruction, keys, report);
    }
  }
}

/** Checks that compare stages and instructions with each other. */
export function checkTogether(file: Dockerfile, report: LintReport): void {
  checkStageNames(file, report);
  checkCasing(file, report);
}

/** Of the instruction itself, its here-documents not counted. */
function lastOwnLine(source: SourceText, instruction: Instruction): number {
  const first = instruction.kind === 'run' ? instruction.heredocs[0] : undefined;
  return first === undefined ? instruction.lastLine : source.position(first.span.start).line - 1;
}

function checkFrom(from: FromInstruction, report: LintReport): void {
  const { name, as, stageName } = from;
  if (stageName === undefined || as === undefined) return;
  const lower = stageName.text.toLowerCase();
  if (stageName.text !== lower) {
    report.add('StageNameCasing', from, `Stage name '${stageName.text}' should be lowercase`, stageName.span);
  }
  const wanted = name.text === name.text.toLowerCase() ? as.text.toLowerCase() : as.text.toUpperCase();
  if (isOneCase(name.text) && as.text !== wanted) {
    const message = `'${as.text}' and '${name.text}' keywords' casing do not match`;
    report.add('FromAsCasing', from, message, as.span);
  }
  checkDescription('FROM', from, [lower], report);
}

function checkDescription(what: string, instruction: Instruction, keys: readonly string[], report: LintReport): void {
  const comment = instruction.comments[instruction.comments.length - 1];
  if (comment === undefined || keys.includes(comment.split(' ', 1)[0] as string)) return;
  const example = keys.length > 1 ? '<arg_key>' : keys[0];
  const message = `Comment for ${what} should follow the format: \`# ${example} <description>\``;
  report.add('InvalidDefinitionDescription', instruction, message);
}

function checkStageNames({ stages }: Dockerfile, report: LintReport): void {
  const seen = new Set<string>();
  for (const { name, from } of stages) {
    if (name === undefined) continue;
    const span = from.stageName?.span ?? from.span;
    if (RESERVED.has(name)) {
      const message = `Stage name should not use the same name as reserved stage "${name}"`;
      report.addAt('ReservedStageName', from.firstLine, message, span);
    }
    if (seen.has(name)) {
      const message = `Duplicate stage name "${name}", stage names should be unique`;
      report.addAt('DuplicateStageName', from.firstLine, message, span);
    }
    seen.add(name);
  }
}

/** What most instructions do, all should; an instruction in mixed case is wrong either way. */
function checkCasing({ stages }: Dockerfile, report: LintReport): void {
  const all = stages.flatMap(({ from, instructions }): (FromInstruction | StageInstruction)[] => [
    from,
    ...instructions,
  ]);
  let lower = 0;
  let upper = 0;
  for (const { name } of all) {
    if (!isOneCase(name.text)) continue;
    if (name.text === name.text.toLowerCase()) lower += 1;
    else upper += 1;
  }
  const majority = lower > upper ? 'lowercase' : 'uppercase';
  for (const { name, firstLine } of all) {
    const { text } = name;
    if (text === (majority === 'lowercase' ? text.toLowerCase() : text.toUpperCase())) continue;
    const message = `Command '${text}' should match the case of the command majority (${majority})`;
    report.addAt('ConsistentInstructionCasing', firstLine, message, name.span);
  }
}

function isOneCase(text: string): boolean {
  return text === text.toLowerCase() || text === text.toUpperCase();
}
