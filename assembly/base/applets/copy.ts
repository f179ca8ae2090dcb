/** cp, mv, install */
import { Context } from '../applet';
import { complain } from '../io/messages';
import { BAD_MODE, changedMode } from '../io/modes';
import { absolute, baseName, dirName, join, trimmed } from '../io/paths';
import { groupId, userId } from '../io/users';
import { isDirectory, realPath, statError, statOf } from '../io/walk';
import { ENOTDIR, EXDEV, errorText } from '../wasi/errno';
import { changeMode, changeOwner, removeFile, renameFile } from '../wasi/files';
import { Copier, FOLLOW_ALWAYS, FOLLOW_NEVER, FOLLOW_OPERANDS } from './copy-tree';
import { makeDirectories } from './mkdir';
import { END, Options, operandFault, STOP } from './options';
import { removeTree } from './remove';

/** Where the operands go: a directory they keep their names in, or another name for the only one. */
class Destination {
  path: string = '';
  isDirectory: bool = false;
  sources: Array<string> = [];
  status: i32 = 0;

  /** Finds it; the status is not 0 when something is wrong, which is told. */
  find(context: Context, args: Array<string>, operands: Array<string>, target: string, never: bool): void {
    if (target != '') {
      this.path = target;
      this.isDirectory = true;
      this.sources = operands;
      if (operands.length == 0) this.status = operandFault(context, args, operands, -1);
      else if (!isDirectory(context, target)) {
        complain(
          context,
          args[0],
          `target directory '${target}': ${errorText(statError() == 0 ? ENOTDIR : statError())}`,
        );
        this.status = 1;
      }
      return;
    }
    if (operands.length < 2) {
      if (operands.length == 0) complain(context, args[0], 'missing file operand');
      else complain(context, args[0], `missing destination file operand after '${operands[0]}'`);
      this.status = 1;
      return;
    }
    this.path = operands[operands.length - 1];
    this.sources = operands.slice(0, operands.length - 1);
    this.isDirectory = !never && isDirectory(context, this.path);
    if (!this.isDirectory && operands.length > 2) {
      complain(context, args[0], never ? `extra operand '${operands[2]}'` : `target '${this.path}' is not a directory`);
      this.status = 1;
    }
  }

  of(source: string): string {
    if (!this.isDirectory) return this.path;
    const name = baseName(source);
    return name == '..' || name == '/' ? this.path : join(this.path, name);
  }
}

export function cp(context: Context, args: Array<string>): i32 {
  const copier = new Copier(context, args[0]);
  let target = '';
  let never = false;
  let parents = false;
  let follow = -1;
  const options = new Options(
    context,
    args,
    'abdfHiLlnPpRrst:Tuvx',
    'archive=a,force=f,interactive=i,dereference=L,link=l,no-clobber=n,no-dereference=P,preserve?=p,no-preserve:=N,' +
      'parents=D,recursive=r,symbolic-link=s,target-directory:=t,no-target-directory=T,update=u,verbose=v,' +
      'one-file-system=x,remove-destination=M,reflink?=K,sparse:=K,backup?=b',
  );
  for (let o = options.next(); o != END; o = options.next()) {
    switch (o) {
      case STOP:
        return options.status;
      case 97: // a
        copier.recursive = true;
        follow = FOLLOW_NEVER;
        copier.keepMode = copier.keepOwner = copier.keepTimes = copier.keepLinks = true;
        break;
      case 100: // d
        follow = FOLLOW_NEVER;
        copier.keepLinks = true;
        break;
      case 102: // f
        copier.force = true;
        break;
      case 72: // H
        follow = FOLLOW_OPERANDS;
        break;
      case 105: // i
        copier.ask = true;
        copier.noClobber = false;
        break;
      case 76: // L
        follow = FOLLOW_ALWAYS;
        break;
      case 108: // l
        copier.hardLinks = true;
        break;
      case 110: // n
        copier.noClobber = true;
        break;
      case 80: // P
        follow = FOLLOW_NEVER;
        break;
      case 112: // p
        if (!options.given) copier.keepMode = copier.keepOwner = copier.keepTimes = true;
        else keep(copier, options.value, true);
        break;
      case 78: // N
        keep(copier, options.value, false);
        break;
      case 68: // D
        parents = true;
        break;
      case 82: // R
      case 114: // r
        copier.recursive = true;
        break;
      case 115: // s
        copier.symbolicLinks = true;
        break;
      case 116: // t
        target = options.value;
        break;
      case 84: // T
        never = true;
        break;
      case 117: // u
        copier.update = true;
        break;
      case 118: // v
        copier.verbose = true;
        break;
      case 77: // M
        copier.removeFirst = true;
        break;
      case 98: // b
        complain(context, args[0], 'backups are not made here');
        return 1;
    }
  }
  copier.follow = follow >= 0 ? follow : copier.recursive ? FOLLOW_NEVER : FOLLOW_ALWAYS;
  const destination = new Destination();
  destination.find(context, args, options.operands, target, never);
  if (destination.status != 0) return destination.status;
  for (let i = 0; i < destination.sources.length; i++) {
    const source = destination.sources[i];
    if (parents) {
      if (!copier.parents(destination.path, source)) continue;
      copier.copy(trimmed(source), join(destination.path, trimmed(source)), true);
    } else {
      const last = baseName(source);
      // what is in `dir/.` goes into the destination itself
      copier.copy(source, last == '.' && destination.isDirectory ? destination.path : destination.of(source), true);
    }
  }
  return copier.status;
}

function keep(copier: Copier, list: string, value: bool): void {
  const names = list.split(',');
  for (let i = 0; i < names.length; i++) {
    const all = names[i] == 'all';
    if (all || names[i] == 'mode') copier.keepMode = value;
    if (all || names[i] == 'ownership') copier.keepOwner = value;
    if (all || names[i] == 'timestamps') copier.keepTimes = value;
    if (all || names[i] == 'links') copier.keepLinks = value;
  }
}

export function mv(context: Context, args: Array<string>): i32 {
  const copier = new Copier(context, args[0]);
  copier.recursive = copier.keepMode = copier.keepOwner = copier.keepTimes = copier.keepLinks = true;
  copier.follow = FOLLOW_NEVER;
  let target = '';
  let never = false;
  const options = new Options(
    context,
    args,
    'fint:Tuv',
    'force=f,interactive=i,no-clobber=n,target-directory:=t,no-target-directory=T,update=u,verbose=v',
  );
  for (let o = options.next(); o != END; o = options.next()) {
    if (o == STOP) return options.status;
    if (o == 116) target = options.value;
    else if (o == 84) never = true;
    else if (o == 110) copier.noClobber = true;
    else if (o == 117) copier.update = true;
    else if (o == 118) copier.verbose = true;
    else copier.ask = o == 105;
  }
  const destination = new Destination();
  destination.find(context, args, options.operands, target, never);
  if (destination.status != 0) return destination.status;
  for (let i = 0; i < destination.sources.length; i++) {
    move(copier, trimmed(destination.sources[i]), destination.of(destination.sources[i]));
  }
  return copier.status;
}

function move(copier: Copier, from: string, to: string): void {
  const context = copier.context;
  const source = statOf(context, from, false);
  if (source == null) {
    copier.fail('stat', from, statError());
    return;
  }
  const there = statOf(context, to, false);
  if (there != null) {
    if (
      there.dev == source.dev &&
      there.ino == source.ino &&
      realPath(context, dirName(from), 0) == realPath(context, dirName(to), 0) &&
      baseName(from) == baseName(to)
    ) {
      copier.refuse(`'${from}' and '${to}' are the same file`);
      return;
    }
    if (source.isDirectory && !there.isDirectory) {
      copier.refuse(`cannot overwrite non-directory '${to}' with directory '${from}'`);
      return;
    }
    if (!source.isDirectory && there.isDirectory) {
      copier.refuse(`cannot overwrite directory '${to}' with non-directory`);
      return;
    }
    if (copier.noClobber || (copier.update && there.mtime >= source.mtime)) return;
    if (copier.ask) {
      context.stderr.write(`${copier.name}: overwrite '${to}'? `);
      context.stderr.flush();
      const answer = context.stdin.line();
      if (answer == null || !answer.toLowerCase().startsWith('y')) return;
    }
  }
  if (source.isDirectory) {
    const realFrom = realPath(context, from, 0);
    const realTo = realPath(context, to, 1);
    if (realTo.startsWith(`${realFrom}/`)) {
      copier.refuse(`cannot move '${from}' to a subdirectory of itself, '${to}'`);
      return;
    }
  }
  const errno = renameFile(absolute(context, from), absolute(context, to));
  if (errno == 0) {
    if (copier.verbose) context.stdout.line(`renamed '${from}' -> '${to}'`);
    return;
  }
  if (errno != -EXDEV) {
    complain(context, copier.name, `cannot move '${from}' to '${to}': ${errorText(errno)}`);
    copier.status = 1;
    return;
  }
  const before = copier.status;
  copier.status = 0;
  if (there != null && !there.isDirectory) removeFile(absolute(context, to));
  copier.copy(from, to, true);
  if (copier.status == 0) copier.status = removeTree(context, copier.name, from);
  if (copier.status == 0) copier.status = before;
}

export function install(context: Context, args: Array<string>): i32 {
  const copier = new Copier(context, args[0]);
  let directories = false;
  let leading = false;
  let never = false;
  let target = '';
  let mode = 0o755;
  let uid = -1;
  let gid = -1;
  const options = new Options(
    context,
    args,
    'bcCdDg:m:o:pst:Tv',
    'directory=d,group:=g,mode:=m,owner:=o,preserve-timestamps=p,strip=s,target-directory:=t,no-target-directory=T,verbose=v,compare=C',
  );
  for (let o = options.next(); o != END; o = options.next()) {
    switch (o) {
      case STOP:
        return options.status;
      case 100: // d
        directories = true;
        break;
      case 68: // D
        leading = true;
        break;
      case 103: // g
        gid = <i32>groupId(options.value);
        if (gid < 0) {
          complain(context, args[0], `invalid group '${options.value}'`);
          return 1;
        }
        break;
      case 109: // m
        mode = changedMode(options.value, 0, 0);
        if (mode == BAD_MODE) {
          complain(context, args[0], `invalid mode '${options.value}'`);
          return 1;
        }
        break;
      case 111: // o
        uid = <i32>userId(options.value);
        if (uid < 0) {
          complain(context, args[0], `invalid user '${options.value}'`);
          return 1;
        }
        break;
      case 112: // p
        copier.keepTimes = true;
        break;
      case 116: // t
        target = options.value;
        break;
      case 84: // T
        never = true;
        break;
      case 118: // v
        copier.verbose = true;
        break;
    }
  }
  const operands = options.operands;
  if (directories) {
    for (let i = 0; i < operands.length; i++) {
      const errno = makeDirectories(context, operands[i], copier.verbose ? args[0] : '');
      if (errno < 0) copier.fail('create directory', operands[i], errno);
      else finish(copier, operands[i], mode, uid, gid);
    }
    return operands.length == 0 ? operandFault(context, args, operands, -1) : copier.status;
  }
  if (leading && target != '') makeDirectories(context, target, '');
  else if (leading && operands.length == 2) makeDirectories(context, dirName(operands[1]), '');
  const destination = new Destination();
  destination.find(context, args, operands, target, never);
  if (destination.status != 0) return destination.status;
  copier.removeFirst = true;
  for (let i = 0; i < destination.sources.length; i++) {
    const to = destination.of(destination.sources[i]);
    const before = copier.status;
    copier.status = 0;
    copier.copy(destination.sources[i], to, true);
    if (copier.status == 0) finish(copier, to, mode, uid, gid);
    if (copier.status == 0) copier.status = before;
  }
  return copier.status;
}

function finish(copier: Copier, path: string, mode: i32, uid: i32, gid: i32): void {
  const full = absolute(copier.context, path);
  let errno = uid >= 0 || gid >= 0 ? changeOwner(full, true, uid, gid) : 0;
  if (errno < 0) copier.fail('change ownership of', path, errno);
  errno = changeMode(full, true, mode);
  if (errno < 0) copier.fail('change permissions of', path, errno);
}
