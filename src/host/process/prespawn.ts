/**
 * Starts a container process before it is known what it will run, so that its boot overlaps with the caller's own
 * work. It costs nothing but its boot when it is not used: it ends with its parent. This file's imports are few, so
 * that a command can call it before it loads anything else.
 */
import { type ChildStdio, ContainerProcess, INHERIT } from './container-process.ts';

/** Default stdio: the caller's own. Hand the result to `createProcessSandbox({ early })`. */
export function prespawn(stdio: ChildStdio = INHERIT): ContainerProcess {
  return new ContainerProcess(stdio);
}
