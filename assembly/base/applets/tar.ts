/** tar */
import { Context } from '../applet';
import { GzipWriter } from '../archive/deflate';
import { GunzipReader } from '../archive/inflate';
import { TarReader } from '../archive/tar-format';
import { complain } from '../io/messages';
import { changedMode } from '../io/modes';
import { parseDecimal, wasNumber } from '../io/number';
import { closeInput, openError, openInput, openOutput } from '../io/open';
import { absolute } from '../io/paths';
import { Reader } from '../io/reader';
import { groupId, userId } from '../io/users';
import { isDirectory } from '../io/walk';
import { errorText } from '../wasi/errno';
import { processIds } from '../wasi/process';
import { parseTime, wasTime } from './dates';
import { END, Options, STOP } from './options';
import { Creator } from './tar-create';
import { Extractor, TarOptions } from './tar-extract';

/** The first two bytes, which stay: is it gzip? */
class Sniffer extends Reader {
  private first: i32 = -1;
  private second: i32 = -1;
  private sent: i32 = 0;

  constructor(private from: Reader) {
    super();
    this.first = from.byte();
    this.second = this.first < 0 ? -1 : from.byte();
  }

  get isGzip(): bool {
    return this.first == 0x1f && this.second == 0x8b;
  }

  get isOther(): bool {
    // bzip2, xz and zstd
    return (
      (this.first == 0x42 && this.second == 0x5a) ||
      (this.first == 0xfd && this.second == 0x37) ||
      (this.first == 0x28 && this.second == 0xb5)
    );
  }

  protected source(target: usize, length: i32): i32 {
    if (this.sent < 2) {
      const byte = this.sent == 0 ? this.first : this.second;
      this.sent++;
      if (byte < 0) return 0;
      store<u8>(target, byte);
      return 1;
    }
    const got = this.from.chunk(target, length);
    return got == 0 && this.from.error != 0 ? -this.from.error : got;
  }
}

export function tar(context: Context, args: Array<string>): i32 {
  const settings = new TarOptions();
  settings.numericOwner = false;
  settings.keepOwner = processIds().uid == 0;
  settings.keepMode = processIds().uid == 0;
  let action = 0;
  let file = '-';
  let gzip = false;
  let byName = false;
  let level = 6;
  let directory = '';
  const extra: string[] = [];
  let words = args;
  // `tar xzf a.tar.gz`: the first word is options without a dash
  if (args.length > 1 && args[1].length > 0 && !args[1].startsWith('-')) {
    words = [args[0]];
    const values: string[] = [];
    let next = 2;
    for (let i = 0; i < args[1].length; i++) {
      const letter = args[1].charAt(i);
      words.push(`-${letter}`);
      if ('fCTX'.includes(letter) && next < args.length) words.push(args[next++]);
    }
    words = words.concat(values).concat(args.slice(next));
  }
  const options = new Options(
    context,
    words,
    'cxtrAuf:zjJaC:vpOmkT:X:hPSoUn',
    'create=c,extract=x,get=x,list=t,append=r,file:=f,gzip=z,gunzip=z,ungzip=z,bzip2=j,xz=J,zstd=Z,auto-compress=a,directory:=C,' +
      'verbose=v,preserve-permissions=p,same-permissions=p,to-stdout=O,touch=m,keep-old-files=k,files-from:=T,exclude-from:=X,' +
      'dereference=h,absolute-names=P,exclude:=1,strip-components:=2,no-same-owner=3,same-owner=4,numeric-owner=5,owner:=6,' +
      'group:=7,mtime:=8,sort:=9,mode:=M,format:=F,no-same-permissions=N,overwrite=V,no-recursion=R,one-file-system=Q,' +
      'transform:=G,wildcards=W,warning:=w,keep-newer-files=K,skip-old-files=B,posix=Y,null=y,no-overwrite-dir=U,delay-directory-restore=D,' +
      'checkpoint?=H,totals=I,pax-option:=F,remove-files=E,verify=L,force-local=n,anchored=q',
    64,
  );
  for (let o = options.next(); o != END; o = options.next()) {
    const value = options.value;
    switch (o) {
      case STOP:
        return options.status == 0 ? 0 : 64;
      case 99: // c
      case 120: // x
      case 116: // t
        if (action != 0 && action != o) {
          complain(
            context,
            args[0],
            "You may not specify more than one '-Acdtrux', '--delete' or  '--test-label' option",
          );
          return 2;
        }
        action = o;
        break;
      case 114: // r
      case 65: // A
      case 117: // u
        complain(context, args[0], 'changing an archive (-r, -A, -u) is not supported');
        return 2;
      case 102: // f
        file = value;
        break;
      case 122: // z
        gzip = true;
        break;
      case 106: // j
      case 74: // J
      case 90: // Z
        complain(context, args[0], 'only gzip is supported, not bzip2, xz or zstd');
        return 2;
      case 97: // a
        byName = true;
        break;
      case 67: // C
        directory = directory == '' || value.startsWith('/') ? value : `${directory}/${value}`;
        // what comes behind it is from there
        break;
      case 118: // v
        settings.verbose++;
        break;
      case 112: // p
        settings.keepMode = true;
        break;
      case 79: // O
        settings.toStdout = true;
        break;
      case 109: // m
        settings.touch = true;
        break;
      case 107: // k
        settings.keepOld = true;
        break;
      case 66: // B
        settings.skipOld = true;
        break;
      case 84: // T
      case 88: {
        // X
        const reader = openInput(context, value);
        if (reader == null) {
          complain(context, args[0], `${value}: Cannot open: ${errorText(openError())}`);
          return 2;
        }
        for (let line = reader.line(); line != null; line = reader.line()) {
          if (o == 84) extra.push(line);
          else settings.exclude.push(line);
        }
        closeInput(context, args[0], value, reader);
        break;
      }
      case 104: // h
        settings.follow = true;
        break;
      case 80: // P
        settings.absolute = true;
        break;
      case 49: // 1
        settings.exclude.push(value);
        break;
      case 50: // 2
        settings.strip = <i32>parseDecimal(value);
        if (!wasNumber() || settings.strip < 0) {
          complain(context, args[0], `${value}: Invalid number of elements`);
          return 2;
        }
        break;
      case 51: // 3
      case 111: // o
        settings.keepOwner = false;
        break;
      case 52: // 4
        settings.keepOwner = true;
        break;
      case 53: // 5
        settings.numericOwner = true;
        break;
      case 54: // 6
      case 55: {
        // 7
        // name, number, or name:number
        const name = value.split(':')[0];
        const number = value.includes(':')
          ? parseDecimal(value.substring(value.indexOf(':') + 1))
          : o == 54
            ? userId(name)
            : groupId(name);
        const isName = name.length > 0 && !(name.charCodeAt(0) >= 48 && name.charCodeAt(0) <= 57);
        if (number < 0 && !isName) {
          complain(context, args[0], `Invalid owner or group: '${value}'`);
          return 2;
        }
        if (o == 54) {
          settings.uid = max<i64>(number, 0);
          settings.user = isName ? name : '';
        } else {
          settings.gid = max<i64>(number, 0);
          settings.group = isName ? name : '';
        }
        break;
      }
      case 56: // 8
        settings.mtime = parseTime(value, 0);
        settings.hasMtime = true;
        if (!wasTime()) {
          complain(context, args[0], `Invalid mtime '${value}'`);
          return 2;
        }
        break;
      case 77: // M
        settings.mode = value;
        if (changedMode(value, 0, 0) < 0) {
          complain(context, args[0], 'Invalid mode given on option');
          return 2;
        }
        break;
      case 78: // N
        settings.keepMode = false;
        break;
      case 82: // R
        settings.recursive = false;
        break;
      case 87: // W
        settings.wildcards = true;
        break;
      case 71: // G
      case 75: // K
      case 69: // E
      case 76: // L
        complain(
          context,
          args[0],
          'an option was given that is not supported: --transform, --keep-newer-files, --remove-files, --verify',
        );
        return 2;
    }
  }
  if (action == 0) {
    complain(context, args[0], "You must specify one of the '-ctx' options");
    return 2;
  }
  const operands = extra.concat(options.operands);
  let inner = context;
  if (directory != '') {
    const path = absolute(context, directory);
    if (!isDirectory(context, directory)) {
      complain(context, args[0], `${directory}: Cannot open: No such file or directory`);
      return 2;
    }
    inner = new Context(context.stdin, context.stdout, context.stderr, path, context.env);
  }
  if (action == 99) {
    if (operands.length == 0) {
      complain(context, args[0], 'Cowardly refusing to create an empty archive');
      return 2;
    }
    const writer = file == '-' ? context.stdout : openOutput(context, file);
    if (writer == null) {
      complain(context, args[0], `${file}: Cannot open: ${errorText(openError())}`);
      return 2;
    }
    if (byName && (file.endsWith('.gz') || file.endsWith('.tgz'))) gzip = true;
    const target = gzip ? new GzipWriter(writer, level) : writer;
    const creator = new Creator(inner, args[0], settings, target, file == '-' ? context.stderr : context.stdout);
    creator.archive = file == '-' ? '' : absolute(context, file);
    creator.run(operands);
    if (gzip) target.close();
    const isWritten = file == '-' ? writer.flush() : writer.close();
    if (!isWritten && file != '-') {
      complain(context, args[0], `${file}: Cannot write: ${errorText(writer.error)}`);
      return 2;
    }
    return creator.status;
  }
  const reader = openInput(context, file);
  if (reader == null) {
    complain(context, args[0], `${file}: Cannot open: ${errorText(openError())}`);
    return 2;
  }
  const sniffer = new Sniffer(reader);
  if (sniffer.isOther) {
    complain(context, args[0], 'only gzip is supported, not bzip2, xz or zstd');
    return 2;
  }
  if (gzip && !sniffer.isGzip) {
    complain(context, args[0], 'the archive is not in gzip format');
    return 2;
  }
  const unzipped: GunzipReader | null = sniffer.isGzip ? new GunzipReader(sniffer) : null;
  const extractor = new Extractor(
    inner,
    args[0],
    settings,
    new TarReader(unzipped != null ? <Reader>unzipped : <Reader>sniffer),
  );
  extractor.run(operands, action == 116);
  if (unzipped != null && unzipped.fault != '' && !unzipped.fault.startsWith('decompression OK')) {
    complain(context, args[0], unzipped.fault);
    extractor.status = 2;
  }
  closeInput(context, args[0], file, reader);
  return extractor.status;
}
