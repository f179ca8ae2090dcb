/** chmod, chown, chgrp */
import { Context } from '../applet';
import { complain } from '../io/messages';
import { BAD_MODE, changedMode, modeText } from '../io/modes';
import { absolute, join } from '../io/paths';
import { groupId, loginGroup, userId } from '../io/users';
import { statError, statOf } from '../io/walk';
import { errorText } from '../wasi/errno';
import { changeMode, changeOwner, readDirectory } from '../wasi/files';
import { processIds } from '../wasi/process';
import { Stat } from '../wasi/stat';
import { END, Options, operandFault, STOP } from './options';

class Change {
  recursive: bool = false;
  follow: bool = true;
  quiet: bool = false;
  verbose: bool = false;
  changes: bool = false;
  mode: string = '';
  uid: i32 = -1;
  gid: i32 = -1;
  onlyUid: i32 = -1;
  onlyGid: i32 = -1;
  status: i32 = 0;
  umask: i32 = processIds().umask;

  constructor(
    public context: Context,
    public name: string,
  ) {}

  private fail(text: string): void {
    if (!this.quiet) complain(this.context, this.name, text);
    this.status = 1;
  }

  apply(path: string, operand: bool): void {
    const context = this.context;
    const stat = statOf(context, path, this.follow && operand);
    if (stat == null) {
      const isDangling = this.follow && operand && statOf(context, path, false) != null;
      const errno = statError() != 0 ? statError() : 44;
      this.fail(
        isDangling ? `cannot operate on dangling symlink '${path}'` : `cannot access '${path}': ${errorText(errno)}`,
      );
      return;
    }
    if (this.mode != '') this.applyMode(path, stat);
    else this.applyOwner(path, stat, operand);
    if (!this.recursive || !stat.isDirectory) return;
    const names: string[] = [];
    const errno = readDirectory(absolute(context, path), names);
    if (errno < 0) {
      this.fail(`cannot read directory '${path}': ${errorText(errno)}`);
      return;
    }
    for (let i = 0; i < names.length; i++) this.apply(join(path, names[i]), false);
  }

  private applyMode(path: string, stat: Stat): void {
    // links found on the way have no mode of their own
    if (stat.isLink) return;
    const mode = changedMode(this.mode, stat.mode, this.umask);
    const errno = changeMode(absolute(this.context, path), true, mode);
    if (errno < 0) {
      this.fail(`changing permissions of '${path}': ${errorText(errno)}`);
      return;
    }
    const old = stat.mode & 0o7777;
    if (this.verbose || (this.changes && old != mode)) {
      const from = `${old.toString(8).padStart(4, '0')} (${modeText(stat.mode).substring(1)})`;
      const to = `${mode.toString(8).padStart(4, '0')} (${modeText((stat.mode & ~0o7777) | mode).substring(1)})`;
      if (old == mode) this.context.stdout.line(`mode of '${path}' retained as ${from}`);
      else this.context.stdout.line(`mode of '${path}' changed from ${from} to ${to}`);
    }
  }

  private applyOwner(path: string, stat: Stat, operand: bool): void {
    if (this.onlyUid >= 0 && stat.uid != <u32>this.onlyUid) return;
    if (this.onlyGid >= 0 && stat.gid != <u32>this.onlyGid) return;
    // changing owners takes the set-id bits away, and those who ask for no change mean it
    const errno = changeOwner(absolute(this.context, path), this.follow && operand, this.uid, this.gid);
    if (errno < 0) {
      const what = this.uid >= 0 || this.gid < 0 ? 'ownership' : 'group';
      this.fail(`changing ${what} of '${path}': ${errorText(errno)}`);
    } else if (this.verbose) {
      this.context.stdout.line(`changed ownership of '${path}' to ${this.uid}:${this.gid}`);
    }
  }
}

export function chmod(context: Context, args: Array<string>): i32 {
  const change = new Change(context, args[0]);
  // a mode may look like an option: -x, -rwx, -w,g-x
  let mode = '';
  const words: string[] = [args[0]];
  let isOver = false;
  for (let i = 1; i < args.length; i++) {
    const arg = args[i];
    if (arg == '--') isOver = true;
    const isMode =
      !isOver &&
      mode == '' &&
      arg.length > 1 &&
      arg.startsWith('-') &&
      'rwxXstugo0,=+-'.includes(arg.charAt(1)) &&
      arg.charAt(1) != '-';
    if (isMode) mode = arg;
    else words.push(arg);
  }
  let reference = '';
  const options = new Options(
    context,
    words,
    'Rcfv',
    'recursive=R,changes=c,silent=f,quiet=f,verbose=v,reference:=r,preserve-root=P,no-preserve-root=N',
  );
  for (let o = options.next(); o != END; o = options.next()) {
    if (o == STOP) return options.status;
    if (o == 82) change.recursive = true;
    else if (o == 99) change.changes = true;
    else if (o == 102) change.quiet = true;
    else if (o == 118) change.verbose = true;
    else if (o == 114) reference = options.value;
  }
  let operands = options.operands;
  if (reference != '') {
    const stat = statOf(context, reference, true);
    if (stat == null) {
      complain(context, args[0], `failed to get attributes of '${reference}': ${errorText(statError())}`);
      return 1;
    }
    mode = (stat.mode & 0o7777).toString(8).padStart(5, '0');
  } else if (mode == '' && operands.length > 0) {
    mode = operands[0];
    operands = operands.slice(1);
  }
  if (mode == '') return operandFault(context, args, [], -1);
  if (changedMode(mode, 0, 0) == BAD_MODE) {
    complain(context, args[0], `invalid mode: '${mode}'`);
    return 1;
  }
  if (operands.length == 0) return operandFault(context, args, [mode], -1);
  change.mode = mode;
  for (let i = 0; i < operands.length; i++) change.apply(operands[i], true);
  return change.status;
}

/** user, user:group, user:, :group; false where there is no such, which is told. */
function owner(context: Context, name: string, text: string, change: Change, only: bool): bool {
  let colon = text.indexOf(':');
  if (colon < 0 && text.includes('.') && userId(text) < 0) colon = text.indexOf('.');
  const user = colon < 0 ? text : text.substring(0, colon);
  const group = colon < 0 ? '' : text.substring(colon + 1);
  let uid: i64 = -1;
  let gid: i64 = -1;
  if (user != '') {
    uid = userId(user);
    if (uid < 0) {
      complain(context, name, `invalid user: '${text}'`);
      return false;
    }
    if (colon >= 0 && group == '') {
      gid = loginGroup(user);
      if (gid < 0) {
        complain(context, name, `invalid spec: '${text}'`);
        return false;
      }
    }
  }
  if (group != '') {
    gid = groupId(group);
    if (gid < 0) {
      complain(context, name, `invalid group: '${text}'`);
      return false;
    }
  }
  if (only) {
    change.onlyUid = <i32>uid;
    change.onlyGid = <i32>gid;
  } else {
    change.uid = <i32>uid;
    change.gid = <i32>gid;
  }
  return true;
}

export function chown(context: Context, args: Array<string>): i32 {
  return own(context, args, false);
}

export function chgrp(context: Context, args: Array<string>): i32 {
  return own(context, args, true);
}

function own(context: Context, args: Array<string>, isGroup: bool): i32 {
  const change = new Change(context, args[0]);
  let reference = '';
  const options = new Options(
    context,
    args,
    'RcfhvHLP',
    'recursive=R,changes=c,silent=f,quiet=f,no-dereference=h,verbose=v,reference:=r,from:=F,dereference=d,preserve-root=P,no-preserve-root=N',
  );
  for (let o = options.next(); o != END; o = options.next()) {
    if (o == STOP) return options.status;
    if (o == 82) change.recursive = true;
    else if (o == 102) change.quiet = true;
    else if (o == 104) change.follow = false;
    else if (o == 118) change.verbose = true;
    else if (o == 114) reference = options.value;
    else if (o == 70 && !owner(context, args[0], options.value, change, true)) return 1;
  }
  let operands = options.operands;
  if (reference != '') {
    const stat = statOf(context, reference, true);
    if (stat == null) {
      complain(context, args[0], `failed to get attributes of '${reference}': ${errorText(statError())}`);
      return 1;
    }
    change.gid = stat.gid;
    if (!isGroup) change.uid = stat.uid;
  } else {
    if (operands.length == 0) return operandFault(context, args, operands, -1);
    if (operands.length == 1) return operandFault(context, args, operands, -1);
    if (!owner(context, args[0], isGroup ? `:${operands[0]}` : operands[0], change, false)) return 1;
    operands = operands.slice(1);
  }
  for (let i = 0; i < operands.length; i++) change.apply(operands[i], true);
  return change.status;
}
