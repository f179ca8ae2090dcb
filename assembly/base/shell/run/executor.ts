/** Runs what the parser made: control flow, and `set -e`. Simple commands and pipelines are in files of their own. */
import { Expander } from '../expand/expander';
import { matches } from '../expand/pattern';
import { ERREXIT, NO_EXEC } from '../state/options';
import { BREAKING, CONTINUING, RUNNING, Shell } from '../state/shell';
import {
  AND_OR,
  AndOr,
  CASE,
  Case,
  FOR,
  For,
  FUNCTION,
  FunctionDefinition,
  GROUP,
  Group,
  IF,
  If,
  LIST,
  List,
  LOOP,
  Loop,
  Node,
  PIPELINE,
  Pipeline,
  SIMPLE,
  Simple,
  SUBSHELL,
} from '../syntax/ast';
import { runInBackground } from './background';
import { runPipeline } from './pipeline';
import { redirect } from './redirections';
import { listen } from './signals';
import { runSimple } from './simple';
import { runInSubshell } from './subshell';

/** What the host's stack holds of functions, subshells and files read in, with room to spare. */
export const MAX_CALLS: i32 = 400;

/** Runs a command: its status, which `$?` is from then on. Look at `shell.unwind` before going on. */
export function run(shell: Shell, node: Node): i32 {
  if (shell.has(NO_EXEC) && !shell.interactive) return 0;
  shell.line = node.line;
  if (node.kind == SIMPLE) {
    const status = conclude(shell, runSimple(shell, changetype<Simple>(node)));
    listen(shell);
    return shell.unwind == RUNNING ? status : shell.status;
  }
  if (node.redirects.length == 0) return dispatch(shell, node);
  const redirected = redirect(shell, node.redirects);
  if (redirected === null) return shell.unwind == RUNNING ? conclude(shell, 1) : shell.status;
  const status = dispatch(shell, node);
  redirected.undo();
  return status;
}

/** Notes the status of a command whose failure counts for `set -e`. */
export function conclude(shell: Shell, status: i32): i32 {
  if (shell.unwind != RUNNING) return shell.status;
  shell.status = status;
  if (status != 0 && shell.tested == 0 && shell.has(ERREXIT)) shell.exit(status);
  return status;
}

function dispatch(shell: Shell, node: Node): i32 {
  switch (node.kind) {
    case PIPELINE:
      return pipeline(shell, changetype<Pipeline>(node));
    case AND_OR:
      return andOr(shell, changetype<AndOr>(node));
    case LIST:
      return list(shell, changetype<List>(node));
    case GROUP:
      return run(shell, changetype<Group>(node).body);
    case SUBSHELL:
      return conclude(shell, runInSubshell(shell, changetype<Group>(node).body));
    case IF:
      return branch(shell, changetype<If>(node));
    case FOR:
      return each(shell, changetype<For>(node));
    case LOOP:
      return loop(shell, changetype<Loop>(node));
    case CASE:
      return choose(shell, changetype<Case>(node));
    case FUNCTION:
      return define(shell, changetype<FunctionDefinition>(node));
  }
  return 0;
}

function pipeline(shell: Shell, node: Pipeline): i32 {
  if (node.negated) shell.tested++;
  const commands = node.commands;
  const status = commands.length == 1 ? run(shell, commands[0]) : runPipeline(shell, commands);
  if (node.negated) shell.tested--;
  if (shell.unwind != RUNNING) return shell.status;
  if (!node.negated) return conclude(shell, status);
  shell.status = status == 0 ? 1 : 0;
  return shell.status;
}

function andOr(shell: Shell, node: AndOr): i32 {
  const last = node.commands.length - 1;
  let status = 0;
  for (let i = 0; i <= last; i++) {
    if (i > 0 && (status == 0) != node.isAnd[i]) continue;
    // only the failure of the last one is a failure
    if (i < last) shell.tested++;
    status = run(shell, node.commands[i]);
    if (i < last) shell.tested--;
    if (shell.unwind != RUNNING) return shell.status;
  }
  return status;
}

function list(shell: Shell, node: List): i32 {
  const items = node.items;
  let status = 0;
  for (let i = 0; i < items.length; i++) {
    if (node.background[i]) {
      status = runInBackground(shell, items[i]);
      shell.status = status;
    } else {
      status = run(shell, items[i]);
    }
    if (shell.unwind != RUNNING) return shell.status;
  }
  return status;
}

/** The status of a condition, which may fail. */
function test(shell: Shell, condition: Node): i32 {
  shell.tested++;
  const status = run(shell, condition);
  shell.tested--;
  return status;
}

function branch(shell: Shell, node: If): i32 {
  const status = test(shell, node.condition);
  if (shell.unwind != RUNNING) return shell.status;
  if (status == 0) return run(shell, node.then);
  const otherwise = node.otherwise;
  if (otherwise !== null) return run(shell, otherwise);
  shell.status = 0;
  return 0;
}

function each(shell: Shell, node: For): i32 {
  let values: Array<string>;
  const words = node.words;
  if (words === null) {
    values = shell.positional.slice(0);
  } else {
    values = [] as string[];
    new Expander(shell).fields(words, values);
    if (shell.unwind != RUNNING) return shell.status;
  }
  let status = 0;
  shell.loops++;
  for (let i = 0; i < values.length; i++) {
    if (!shell.assign(node.name, values[i])) break;
    status = run(shell, node.body);
    if (shell.unwind != RUNNING && leaves(shell)) break;
  }
  shell.loops--;
  if (shell.unwind != RUNNING) return shell.status;
  shell.status = status;
  return status;
}

function loop(shell: Shell, node: Loop): i32 {
  let status = 0;
  shell.loops++;
  while (true) {
    const condition = test(shell, node.condition);
    if (shell.unwind != RUNNING) {
      if (leaves(shell)) break;
      continue;
    }
    if ((condition == 0) == node.isUntil) break;
    status = run(shell, node.body);
    if (shell.unwind != RUNNING && leaves(shell)) break;
  }
  shell.loops--;
  if (shell.unwind != RUNNING) return shell.status;
  shell.status = status;
  return status;
}

/** Commands are being left: is this loop, too? If not, it goes on. */
function leaves(shell: Shell): bool {
  if (shell.unwind != BREAKING && shell.unwind != CONTINUING) return true;
  if (shell.unwindCount > 1) {
    shell.unwindCount--;
    return true;
  }
  const isBreak = shell.unwind == BREAKING;
  shell.unwind = RUNNING;
  shell.unwindCount = 0;
  return isBreak;
}

function choose(shell: Shell, node: Case): i32 {
  const expander = new Expander(shell);
  shell.substitutionStatus = -1;
  const subject = expander.text(node.subject);
  if (shell.unwind != RUNNING) return shell.status;
  let isFound = false;
  let status = 0;
  for (let i = 0; i < node.items.length; i++) {
    const item = node.items[i];
    for (let k = 0; k < item.patterns.length && !isFound; k++) {
      const pattern = expander.pattern(item.patterns[k]);
      if (shell.unwind != RUNNING) return shell.status;
      isFound = matches(pattern, subject, 0, subject.length);
    }
    if (!isFound) continue;
    const body = item.body;
    status = 0;
    if (body !== null) status = run(shell, body);
    if (shell.unwind != RUNNING) return shell.status;
    if (!item.fallsThrough) break;
  }
  shell.status = status;
  return status;
}

function define(shell: Shell, node: FunctionDefinition): i32 {
  shell.functions.set(node.name, node);
  shell.status = 0;
  return 0;
}
