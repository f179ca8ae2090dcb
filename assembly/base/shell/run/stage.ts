/** Starts one command as a process of its own: a Wasm program, or the box as a shell that knows what this one knows. */
import { ENOSYS } from '../../wasi/errno';
import { Shell } from '../state/shell';
import { Node } from '../syntax/ast';
import { printNode } from '../syntax/print';
import { boxPath } from './lookup';
import { refuse } from './programs';
import { shellState } from './serialise';
import { Started, startProgram } from './start';

/** `shell` is a copy made for the command; its files are the command's. */
export function startStage(shell: Shell, node: Node): Started {
  const script = shellState(shell) + printNode(node);
  const started = startProgram(shell, boxPath(shell), ['sh', '-c', script, shell.name].concat(shell.positional));
  if (started.pid < 0) {
    started.status = started.pid == -ENOSYS ? 126 : 127;
    refuse(shell, 'sh', started.pid);
  }
  return started;
}
