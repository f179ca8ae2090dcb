/** gzip, gunzip, zcat */
import { Context } from '../applet';
import { GzipWriter } from '../archive/deflate';
import { GunzipReader } from '../archive/inflate';
import { complain, complainOf } from '../io/messages';
import { closeInput, inputOf, openError, openOutput } from '../io/open';
import { absolute, baseName, join } from '../io/paths';
import { Reader } from '../io/reader';
import { statError, statOf } from '../io/walk';
import { Writer } from '../io/writer';
import { EEXIST, errorText } from '../wasi/errno';
import {
  CREATE,
  changeMode,
  changeOwner,
  EXCLUSIVE,
  readDirectory,
  removeFile,
  setTimes,
  TIME_ATIME,
  TIME_MTIME,
  TRUNCATE,
  WRITE,
} from '../wasi/files';
import { END, Options, STOP } from './options';

const BLOCK: i32 = 65536;

class Work {
  decompress: bool = false;
  toStdout: bool = false;
  keep: bool = false;
  force: bool = false;
  test: bool = false;
  quiet: bool = false;
  recursive: bool = false;
  verbose: bool = false;
  level: i32 = 6;
  suffix: string = '.gz';
  status: i32 = 0;

  constructor(
    public context: Context,
    public name: string,
  ) {}

  fail(text: string): void {
    complain(this.context, this.name, text);
    this.status = 1;
  }

  /** False when it failed, which is told. */
  convert(reader: Reader, writer: Writer, path: string): bool {
    const block = new StaticArray<u8>(BLOCK);
    const at = changetype<usize>(block);
    if (this.decompress) {
      const source = new GunzipReader(reader);
      while (writer.error == 0) {
        const got = source.chunk(at, BLOCK);
        if (got == 0) break;
        if (!this.test) writer.bytes(at, got);
      }
      if (source.fault == '') return true;
      if (source.fault.startsWith('decompression OK')) {
        if (!this.quiet) complain(this.context, this.name, `${path}: ${source.fault}`);
        if (this.status == 0) this.status = 2;
        return true;
      }
      this.fail(`${path}: ${source.fault}`);
      return false;
    }
    const target = new GzipWriter(writer, this.level);
    while (writer.error == 0) {
      const got = reader.chunk(at, BLOCK);
      if (got == 0) break;
      target.bytes(at, got);
    }
    return target.close();
  }

  file(path: string): void {
    const context = this.context;
    const stat = statOf(context, path, this.toStdout || this.force);
    if (stat == null) {
      // gunzip x means x.gz where there is no x
      if (this.decompress && !path.endsWith(this.suffix) && statOf(context, path + this.suffix, true) != null) {
        this.file(path + this.suffix);
        return;
      }
      complainOf(context, this.name, path, statError() == 0 ? 44 : statError());
      this.status = 1;
      return;
    }
    if (stat.isDirectory) {
      if (!this.recursive) {
        if (!this.quiet) complain(context, this.name, `${path} is a directory -- ignored`);
        if (this.status == 0) this.status = 2;
        return;
      }
      const names: string[] = [];
      readDirectory(absolute(context, path), names);
      for (let i = 0; i < names.length; i++) this.file(join(path, names[i]));
      return;
    }
    if (!stat.isFile && !this.toStdout) {
      this.fail(`${path} is not a directory or a regular file - ignored`);
      return;
    }
    let target = '';
    if (!this.toStdout && !this.test) {
      if (!this.decompress) {
        if (path.endsWith(this.suffix) && !this.force) {
          complain(context, this.name, `${path} already has ${this.suffix} suffix -- unchanged`);
          if (this.status == 0) this.status = 2;
          return;
        }
        target = path + this.suffix;
      } else if (path.endsWith(this.suffix)) target = path.substring(0, path.length - this.suffix.length);
      else if (path.endsWith('.tgz')) target = `${path.substring(0, path.length - 3)}tar`;
      else {
        complain(context, this.name, `${path}: unknown suffix -- ignored`);
        if (this.status == 0) this.status = 2;
        return;
      }
    }
    const reader = inputOf(context, this.name, path);
    if (reader == null) {
      this.status = 1;
      return;
    }
    if (target == '') {
      this.convert(reader, context.stdout, path);
      if (!closeInput(context, this.name, path, reader)) this.status = 1;
      return;
    }
    const writer = openOutput(context, target, WRITE | CREATE | (this.force ? TRUNCATE : EXCLUSIVE));
    if (writer == null) {
      this.fail(
        openError() == EEXIST ? `${target} already exists; not overwritten` : `${target}: ${errorText(openError())}`,
      );
      closeInput(context, this.name, path, reader);
      return;
    }
    const isFine = this.convert(reader, writer, path);
    const isRead = closeInput(context, this.name, path, reader);
    const isWritten = writer.close();
    const full = absolute(context, target);
    if (!isFine || !isRead || !isWritten) {
      if (!isWritten) complainOf(context, this.name, target, writer.error);
      this.status = 1;
      removeFile(full);
      return;
    }
    changeOwner(full, true, stat.uid, stat.gid);
    changeMode(full, true, stat.mode & 0o7777);
    setTimes(full, true, stat.atime, stat.mtime, TIME_ATIME | TIME_MTIME);
    if (!this.keep) removeFile(absolute(context, path));
    if (this.verbose) complain(context, path, `${this.keep ? 'created' : 'replaced with'} ${target}`);
  }
}

export function gzip(context: Context, args: Array<string>): i32 {
  const work = new Work(context, args[0]);
  const called = baseName(args[0]);
  work.decompress = called == 'gunzip' || called == 'zcat';
  work.toStdout = called == 'zcat';
  const options = new Options(
    context,
    args,
    '123456789cdfhklnNqrS:tv',
    'stdout=c,to-stdout=c,decompress=d,uncompress=d,force=f,keep=k,no-name=n,name=N,quiet=q,recursive=r,suffix:=S,test=t,verbose=v,fast=1,best=9,rsyncable=R',
  );
  for (let o = options.next(); o != END; o = options.next()) {
    switch (o) {
      case STOP:
        return options.status;
      case 99: // c
        work.toStdout = true;
        break;
      case 100: // d
        work.decompress = true;
        break;
      case 102: // f
        work.force = true;
        break;
      case 107: // k
        work.keep = true;
        break;
      case 113: // q
        work.quiet = true;
        break;
      case 114: // r
        work.recursive = true;
        break;
      case 83: // S
        work.suffix = options.value.startsWith('.') ? options.value : `.${options.value}`;
        break;
      case 116: // t
        work.test = work.decompress = true;
        break;
      case 118: // v
        work.verbose = true;
        break;
      case 108: // l
        complain(context, args[0], 'listing (-l) is not supported');
        return 1;
    }
    if (o >= 49 && o <= 57) work.level = o - 48;
  }
  const paths = options.operands.length > 0 ? options.operands : ['-'];
  for (let i = 0; i < paths.length && context.stdout.error == 0; i++) {
    if (paths[i] == '-') work.convert(context.stdin, context.stdout, 'stdin');
    else work.file(paths[i]);
  }
  return work.status;
}
