/** The programs by their names. */
import { Applet, Context } from '../applet';
import { complain, settle } from '../io/messages';
import { baseName } from '../io/paths';
import { cat, rev, tac } from './cat';
import { cp, install, mv } from './copy';
import { grep } from './grep';
import { link, ln, readlink, realpath } from './links';
import { ls } from './ls';
import { mkdir, mkfifo } from './mkdir';
import { echo, printf } from './printf';
import { rm, rmdir, unlink } from './remove';
import { basename, dirname, env, hostname, id, no, nothing, nproc, printenv, pwd, sleep, uname, whoami, yes } from './small';
import { test } from './test';

let table: Map<string, Applet> | null = null;

function applets(): Map<string, Applet> {
  const known = table;
  if (known != null) return known;
  const t = new Map<string, Applet>();
  table = t;
  t.set('[', test);
  t.set('basename', basename);
  t.set('cat', cat);
  t.set('cp', cp);
  t.set('dirname', dirname);
  t.set('echo', echo);
  t.set('egrep', grep);
  t.set('env', env);
  t.set('false', no);
  t.set('fgrep', grep);
  t.set('grep', grep);
  t.set('hostname', hostname);
  t.set('id', id);
  t.set('install', install);
  t.set('link', link);
  t.set('ln', ln);
  t.set('ls', ls);
  t.set('mkdir', mkdir);
  t.set('mkfifo', mkfifo);
  t.set('mv', mv);
  t.set('nproc', nproc);
  t.set('printenv', printenv);
  t.set('printf', printf);
  t.set('pwd', pwd);
  t.set('readlink', readlink);
  t.set('realpath', realpath);
  t.set('rev', rev);
  t.set('rm', rm);
  t.set('rmdir', rmdir);
  t.set('sleep', sleep);
  t.set('tac', tac);
  t.set('test', test);
  t.set('true', nothing);
  t.set('uname', uname);
  t.set('unlink', unlink);
  t.set('whoami', whoami);
  t.set('yes', yes);
  return t;
}

export function find(name: string): Applet | null {
  const all = applets();
  return all.has(name) ? all.get(name) : null;
}

/** In the order of their names. */
export function names(): Array<string> {
  return applets().keys();
}

/** Runs what `args[0]` names; flushes, and tells of a failed write. 127 where there is no such program. */
export function runApplet(context: Context, args: Array<string>): i32 {
  const name = baseName(args[0]);
  const applet = find(name);
  if (applet == null) {
    complain(context, name, 'applet not found');
    return 127;
  }
  return settle(context, name, applet(context, args));
}
