/** Simple commands (XCU 2.9.1). */
import { settle } from '../../io/messages';
import { EPIPE } from '../../wasi/errno';
import { Builtin, builtinOf, isDeclaration, isSpecial } from '../builtins/table';
import { Expander } from '../expand/expander';
import { ALL_EXPORT, XTRACE } from '../state/options';
import { RUNNING, Shell } from '../state/shell';
import { Variable } from '../state/variables';
import { Assignment, FunctionDefinition, Simple, Word } from '../syntax/ast';
import { asAssignment } from '../syntax/parser';
import { callFunction } from './functions';
import { runProgram } from './programs';
import { redirect } from './redirections';
import { traceAssignment, traceCommand } from './trace';

export function runSimple(shell: Shell, node: Simple): i32 {
  shell.substitutionStatus = -1;
  const args: string[] = [];
  expandWords(shell, node.words, args);
  if (shell.unwind != RUNNING) return shell.status;
  if (args.length == 0) return assignOnly(shell, node);
  const name = args[0];
  const special = isSpecial(name);
  let body: FunctionDefinition | null = null;
  if (!special && shell.functions.has(name)) body = shell.functions.get(name);
  if (name == 'exec' && special) return runExec(shell, node, args);
  const redirected = redirect(shell, node.redirects);
  if (redirected === null) {
    if (special && shell.unwind == RUNNING && !shell.interactive) shell.exit(2);
    return shell.unwind == RUNNING ? 1 : shell.status;
  }
  const status = special ? runSpecial(shell, node, args) : runWithAssignments(shell, node.assignments, args, body);
  redirected.undo();
  return status;
}

/** `export a=$b` assigns: its words are not split. */
function expandWords(shell: Shell, words: Array<Word>, args: Array<string>): void {
  const expander = new Expander(shell);
  let at = 0;
  // `command export` declares, too
  while (at < words.length) {
    const plain = words[at].plain;
    expander.fieldsOf(words[at], args);
    at++;
    if (shell.unwind != RUNNING) return;
    if (plain === null) break;
    if (isDeclaration(plain)) {
      for (; at < words.length; at++) {
        const assignment = asAssignment(words[at]);
        if (assignment === null) expander.fieldsOf(words[at], args);
        else args.push(`${assignment.name}=${expander.assigned(assignment)}`);
        if (shell.unwind != RUNNING) return;
      }
      return;
    }
    if (plain != 'command') break;
  }
  for (; at < words.length; at++) {
    expander.fieldsOf(words[at], args);
    if (shell.unwind != RUNNING) return;
  }
}

/** The words of a command that runs elsewhere, whose assignments are made for good; false where that failed. */
export function prepareProgram(shell: Shell, node: Simple, args: Array<string>): bool {
  expandWords(shell, node.words, args);
  return shell.unwind == RUNNING && args.length > 0 && assignAll(shell, node.assignments, true);
}

/** No command: the assignments stay, the redirections do not. */
function assignOnly(shell: Shell, node: Simple): i32 {
  if (node.redirects.length > 0) {
    const redirected = redirect(shell, node.redirects);
    if (redirected === null) return shell.unwind == RUNNING ? 1 : shell.status;
    redirected.undo();
  }
  if (!assignAll(shell, node.assignments, false)) return shell.status;
  return max(shell.substitutionStatus, 0);
}

/** False where one of them could not be made: the shell is being left then. */
function assignAll(shell: Shell, assignments: Array<Assignment>, exports: bool): bool {
  const expander = new Expander(shell);
  for (let i = 0; i < assignments.length; i++) {
    const value = expander.assigned(assignments[i]);
    if (shell.unwind != RUNNING) return false;
    if (shell.has(XTRACE)) traceAssignment(shell, assignments[i].name, value);
    if (!shell.assign(assignments[i].name, value, exports)) return false;
  }
  return true;
}

/** A special built-in: assignments before it stay (XCU 2.14). */
function runSpecial(shell: Shell, node: Simple, args: Array<string>): i32 {
  if (!assignAll(shell, node.assignments, false)) return shell.status;
  if (shell.has(XTRACE)) traceCommand(shell, args);
  return runBuiltin(shell, builtinOf(args[0])!, args);
}

/** `exec`: without a command the redirections stay, with one the shell is done after it. */
function runExec(shell: Shell, node: Simple, args: Array<string>): i32 {
  let first = 1;
  if (args.length > 1 && args[1] == '--') first++;
  const redirected = redirect(shell, node.redirects);
  if (redirected === null) {
    if (shell.unwind == RUNNING && !shell.interactive) shell.exit(2);
    return shell.unwind == RUNNING ? 1 : shell.status;
  }
  if (!assignAll(shell, node.assignments, args.length > first)) return shell.status;
  if (shell.has(XTRACE)) traceCommand(shell, args);
  if (args.length <= first) {
    redirected.keep();
    return 0;
  }
  const status = runProgram(shell, args.slice(first));
  redirected.undo();
  if (shell.unwind == RUNNING) {
    shell.traps.delete(0);
    shell.wantsExit = true;
    shell.exit(status);
  }
  return shell.status;
}

/** Assignments hold, and are exported, while the command runs. */
function runWithAssignments(
  shell: Shell,
  assignments: Array<Assignment>,
  args: Array<string>,
  body: FunctionDefinition | null,
): i32 {
  if (assignments.length == 0) return runNamed(shell, args, body);
  const names: string[] = [];
  const before: (Variable | null)[] = [];
  for (let i = 0; i < assignments.length; i++) {
    names.push(assignments[i].name);
    before.push(shell.variables.find(assignments[i].name));
  }
  let status = shell.status;
  const allExport = shell.options & ALL_EXPORT;
  if (assignAll(shell, assignments, true)) status = runNamed(shell, args, body);
  else status = shell.status;
  shell.options |= allExport;
  for (let i = names.length - 1; i >= 0; i--) {
    if (names[i] == 'PATH') shell.paths.clear();
    shell.variables.restore(names[i], before[i]);
  }
  return status;
}

function runNamed(shell: Shell, args: Array<string>, body: FunctionDefinition | null): i32 {
  if (shell.has(XTRACE)) traceCommand(shell, args);
  if (body !== null) return callFunction(shell, body, args);
  const builtin = builtinOf(args[0]);
  if (builtin !== null) return runBuiltin(shell, builtin, args);
  return runProgram(shell, args);
}

/** Runs it and sees to what it wrote. */
export function runBuiltin(shell: Shell, builtin: Builtin, args: Array<string>): i32 {
  const status = builtin(shell, args);
  const stdout = shell.stdout();
  stdout.flush();
  if (stdout.error == 0) return status;
  const broken = stdout.error == EPIPE;
  const settled = settle(shell.context(), args[0], status);
  // others write to it as well, and find out for themselves
  if (!broken) stdout.error = 0;
  else if (shell.unwind == RUNNING) shell.exit(settled);
  return settled;
}

/** `name args` without functions, as `command` runs it: a failing special built-in is no reason to exit. */
export function runWithoutFunctions(shell: Shell, args: Array<string>): i32 {
  const builtin = builtinOf(args[0]);
  if (builtin !== null) return runBuiltin(shell, builtin, args);
  return runProgram(shell, args);
}
