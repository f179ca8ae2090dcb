/**
 * Pipelines (XCU 2.9.2). The parts that run in this process run one after the other, what passes between them is kept
 * (pipe-buffer.ts). Wasm programs run at the same time, with pipes of the host's; and once a part has written more than
 * is to be kept, the parts after it are started as processes, too, where the host starts any.
 */
import { openPipe, pipeRead, pipeWrite } from '../../wasi/files';
import { OpenFile } from '../state/open-files';
import { PIPEFAIL } from '../state/options';
import { RUNNING, Shell } from '../state/shell';
import { Node } from '../syntax/ast';
import { nothing, PipeBuffer } from './pipe-buffer';
import { refuse, waitFor } from './programs';
import { Rest } from './rest';
import { isProgram, nameOf, startStage } from './stage';
import { Started } from './start';
import { runCopy } from './subshell';

export function runPipeline(shell: Shell, commands: Array<Node>): i32 {
  const count = commands.length;
  const statuses = new Array<i32>(count);
  const running = new Array<Started | null>(count);
  const last = lastProgram(shell, commands);
  let input: OpenFile | null = null;
  for (let i = 0; i < count; ) {
    if (i <= last && isProgram(shell, commands[i])) {
      const end = startAll(shell, commands, i, last, input, statuses, running);
      input = end;
      i = last + 1;
      continue;
    }
    const copy = shell.copy();
    if (input !== null) copy.files.set(0, input);
    if (i == count - 1) {
      statuses[i] = runCopy(shell, copy, commands[i]);
      break;
    }
    const rest = new Rest(shell, commands, i + 1);
    const buffer = new PipeBuffer(rest);
    copy.files.set(1, new OpenFile(-1, null, buffer));
    statuses[i] = runCopy(shell, copy, commands[i]);
    buffer.flush();
    if (rest.finish()) {
      buffer.discard();
      for (let k = i + 1; k < count; k++) statuses[k] = rest.statuses[k];
      break;
    }
    input = buffer.toInput();
    i++;
    if (shell.unwind != RUNNING) break;
  }
  for (let i = 0; i < count; i++) {
    const started = running[i];
    if (started !== null && started.pid > 0) statuses[i] = waitFor(shell, started);
  }
  return statusOf(shell, statuses);
}

function statusOf(shell: Shell, statuses: Array<i32>): i32 {
  const count = statuses.length;
  let status = statuses[count - 1];
  if (!shell.has(PIPEFAIL)) return status;
  for (let i = count - 1; i >= 0 && status == 0; i--) status = statuses[i];
  return status;
}

/** Starts the parts from `first` to `last`; what the last of them writes, if something comes after it. */
function startAll(
  shell: Shell,
  commands: Array<Node>,
  first: i32,
  last: i32,
  firstInput: OpenFile | null,
  statuses: Array<i32>,
  running: Array<Started | null>,
): OpenFile | null {
  let input = firstInput;
  for (let i = first; i <= last; i++) {
    const copy = shell.copy();
    let output: OpenFile | null = null;
    if (input !== null) copy.files.set(0, input);
    if (i < commands.length - 1) {
      const error = openPipe();
      if (error < 0) {
        statuses[i] = refuse(shell, nameOf(commands[i]), error);
        statuses[commands.length - 1] = statuses[i];
        copy.files.closeAll();
        // what comes next finds nothing to read
        input = new OpenFile(-1, nothing(), null);
        continue;
      }
      output = new OpenFile(pipeRead, null, null);
      copy.files.set(1, new OpenFile(pipeWrite, null, null));
    }
    const started = startStage(copy, commands[i]);
    copy.files.closeAll();
    if (started.pid > 0) running[i] = started;
    else statuses[i] = started.status;
    input = output;
  }
  return input;
}

/** The place of the last part that is a Wasm program; -1: none is. */
function lastProgram(shell: Shell, commands: Array<Node>): i32 {
  for (let i = commands.length - 1; i >= 0; i--) if (isProgram(shell, commands[i])) return i;
  return -1;
}
