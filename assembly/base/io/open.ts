/** The streams that operands name. */
import { Context } from '../applet';
import { CREATE, openFile, READ, TRUNCATE, WRITE } from '../wasi/files';
import { complainOf } from './messages';
import { absolute } from './paths';
import { FdReader, Reader } from './reader';
import { FdWriter, Writer } from './writer';

/** The errno, positive, of the last of these calls that gave null. */
let failure: i32 = 0;

export function openError(): i32 {
  return failure;
}

/** `-` and /dev/stdin are standard input. */
export function openInput(context: Context, path: string): Reader | null {
  if (path == '-' || path == '/dev/stdin' || path == '/dev/fd/0') return context.stdin;
  const fd = openFile(absolute(context, path), READ);
  if (fd < 0) {
    failure = -fd;
    return null;
  }
  return new FdReader(fd);
}

/** The same, and says what is wrong. */
export function inputOf(context: Context, name: string, path: string): Reader | null {
  const reader = openInput(context, path);
  if (reader == null) complainOf(context, name, path, failure);
  return reader;
}

/** Closes what `openInput` gave; says what ended it. False if that was an error. */
export function closeInput(context: Context, name: string, path: string, reader: Reader): bool {
  const errno = reader.error;
  reader.error = 0;
  if (reader !== context.stdin) reader.close();
  if (errno != 0) complainOf(context, name, path, errno);
  return errno == 0;
}

/** A file made empty, or with `flags` what they say; the standard streams by their names in /dev. */
export function openOutput(context: Context, path: string, flags: i32 = WRITE | CREATE | TRUNCATE): Writer | null {
  if (path == '/dev/stdout' || path == '/dev/fd/1') return context.stdout;
  if (path == '/dev/stderr' || path == '/dev/fd/2') return context.stderr;
  const fd = openFile(absolute(context, path), flags);
  if (fd < 0) {
    failure = -fd;
    return null;
  }
  return new FdWriter(fd);
}

/** Closes what `openOutput` gave; says what went wrong with it. */
export function closeOutput(context: Context, name: string, path: string, writer: Writer): bool {
  if (writer === context.stdout || writer === context.stderr) return true;
  if (writer.close()) return true;
  complainOf(context, name, path, writer.error);
  return false;
}
