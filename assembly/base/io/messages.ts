/** What a program says when something is wrong, and the status it ends with. */
import { Context } from '../applet';
import { EPIPE, errorText } from '../wasi/errno';

/** `name: text`, after what is on standard output already. */
export function complain(context: Context, name: string, text: string): void {
  context.stdout.flush();
  context.stderr.line(`${name}: ${text}`);
  context.stderr.flush();
}

/** `name: path: No such file or directory`. Takes an errno of either sign. */
export function complainOf(context: Context, name: string, path: string, errno: i32): void {
  complain(context, name, `${path}: ${errorText(errno)}`);
}

/** `name: cannot remove 'path': No such file or directory`. */
export function cannot(context: Context, name: string, what: string, path: string, errno: i32): void {
  complain(context, name, `cannot ${what} '${path}': ${errorText(errno)}`);
}

/** As one that died of SIGPIPE. */
export const STATUS_PIPE: i32 = 141;

/** Flushes; a write that failed is told, unless nobody reads any more, and becomes the status. */
export function settle(context: Context, name: string, status: i32): i32 {
  context.stderr.flush();
  if (context.stdout.flush()) return status;
  if (context.stdout.error == EPIPE) return STATUS_PIPE;
  complain(context, name, `write error: ${errorText(context.stdout.error)}`);
  return status == 0 ? 1 : status;
}
