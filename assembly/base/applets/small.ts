/** true, false, pwd, env, printenv, basename, dirname, yes, sync, sleep, nproc, hostname, uname, whoami and their like. */
import { Context } from '../applet';
import { complain } from '../io/messages';
import { numberEnd, parseFloatAt } from '../io/number';
import { absolute, baseName, dirName } from '../io/paths';
import { FdReader } from '../io/reader';
import { groupName, loginGroup, supplementaryGroups, userId, userName } from '../io/users';
import { realPath, statOf } from '../io/walk';
import { sleep as pause } from '../wasi/clock';
import { openFile, READ } from '../wasi/files';
import { processIds } from '../wasi/process';
import { END, Options, operandFault, STOP } from './options';
import { runCommand } from './run-command';

export function nothing(_context: Context, _args: Array<string>): i32 {
  return 0;
}

export function no(_context: Context, _args: Array<string>): i32 {
  return 1;
}

export function pwd(context: Context, args: Array<string>): i32 {
  let physical = true;
  const options = new Options(context, args, 'LP', 'logical=L,physical=P');
  for (let o = options.next(); o != END; o = options.next()) {
    if (o == STOP) return options.status;
    physical = o == 80;
  }
  if (!physical) {
    const known = context.env.has('PWD') ? context.env.get('PWD') : '';
    const there = known.startsWith('/') ? statOf(context, known, true) : null;
    const here = statOf(context, context.cwd, true);
    if (there != null && here != null && there.ino == here.ino && there.dev == here.dev) {
      context.stdout.line(known);
      return 0;
    }
  }
  const path = realPath(context, context.cwd, 0);
  if (path == '') {
    complain(context, args[0], 'the working directory is gone');
    return 1;
  }
  context.stdout.line(path);
  return 0;
}

/** The environment, or a command in another one. */
export function env(context: Context, args: Array<string>): i32 {
  const variables = new Map<string, string>();
  const keys = context.env.keys();
  for (let i = 0; i < keys.length; i++) variables.set(keys[i], context.env.get(keys[i]));
  let cwd = context.cwd;
  let end = '\n';
  const options = new Options(
    context,
    args,
    '+iu:0C:S:',
    'ignore-environment=i,unset:=u,null=0,chdir:=C,split-string:=S',
    125,
  );
  let words: string[] = [];
  for (let o = options.next(); o != END; o = options.next()) {
    if (o == STOP) return options.status;
    if (o == 105) variables.clear();
    else if (o == 117) variables.delete(options.value);
    else if (o == 48) end = '\0';
    else if (o == 67) cwd = absolute(context, options.value);
    else words = options.value.split(' ').filter((word) => word.length > 0);
  }
  words = words.concat(options.operands);
  let first = 0;
  if (first < words.length && words[first] == '-') {
    variables.clear();
    first++;
  }
  for (; first < words.length; first++) {
    const equals = words[first].indexOf('=');
    if (equals < 0) break;
    variables.set(words[first].substring(0, equals), words[first].substring(equals + 1));
  }
  if (first < words.length) {
    const inner = new Context(context.stdin, context.stdout, context.stderr, cwd, variables);
    return runCommand(inner, words.slice(first));
  }
  const names = variables.keys();
  for (let i = 0; i < names.length; i++) context.stdout.write(`${names[i]}=${variables.get(names[i])}${end}`);
  return 0;
}

export function printenv(context: Context, args: Array<string>): i32 {
  let end = '\n';
  const options = new Options(context, args, '+0', 'null=0', 2);
  for (let o = options.next(); o != END; o = options.next()) {
    if (o == STOP) return options.status;
    end = '\0';
  }
  if (options.operands.length == 0) {
    const names = context.env.keys();
    for (let i = 0; i < names.length; i++) context.stdout.write(`${names[i]}=${context.env.get(names[i])}${end}`);
    return 0;
  }
  let status = 0;
  for (let i = 0; i < options.operands.length; i++) {
    const name = options.operands[i];
    if (context.env.has(name)) context.stdout.write(context.env.get(name) + end);
    else status = 1;
  }
  return status;
}

export function basename(context: Context, args: Array<string>): i32 {
  let many = false;
  let suffix = '';
  let end = '\n';
  const options = new Options(context, args, '+as:z', 'multiple=a,suffix:=s,zero=z');
  for (let o = options.next(); o != END; o = options.next()) {
    if (o == STOP) return options.status;
    if (o == 122) end = '\0';
    else many = true;
    if (o == 115) suffix = options.value;
  }
  const operands = options.operands;
  if (operands.length == 0 || (!many && operands.length > 2)) return operandFault(context, args, operands, 2);
  if (!many && operands.length == 2) suffix = operands[1];
  const count = many ? operands.length : 1;
  for (let i = 0; i < count; i++) {
    let name = baseName(operands[i]);
    if (suffix.length > 0 && name.length > suffix.length && name.endsWith(suffix)) {
      name = name.substring(0, name.length - suffix.length);
    }
    context.stdout.write(name + end);
  }
  return 0;
}

export function dirname(context: Context, args: Array<string>): i32 {
  let end = '\n';
  const options = new Options(context, args, 'z', 'zero=z');
  for (let o = options.next(); o != END; o = options.next()) {
    if (o == STOP) return options.status;
    end = '\0';
  }
  if (options.operands.length == 0) return operandFault(context, args, options.operands, -1);
  for (let i = 0; i < options.operands.length; i++) context.stdout.write(dirName(options.operands[i]) + end);
  return 0;
}

export function yes(context: Context, args: Array<string>): i32 {
  const line = args.length > 1 ? args.slice(1).join(' ') : 'y';
  while (context.stdout.error == 0) context.stdout.line(line);
  return 1;
}

/** The sum of its operands: seconds, or with s, m, h, d. */
export function sleep(context: Context, args: Array<string>): i32 {
  if (args.length < 2) return operandFault(context, args, [], -1);
  let seconds: f64 = 0;
  for (let i = 1; i < args.length; i++) {
    const time = duration(args[i]);
    if (time < 0) {
      complain(context, args[0], `invalid time interval '${args[i]}'`);
      return 1;
    }
    seconds += time;
  }
  context.stdout.flush();
  pause(<i64>(min(seconds, 9e9) * 1e9));
  return 0;
}

/** Seconds; negative where it is no duration. */
export function duration(text: string): f64 {
  if (text == 'infinity' || text == 'inf') return 9e9;
  const value = parseFloatAt(text, 0);
  const end = numberEnd();
  const unitOf = text.substring(end);
  if (end == 0 || value < 0 || unitOf.length > 1) return -1;
  if (unitOf == '' || unitOf == 's') return value;
  if (unitOf == 'm') return value * 60;
  if (unitOf == 'h') return value * 3600;
  return unitOf == 'd' ? value * 86400 : -1;
}

export function nproc(context: Context, args: Array<string>): i32 {
  const options = new Options(context, args, '', 'all=a,ignore:=i');
  for (let o = options.next(); o != END; o = options.next()) if (o == STOP) return options.status;
  context.stdout.line('1');
  return 0;
}

/** Writes what a file of the container holds in its first line; empty where there is none. */
function lineOf(path: string): string {
  const fd = openFile(path, READ);
  if (fd < 0) return '';
  const reader = new FdReader(fd);
  const line = reader.line();
  reader.close();
  return line == null ? '' : line;
}

function hostName(context: Context): string {
  const name = lineOf('/etc/hostname');
  if (name != '') return name;
  return context.env.has('HOSTNAME') ? context.env.get('HOSTNAME') : 'localhost';
}

export function hostname(context: Context, args: Array<string>): i32 {
  const options = new Options(context, args, 'fsid', 'fqdn=f,short=s,ip-address=i,domain=d');
  let short = false;
  for (let o = options.next(); o != END; o = options.next()) {
    if (o == STOP) return options.status;
    if (o == 115) short = true;
  }
  if (options.operands.length > 0) {
    complain(context, args[0], 'the name of a container is set when it is made');
    return 1;
  }
  const name = hostName(context);
  context.stdout.line(short ? name.split('.')[0] : name);
  return 0;
}

const UNAME_LETTERS = 'snrvmpio';

export function uname(context: Context, args: Array<string>): i32 {
  const options = new Options(
    context,
    args,
    'asnrvmpio',
    'all=a,kernel-name=s,nodename=n,kernel-release=r,kernel-version=v,machine=m,processor=p,hardware-platform=i,operating-system=o',
  );
  let wanted = 0;
  for (let o = options.next(); o != END; o = options.next()) {
    if (o == STOP) return options.status;
    // -a leaves out what is unknown: processor and hardware platform
    wanted |= o == 97 ? 0b10011111 : 1 << UNAME_LETTERS.indexOf(String.fromCharCode(o));
  }
  if (options.operands.length > 0) return operandFault(context, args, options.operands, 0);
  if (wanted == 0) wanted = 1;
  const words: StaticArray<string> = [
    'wasi',
    hostName(context),
    'preview1',
    'wctr',
    'wasm32',
    'unknown',
    'unknown',
    'WASI',
  ];
  const shown: string[] = [];
  for (let i = 0; i < words.length; i++) if (wanted & (1 << i)) shown.push(words[i]);
  context.stdout.line(shown.join(' '));
  return 0;
}

export function whoami(context: Context, args: Array<string>): i32 {
  if (args.length > 1) return operandFault(context, args, args.slice(1), 0);
  const uid = processIds().uid;
  const name = userName(uid);
  if (name == '') {
    complain(context, args[0], `cannot find name for user ID ${uid}`);
    return 1;
  }
  context.stdout.line(name);
  return 0;
}

export function id(context: Context, args: Array<string>): i32 {
  const options = new Options(context, args, 'ugGnrz', 'user=u,group=g,groups=G,name=n,real=r,zero=z');
  let what = 0;
  let names = false;
  for (let o = options.next(); o != END; o = options.next()) {
    if (o == STOP) return options.status;
    if (o == 110) names = true;
    else if (o != 114 && o != 122) what = o;
  }
  const ids = processIds();
  let uid = <u32>ids.uid;
  let gid = <u32>ids.gid;
  let user = userName(uid);
  if (options.operands.length > 0) {
    user = options.operands[0];
    const found = userId(user);
    if (found < 0) {
      complain(context, args[0], `'${user}': no such user`);
      return 1;
    }
    uid = <u32>found;
    gid = <u32>max(loginGroup(user), 0);
  }
  const more = supplementaryGroups(user);
  const groups: u32[] = [gid];
  for (let i = 0; i < more.length; i++) if (!groups.includes(more[i])) groups.push(more[i]);
  const out = context.stdout;
  if (what == 117) {
    out.line(names && user != '' ? user : uid.toString());
  } else if (what == 103) {
    const name = groupName(gid);
    out.line(names && name != '' ? name : gid.toString());
  } else if (what == 71) {
    const shown: string[] = [];
    for (let i = 0; i < groups.length; i++) {
      const name = groupName(groups[i]);
      shown.push(names && name != '' ? name : groups[i].toString());
    }
    out.line(shown.join(' '));
  } else {
    const shown: string[] = [];
    for (let i = 0; i < groups.length; i++) shown.push(`${groups[i]}${parenthesised(groupName(groups[i]))}`);
    out.line(`uid=${uid}${parenthesised(user)} gid=${gid}${parenthesised(groupName(gid))} groups=${shown.join(',')}`);
  }
  return 0;
}

function parenthesised(name: string): string {
  return name == '' ? '' : `(${name})`;
}
