/** The box: every program of the base image, told apart by the name it is called by. */
import { Context } from './applet';
import { setRunner } from './applets/run-command';
import { runBox } from './box';
import { FdReader } from './io/reader';
import { FdWriter } from './io/writer';
import { runForApplet } from './shell/run/for-applet';
import { receiveSignal } from './shell/run/signals';
import { exitProcess, processArguments, processEnvironment } from './wasi/process';
import './wasi/abort';
import { workingDirectory } from './wasi/working-directory';

export function _start(): void {
  const args = processArguments();
  const env = new Map<string, string>();
  const entries = processEnvironment();
  for (let i = 0; i < entries.length; i++) {
    const equals = entries[i].indexOf('=');
    if (equals > 0) env.set(entries[i].substring(0, equals), entries[i].substring(equals + 1));
  }
  const cwd = workingDirectory(env.has('PWD') ? env.get('PWD') : '');
  const context = new Context(new FdReader(0), new FdWriter(1), new FdWriter(2), cwd, env);
  setRunner(runForApplet);
  const status = runBox(context, args);
  context.stdout.flush();
  context.stderr.flush();
  exitProcess(status);
}

/** For a host that hands on signals. */
export function __wasm_signal(signal: i32): void {
  receiveSignal(signal);
}
