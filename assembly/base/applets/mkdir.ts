/** mkdir, mkfifo */
import { Context } from '../applet';
import { cannot, complain } from '../io/messages';
import { BAD_MODE, changedMode } from '../io/modes';
import { absolute, join, trimmed } from '../io/paths';
import { isDirectory } from '../io/walk';
import { changeMode, makeDirectory } from '../wasi/files';
import { processIds } from '../wasi/process';
import { S_IFDIR } from '../wasi/stat';
import { END, Options, operandFault, STOP } from './options';

/** Makes a directory and those above it that are missing; 0 or a negative errno. Calls `made` with nothing. */
export function makeDirectories(context: Context, path: string, told: string): i32 {
  const parts = trimmed(path).split('/');
  let reached = path.startsWith('/') ? '/' : '';
  let errno = 0;
  for (let i = 0; i < parts.length; i++) {
    if (parts[i] == '') continue;
    reached = reached == '' ? parts[i] : join(reached, parts[i]);
    errno = makeDirectory(absolute(context, reached));
    if (errno == 0) {
      if (told != '') context.stdout.line(`${told}: created directory '${reached}'`);
    } else if (isDirectory(context, reached)) {
      errno = 0;
    } else {
      break;
    }
  }
  return errno;
}

export function mkdir(context: Context, args: Array<string>): i32 {
  let parents = false;
  let verbose = false;
  let mode = -1;
  const options = new Options(context, args, 'pm:vZ', 'parents=p,mode:=m,verbose=v');
  for (let o = options.next(); o != END; o = options.next()) {
    if (o == STOP) return options.status;
    if (o == 112) parents = true;
    else if (o == 118) verbose = true;
    else if (o == 109) {
      mode = changedMode(options.value, S_IFDIR | 0o777, processIds().umask);
      if (mode == BAD_MODE) {
        complain(context, args[0], `invalid mode '${options.value}'`);
        return 1;
      }
    }
  }
  if (options.operands.length == 0) return operandFault(context, args, options.operands, -1);
  let status = 0;
  for (let i = 0; i < options.operands.length; i++) {
    const path = options.operands[i];
    const full = absolute(context, path);
    const there = parents && isDirectory(context, path);
    if (there) continue;
    let errno = parents ? makeDirectories(context, path, verbose ? args[0] : '') : makeDirectory(full);
    if (errno == 0 && verbose && !parents) context.stdout.line(`${args[0]}: created directory '${path}'`);
    if (errno < 0) {
      cannot(context, args[0], 'create directory', path, errno);
      status = 1;
    } else if (mode >= 0) {
      errno = changeMode(full, true, mode);
      if (errno < 0) {
        cannot(context, args[0], 'set permissions of', path, errno);
        status = 1;
      }
    }
  }
  return status;
}

/** There is no call that makes one. */
export function mkfifo(context: Context, args: Array<string>): i32 {
  complain(context, args[0], 'named pipes cannot be made in this container');
  return 1;
}
