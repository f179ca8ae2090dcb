/** Checks that follow a stage's instructions with the variables they set. */
import { cleanPath } from '../../ignore/clean-path.ts';
import type { AddInstruction, CopyInstruction, Dockerfile, StageInstruction } from '../ast.ts';
import { expandInstruction } from '../expand.ts';
import { exposedPorts } from '../expose.ts';
import type { PlannedStage } from '../stages.ts';
import type { StageVariables } from '../variables.ts';
import type { LintReport } from './report.ts';
import { suggestion } from './suggest.ts';

/** What .dockerignore leaves out, as far as a check needs it. */
export interface IgnoredPaths {
  /** There are `!` patterns: then no check is made. */
  readonly hasExceptions: boolean;
  ignores(path: string): boolean;
  /** Everything in the context's root is left out. */
  readonly ignoresRoot: boolean;
}

export interface StageState {
  readonly variables: StageVariables;
  /** False where the base image's environment is not known: then no variable is called undefined. */
  readonly isEnvKnown: boolean;
  hasShell: boolean;
  hasWorkdir: boolean;
}

const SECRET = /(?:_|^)(?:apikey|auth|credentials?|key|password|pword|passwd|secret|token)(?:_|$)/i;
const NO_SECRET = /(?:_|^)(?:public|file|version)(?:_|$)/i;
const ONLY_ONCE = new Set(['cmd', 'entrypoint', 'healthcheck']);

export class StageChecks {
  readonly #file: Dockerfile;
  readonly #report: LintReport;
  readonly #ignored: IgnoredPaths | undefined;

  constructor(file: Dockerfile, report: LintReport, ignored: IgnoredPaths | undefined) {
    this.#file = file;
    this.#report = report;
    this.#ignored = ignored;
  }

  /** Throws `invalid-dockerfile` where an instruction cannot be expanded. */
  check({ stage }: PlannedStage, state: StageState): void {
    const seen = new Map<string, StageInstruction>();
    for (const written of stage.instructions) {
      const instruction = this.#expanded(written, state);
      if (ONLY_ONCE.has(written.kind)) this.#checkOnce(written, seen);
      this.#checkOne(instruction, state);
    }
  }

  #expanded(written: StageInstruction, state: StageState): StageInstruction {
    if (written.kind === 'arg') {
      for (const { key } of written.args) this.#checkSecret('ARG', key.text, written);
      const before = new Set(state.variables.declared.map(({ key }) => key));
      const names = state.variables.names();
      const { unset } = state.variables.declare(written, this.#file);
      this.#checkUnset(unset, written, state, before, names);
      return written;
    }
    const { instruction, unset } = expandInstruction(written, state.variables, this.#file);
    this.#checkUnset(unset, written, state, new Set(state.variables.declared.map(({ key }) => key)));
    return instruction;
  }

  #checkUnset(
    unset: readonly string[],
    written: StageInstruction,
    { variables, isEnvKnown }: StageState,
    declared: ReadonlySet<string>,
    names: readonly string[] = variables.names(),
  ): void {
    if (!isEnvKnown) return;
    for (const name of unset) {
      if (declared.has(name)) continue;
      const near = suggestion(name, names);
      const hint = near === undefined ? '' : ` (did you mean $${near}?)`;
      this.#report.add('UndefinedVar', written, `Usage of undefined variable '$${name}'${hint}`);
    }
  }

  #checkOnce(instruction: StageInstruction, seen: Map<string, StageInstruction>): void {
    const earlier = seen.get(instruction.kind);
    seen.set(instruction.kind, instruction);
    if (earlier === undefined) return;
    const message = `Multiple ${instruction.name.text} instructions should not be used in the same stage because only the last one will be used`;
    this.#report.add('MultipleInstructionsDisallowed', earlier, message);
  }

  #checkOne(instruction: StageInstruction, state: StageState): void {
    const name = instruction.name.text;
    switch (instruction.kind) {
      case 'env':
      case 'label':
        for (const { key, value, isLegacy } of instruction.pairs) {
          if (isLegacy) {
            const message = `"${name} key=value" should be used instead of legacy "${name} key value" format`;
            this.#report.add('LegacyKeyValueFormat', instruction, message);
          }
          if (instruction.kind === 'label') continue;
          this.#checkSecret('ENV', key.text, instruction);
          state.variables.setEnv(key.text, value.text);
        }
        return;
      case 'cmd':
      case 'entrypoint':
        if (instruction.command.form === 'shell' && !state.hasShell) {
          const message = `JSON arguments recommended for ${name} to prevent unintended behavior related to OS signals`;
          this.#report.add('JSONArgsRecommended', instruction, message);
        }
        return;
      case 'shell':
        state.hasShell = true;
        return;
      case 'workdir':
        if (!state.hasWorkdir && !instruction.value.text.startsWith('/')) {
          const message = `Relative workdir "${instruction.value.text}" can have unexpected results if the base image changes`;
          this.#report.add('WorkdirRelativePath', instruction, message, instruction.value.span);
        }
        state.hasWorkdir = true;
        return;
      case 'expose':
        for (const word of instruction.values) {
          const { hasOddCase, hasHostPart } = exposedPorts(word, this.#file.source);
          if (hasOddCase) {
            const message = `Defined protocol '${word.text}' in EXPOSE instruction should be lowercase`;
            this.#report.add('ExposeProtoCasing', instruction, message, word.span);
          }
          if (hasHostPart) {
            const message = `EXPOSE instruction should not define an IP address or host-port mapping, found '${word.text}'`;
            this.#report.add('ExposeInvalidFormat', instruction, message, word.span);
          }
        }
        return;
      case 'copy':
      case 'add':
        this.#checkIgnored(instruction);
        return;
      default:
        return;
    }
  }

  #checkSecret(what: 'ARG' | 'ENV', key: string, instruction: StageInstruction): void {
    if (!SECRET.test(key) || NO_SECRET.test(key)) return;
    const message = `Do not use ARG or ENV instructions for sensitive data (${what} "${key}")`;
    this.#report.add('SecretsUsedInArgOrEnv', instruction, message);
  }

  #checkIgnored(instruction: CopyInstruction | AddInstruction): void {
    const ignored = this.#ignored;
    if (ignored === undefined || ignored.hasExceptions) return;
    if (instruction.kind === 'copy' && instruction.from !== undefined) return;
    for (const { text, span } of instruction.sources) {
      if (instruction.kind === 'add' && /^(?:https?|git|ssh):\/\/|^git@/.test(text)) continue;
      const path = cleanPath(text);
      if ((path === '.' || path === '/') && !ignored.ignoresRoot) continue;
      if (!ignored.ignores(path)) continue;
      const verb = instruction.kind === 'add' ? 'Add' : 'Copy';
      const message = `Attempting to ${verb} file "${path}" that is excluded by .dockerignore`;
      this.#report.add('CopyIgnoredFile', instruction, message, span);
    }
  }
}
