/** ln, link, readlink, realpath */
import { Context } from '../applet';
import { complain } from '../io/messages';
import { absolute, baseName, components, dirName, join } from '../io/paths';
import { realPath, statError, statOf } from '../io/walk';
import { EEXIST, errorText } from '../wasi/errno';
import { linkFile, linkTarget, makeSymbolicLink, readLink, removeFile } from '../wasi/files';
import { END, Options, operandFault, STOP } from './options';

class LinkStyle {
  symbolic: bool = false;
  force: bool = false;
  noFollow: bool = false;
  relative: bool = false;
  verbose: bool = false;
}

export function ln(context: Context, args: Array<string>): i32 {
  const style = new LinkStyle();
  let never = false;
  let target = '';
  const options = new Options(
    context,
    args,
    'sfnrvTt:LPib',
    'symbolic=s,force=f,no-dereference=n,relative=r,verbose=v,no-target-directory=T,target-directory:=t,logical=L,physical=P',
  );
  for (let o = options.next(); o != END; o = options.next()) {
    if (o == STOP) return options.status;
    if (o == 115) style.symbolic = true;
    else if (o == 102) style.force = true;
    else if (o == 110) style.noFollow = true;
    else if (o == 114) style.relative = true;
    else if (o == 118) style.verbose = true;
    else if (o == 84) never = true;
    else if (o == 116) target = options.value;
  }
  let operands = options.operands;
  if (operands.length == 0) return operandFault(context, args, operands, -1);
  if (style.relative && !style.symbolic) {
    complain(context, args[0], 'cannot do --relative without --symbolic');
    return 1;
  }
  if (target == '' && operands.length == 1 && !never) target = '.';
  if (target == '' && !never) {
    const last = operands[operands.length - 1];
    const stat = statOf(context, last, !style.noFollow);
    if (stat != null && stat.isDirectory) {
      target = last;
      operands = operands.slice(0, operands.length - 1);
    } else if (operands.length > 2) {
      complain(context, args[0], `target '${last}' is not a directory`);
      return 1;
    }
  }
  if (target == '') {
    if (operands.length != 2) return operandFault(context, args, operands, 2);
    return make(context, args[0], operands[0], operands[1], style);
  }
  let status = 0;
  for (let i = 0; i < operands.length; i++) {
    status |= make(context, args[0], operands[i], join(target, baseName(operands[i])), style);
  }
  return status;
}

function make(context: Context, name: string, source: string, path: string, style: LinkStyle): i32 {
  const kind = style.symbolic ? 'symbolic' : 'hard';
  const full = absolute(context, path);
  const said = style.relative
    ? relativePath(realPath(context, dirName(path), 2), realPath(context, source, 2))
    : source;
  if (!style.symbolic) {
    const stat = statOf(context, source, false);
    if (stat == null) {
      complain(context, name, `failed to access '${source}': ${errorText(statError())}`);
      return 1;
    }
    if (stat.isDirectory) {
      complain(context, name, `${source}: hard link not allowed for directory`);
      return 1;
    }
  }
  let errno = 0;
  for (let round = 0; round < 2; round++) {
    errno = style.symbolic ? makeSymbolicLink(said, full) : linkFile(absolute(context, source), full);
    if (errno != -EEXIST || !style.force || isRealDirectory(context, path)) break;
    if (!style.symbolic) {
      const one = statOf(context, source, false);
      const other = statOf(context, path, false);
      if (one != null && other != null && one.ino == other.ino && one.dev == other.dev) {
        complain(context, name, `'${source}' and '${path}' are the same file`);
        return 1;
      }
    }
    errno = removeFile(full);
    if (errno < 0) break;
  }
  if (errno < 0) {
    const arrow = style.symbolic ? '' : ` => '${source}'`;
    complain(context, name, `failed to create ${kind} link '${path}'${arrow}: ${errorText(errno)}`);
    return 1;
  }
  if (style.verbose) context.stdout.line(`'${path}' ${style.symbolic ? '->' : '=>'} '${said}'`);
  return 0;
}

function isRealDirectory(context: Context, path: string): bool {
  const stat = statOf(context, path, false);
  return stat != null && stat.isDirectory;
}

/** From one directory to a path, both without links. */
export function relativePath(from: string, to: string): string {
  const here = components(from);
  const there = components(to);
  let common = 0;
  while (common < here.length && common < there.length && here[common] == there[common]) common++;
  const parts: string[] = [];
  for (let i = common; i < here.length; i++) parts.push('..');
  for (let i = common; i < there.length; i++) parts.push(there[i]);
  return parts.length == 0 ? '.' : parts.join('/');
}

export function link(context: Context, args: Array<string>): i32 {
  const options = new Options(context, args, '');
  for (let o = options.next(); o != END; o = options.next()) if (o == STOP) return options.status;
  if (options.operands.length != 2) return operandFault(context, args, options.operands, 2);
  const errno = linkFile(absolute(context, options.operands[0]), absolute(context, options.operands[1]));
  if (errno == 0) return 0;
  const pair = `'${options.operands[1]}' to '${options.operands[0]}'`;
  complain(context, args[0], `cannot create link ${pair}: ${errorText(errno)}`);
  return 1;
}

export function readlink(context: Context, args: Array<string>): i32 {
  // how many components may be missing; -1: only what the link holds
  let canonical = -1;
  let end = '\n';
  let verbose = false;
  const options = new Options(
    context,
    args,
    'femnqsvz',
    'canonicalize=f,canonicalize-existing=e,canonicalize-missing=m,no-newline=n,quiet=q,silent=s,verbose=v,zero=z',
  );
  for (let o = options.next(); o != END; o = options.next()) {
    if (o == STOP) return options.status;
    if (o == 102) canonical = 1;
    else if (o == 101) canonical = 0;
    else if (o == 109) canonical = 2;
    else if (o == 110) end = '';
    else if (o == 122) end = '\0';
    else verbose = o == 118;
  }
  if (options.operands.length == 0) return operandFault(context, args, options.operands, -1);
  let status = 0;
  for (let i = 0; i < options.operands.length; i++) {
    const path = options.operands[i];
    let found = '';
    let errno = 0;
    if (canonical >= 0) {
      found = realPath(context, path, canonical);
      errno = found == '' ? statError() : 0;
    } else {
      errno = readLink(absolute(context, path));
      found = errno == 0 ? linkTarget : '';
    }
    if (errno != 0) {
      if (verbose) complain(context, args[0], `${path}: ${errorText(errno)}`);
      status = 1;
    } else {
      context.stdout.write(found + (end == '' && options.operands.length > 1 ? '\n' : end));
    }
  }
  return status;
}

export function realpath(context: Context, args: Array<string>): i32 {
  let missing = 1;
  let end = '\n';
  let quiet = false;
  let base = '';
  let plain = false;
  const options = new Options(
    context,
    args,
    'emsqzLP',
    'canonicalize-existing=e,canonicalize-missing=m,strip=s,no-symlinks=s,quiet=q,zero=z,relative-to:=R,logical=L,physical=P',
  );
  for (let o = options.next(); o != END; o = options.next()) {
    if (o == STOP) return options.status;
    if (o == 101) missing = 0;
    else if (o == 109) missing = 2;
    else if (o == 115) plain = true;
    else if (o == 113) quiet = true;
    else if (o == 122) end = '\0';
    else if (o == 82) base = options.value;
  }
  if (options.operands.length == 0) return operandFault(context, args, options.operands, -1);
  let status = 0;
  for (let i = 0; i < options.operands.length; i++) {
    const path = options.operands[i];
    const found = plain ? lexical(absolute(context, path)) : realPath(context, path, missing);
    if (found == '') {
      if (!quiet) complain(context, args[0], `${path}: ${errorText(statError())}`);
      status = 1;
    } else {
      context.stdout.write((base == '' ? found : relativePath(realPath(context, base, 2), found)) + end);
    }
  }
  return status;
}

function lexical(path: string): string {
  const parts = components(path);
  const kept: string[] = [];
  for (let i = 0; i < parts.length; i++) {
    if (parts[i] != '..') kept.push(parts[i]);
    else if (kept.length > 0) kept.pop();
  }
  return `/${kept.join('/')}`;
}
