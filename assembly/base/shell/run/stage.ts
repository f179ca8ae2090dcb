/** Starts one command as a process of its own: a Wasm program, or the box as a shell that knows what this one knows. */
import { ENOSYS } from '../../wasi/errno';
import { builtinOf } from '../builtins/table';
import { RUNNING, Shell } from '../state/shell';
import { Node, SIMPLE, Simple } from '../syntax/ast';
import { printNode } from '../syntax/print';
import { boxPath, lookUp, PROGRAM } from './lookup';
import { readHead, refuse } from './programs';
import { redirect } from './redirections';
import { shellState } from './serialise';
import { prepareProgram } from './simple';
import { Started, startProgram } from './start';

/**
 * `shell` is a copy made for the command; its files are the command's. `spools`: what it writes into our memory is kept
 * in a file until it has ended, so that nobody has to take it meanwhile.
 */
export function startStage(shell: Shell, node: Node, spools: bool = false): Started {
  if (isProgram(shell, node)) return startSimple(shell, changetype<Simple>(node), spools);
  const script = shellState(shell) + printNode(node);
  const args = ['sh', '-c', script, shell.name].concat(shell.positional);
  const started = startProgram(shell, boxPath(shell), args, spools);
  if (started.pid < 0) started.status = refuse(shell, nameOf(node), started.pid);
  return started;
}

/** As messages call a command. */
export function nameOf(node: Node): string {
  if (node.kind != SIMPLE) return 'subshell';
  const words = changetype<Simple>(node).words;
  const plain = words.length > 0 ? words[0].plain : null;
  return plain === null ? 'subshell' : plain;
}

function startSimple(shell: Shell, node: Simple, spools: bool): Started {
  const failed = new Started(-ENOSYS);
  failed.status = 1;
  if (redirect(shell, node.redirects) === null) return failed;
  const args: string[] = [];
  if (!prepareProgram(shell, node, args)) {
    failed.status = shell.unwind == RUNNING ? 1 : shell.status;
    return failed;
  }
  const path = shell.absolute(lookUp(shell, args[0]).path);
  const started = startProgram(shell, path, args, spools);
  if (started.pid < 0) started.status = refuse(shell, args[0], started.pid);
  return started;
}

/** A simple command that a process of its own runs, as far as can be told before its words are expanded. */
export function isProgram(shell: Shell, node: Node): bool {
  if (node.kind != SIMPLE) return false;
  const words = changetype<Simple>(node).words;
  if (words.length == 0) return false;
  const name = words[0].plain;
  if (name === null || name.length == 0) return false;
  if (shell.functions.has(name) || builtinOf(name) !== null) return false;
  const found = lookUp(shell, name);
  return found.kind == PROGRAM && readHead(shell.absolute(found.path)).startsWith('\0asm');
}
