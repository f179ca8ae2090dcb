/** The programs by their names. */
import { Applet, Context } from '../applet';
import { complain, settle } from '../io/messages';
import { baseName } from '../io/paths';
import { awk } from './awk/awk';
import { cat, rev, tac } from './cat';
import { cp, install, mv } from './copy';
import { cut, paste } from './cut';
import { date, touch } from './date';
import { expr } from './expr';
import { findFiles } from './find';
import { grep } from './grep';
import { gzip } from './gzip';
import { head, tail } from './head';
import { expand, fold, nl, seq, split, tee } from './lines';
import { link, ln, readlink, realpath } from './links';
import { ls } from './ls';
import { mkdir, mkfifo } from './mkdir';
import { dd, mktemp, sync, truncate } from './mktemp';
import { chgrp, chmod, chown } from './owners';
import { echo, printf } from './printf';
import { rm, rmdir, unlink } from './remove';
import { sed } from './sed';
import {
  basename,
  dirname,
  env,
  hostname,
  id,
  no,
  nothing,
  nproc,
  printenv,
  pwd,
  sleep,
  uname,
  whoami,
  yes,
} from './small';
import { sort } from './sort';
import { df, du, stat } from './stat';
import { base64, cksum, digestSum, sum } from './sums';
import { tar } from './tar';
import { test } from './test';
import { tr } from './tr';
import { comm, uniq } from './uniq';
import { wc } from './wc';
import { plainly, timeout, which, xargs } from './xargs';

let table: Map<string, Applet> | null = null;

function applets(): Map<string, Applet> {
  const known = table;
  if (known != null) return known;
  const t = new Map<string, Applet>();
  table = t;
  t.set('[', test);
  t.set('awk', awk);
  t.set('base64', base64);
  t.set('basename', basename);
  t.set('cat', cat);
  t.set('chgrp', chgrp);
  t.set('chmod', chmod);
  t.set('chown', chown);
  t.set('cksum', cksum);
  t.set('comm', comm);
  t.set('cp', cp);
  t.set('cut', cut);
  t.set('date', date);
  t.set('dd', dd);
  t.set('df', df);
  t.set('dirname', dirname);
  t.set('du', du);
  t.set('echo', echo);
  t.set('egrep', grep);
  t.set('env', env);
  t.set('expand', expand);
  t.set('expr', expr);
  t.set('false', no);
  t.set('fgrep', grep);
  t.set('find', findFiles);
  t.set('fold', fold);
  t.set('grep', grep);
  t.set('gunzip', gzip);
  t.set('gzip', gzip);
  t.set('head', head);
  t.set('hostname', hostname);
  t.set('id', id);
  t.set('install', install);
  t.set('link', link);
  t.set('ln', ln);
  t.set('ls', ls);
  t.set('md5sum', digestSum);
  t.set('mkdir', mkdir);
  t.set('mkfifo', mkfifo);
  t.set('mktemp', mktemp);
  t.set('mv', mv);
  t.set('nice', plainly);
  t.set('nl', nl);
  t.set('nohup', plainly);
  t.set('nproc', nproc);
  t.set('paste', paste);
  t.set('printenv', printenv);
  t.set('printf', printf);
  t.set('pwd', pwd);
  t.set('readlink', readlink);
  t.set('realpath', realpath);
  t.set('rev', rev);
  t.set('rm', rm);
  t.set('rmdir', rmdir);
  t.set('sed', sed);
  t.set('seq', seq);
  t.set('sha1sum', digestSum);
  t.set('sha224sum', digestSum);
  t.set('sha256sum', digestSum);
  t.set('sha384sum', digestSum);
  t.set('sha512sum', digestSum);
  t.set('sleep', sleep);
  t.set('sort', sort);
  t.set('split', split);
  t.set('stat', stat);
  t.set('sum', sum);
  t.set('sync', sync);
  t.set('tac', tac);
  t.set('tail', tail);
  t.set('tar', tar);
  t.set('tee', tee);
  t.set('test', test);
  t.set('timeout', timeout);
  t.set('touch', touch);
  t.set('tr', tr);
  t.set('true', nothing);
  t.set('truncate', truncate);
  t.set('uname', uname);
  t.set('uniq', uniq);
  t.set('unlink', unlink);
  t.set('wc', wc);
  t.set('which', which);
  t.set('whoami', whoami);
  t.set('xargs', xargs);
  t.set('yes', yes);
  t.set('zcat', gzip);
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
