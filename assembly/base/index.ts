/** The box: every program of the base image, told apart by the name it is called by. */
import { Context } from './applet';
import { setRunner } from './applets/run-command';
import { find, names, runApplet } from './applets/table';
import { baseName } from './io/paths';
import { FdReader } from './io/reader';
import { FdWriter } from './io/writer';
import { runForApplet } from './shell/run/for-applet';
import { shellApplet } from './shell/run/invocation';
import { isShellName } from './shell/run/lookup';
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
  const status = dispatch(context, args);
  context.stdout.flush();
  context.stderr.flush();
  exitProcess(status);
}

/** For a host that hands on signals. */
export function __wasm_signal(signal: i32): void {
  receiveSignal(signal);
}

/** `box ls -l` is `ls -l`, whatever its own name. */
function dispatch(context: Context, args: Array<string>): i32 {
  for (let first = 0; first < args.length && first < 2; first++) {
    const name = baseName(args[first]);
    if (isShellName(name)) return shellApplet(context, args.slice(first));
    if (find(name) !== null) return runApplet(context, args.slice(first));
  }
  if (args.length > 1 && args[1] != '--names') {
    context.stderr.line(`box: ${args[1]}: there is no such program in here`);
    return 127;
  }
  if (args.length == 1) context.stdout.line('usage: box PROGRAM [ARGUMENT...]; the programs are:');
  context.stdout.line('sh');
  const all = names();
  for (let i = 0; i < all.length; i++) context.stdout.line(all[i]);
  return 0;
}
