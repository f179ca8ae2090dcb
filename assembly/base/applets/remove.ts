/** rm, rmdir, unlink */
import { Context } from '../applet';
import { cannot, complain } from '../io/messages';
import { absolute, baseName, dirName, join, trimmed } from '../io/paths';
import { statError, statOf } from '../io/walk';
import { EISDIR, ENOENT, ENOTDIR, ENOTEMPTY, errorText } from '../wasi/errno';
import { readDirectory, removeDirectory, removeFile } from '../wasi/files';
import { END, Options, operandFault, STOP } from './options';

class Removal {
  status: i32 = 0;
  recursive: bool = false;
  force: bool = false;
  directories: bool = false;
  verbose: bool = false;
  ask: bool = false;

  constructor(
    public context: Context,
    public name: string,
  ) {}

  fail(path: string, errno: i32): void {
    cannot(this.context, this.name, 'remove', path, errno);
    this.status = 1;
  }

  private confirmed(what: string, path: string): bool {
    if (!this.ask) return true;
    this.context.stderr.write(`${this.name}: ${what} '${path}'? `);
    this.context.stderr.flush();
    const answer = this.context.stdin.line();
    return answer != null && answer.length > 0 && (answer.charCodeAt(0) | 32) == 121;
  }

  remove(path: string): void {
    const stat = statOf(this.context, path, false);
    if (stat == null) {
      if (!(this.force && (statError() == ENOENT || statError() == ENOTDIR))) this.fail(path, statError());
      return;
    }
    if (stat.isDirectory) {
      if (!this.recursive && !this.directories) {
        this.fail(path, EISDIR);
        return;
      }
      this.directory(path);
    } else if (this.confirmed('remove file', path)) {
      const errno = removeFile(absolute(this.context, path));
      if (errno < 0) this.fail(path, errno);
      else if (this.verbose) this.context.stdout.line(`removed '${path}'`);
    }
  }

  private directory(path: string): void {
    const full = absolute(this.context, path);
    if (this.recursive) {
      const names: string[] = [];
      const errno = readDirectory(full, names);
      if (errno < 0) {
        this.fail(path, errno);
        return;
      }
      if (names.length > 0 && !this.confirmed('descend into directory', path)) return;
      for (let i = 0; i < names.length; i++) this.remove(join(path, names[i]));
    }
    if (!this.confirmed('remove directory', path)) return;
    const errno = removeDirectory(full);
    // what was not removed inside has been told
    if (errno < 0 && !(this.recursive && this.status != 0 && errno == -ENOTEMPTY)) this.fail(path, errno);
    else if (errno == 0 && this.verbose) this.context.stdout.line(`removed directory '${path}'`);
  }
}

export function rm(context: Context, args: Array<string>): i32 {
  const removal = new Removal(context, args[0]);
  const options = new Options(
    context,
    args,
    'rRfdviI',
    'recursive=r,force=f,dir=d,verbose=v,interactive?=i,preserve-root?=P,no-preserve-root=N,one-file-system=O',
  );
  for (let o = options.next(); o != END; o = options.next()) {
    switch (o) {
      case STOP:
        return options.status;
      case 114: // r
      case 82: // R
        removal.recursive = true;
        break;
      case 102: // f
        removal.force = true;
        removal.ask = false;
        break;
      case 100: // d
        removal.directories = true;
        break;
      case 118: // v
        removal.verbose = true;
        break;
      case 105: // i
        removal.ask = options.value != 'never';
        break;
    }
  }
  if (options.operands.length == 0) return removal.force ? 0 : operandFault(context, args, options.operands, -1);
  for (let i = 0; i < options.operands.length; i++) {
    const path = options.operands[i];
    const last = baseName(path);
    if (last == '.' || last == '..') {
      complain(context, args[0], `refusing to remove '.' or '..' directory: skipping '${path}'`);
      removal.status = 1;
    } else if (trimmed(absolute(context, path)) == '/') {
      complain(context, args[0], "it is dangerous to operate recursively on '/'");
      removal.status = 1;
    } else {
      removal.remove(path.length > 1 && removal.recursive ? trimmed(path) : path);
    }
  }
  return removal.status;
}

export function rmdir(context: Context, args: Array<string>): i32 {
  let parents = false;
  let ignore = false;
  let verbose = false;
  const options = new Options(context, args, 'pv', 'parents=p,ignore-fail-on-non-empty=i,verbose=v');
  for (let o = options.next(); o != END; o = options.next()) {
    if (o == STOP) return options.status;
    if (o == 112) parents = true;
    else if (o == 118) verbose = true;
    else ignore = true;
  }
  if (options.operands.length == 0) return operandFault(context, args, options.operands, -1);
  let status = 0;
  for (let i = 0; i < options.operands.length; i++) {
    let path = trimmed(options.operands[i]);
    for (;;) {
      if (verbose) context.stdout.line(`${args[0]}: removing directory, '${path}'`);
      const errno = removeDirectory(absolute(context, path));
      if (errno < 0) {
        if (ignore && errno == -ENOTEMPTY) break;
        complain(context, args[0], `failed to remove '${path}': ${errorText(errno)}`);
        status = 1;
        break;
      }
      const parent = dirName(path);
      if (!parents || parent == '.' || parent == '/') break;
      path = parent;
    }
  }
  return status;
}

export function unlink(context: Context, args: Array<string>): i32 {
  const options = new Options(context, args, '');
  for (let o = options.next(); o != END; o = options.next()) if (o == STOP) return options.status;
  if (options.operands.length != 1) return operandFault(context, args, options.operands, 1);
  const errno = removeFile(absolute(context, options.operands[0]));
  if (errno == 0) return 0;
  cannot(context, args[0], 'unlink', options.operands[0], errno);
  return 1;
}

/** Removes whatever is there, asking nobody; the status. */
export function removeTree(context: Context, name: string, path: string): i32 {
  const removal = new Removal(context, name);
  removal.recursive = removal.force = true;
  removal.remove(path);
  return removal.status;
}
