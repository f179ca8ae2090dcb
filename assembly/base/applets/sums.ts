/** md5sum, sha1sum, sha224sum, sha256sum, sha384sum, sha512sum, cksum, sum, base64 */
import { Context } from '../applet';
import { complain } from '../io/messages';
import { parseDecimal, wasNumber } from '../io/number';
import { closeInput, inputOf } from '../io/open';
import { baseName } from '../io/paths';
import { Reader } from '../io/reader';
import { unit } from '../io/text';
import { inputs } from './cat';
import { Digest, MD5, SHA1, SHA224, SHA256, SHA384, SHA512 } from './digest';
import { END, Options, STOP } from './options';

const BLOCK: i32 = 65536;

function digestOf(reader: Reader, kind: i32): string {
  const digest = new Digest(kind);
  const block = new StaticArray<u8>(BLOCK);
  for (;;) {
    const got = reader.chunk(changetype<usize>(block), BLOCK);
    if (got == 0) break;
    digest.update(changetype<usize>(block), got);
  }
  return digest.finish();
}

/** Which one is told by the name it is called by. */
export function digestSum(context: Context, args: Array<string>): i32 {
  const called = baseName(args[0]);
  let kind = SHA256;
  let title = 'SHA256';
  if (called.startsWith('md5')) {
    kind = MD5;
    title = 'MD5';
  } else if (called.startsWith('sha1')) {
    kind = SHA1;
    title = 'SHA1';
  } else if (called.startsWith('sha224')) {
    kind = SHA224;
    title = 'SHA224';
  } else if (called.startsWith('sha384')) {
    kind = SHA384;
    title = 'SHA384';
  } else if (called.startsWith('sha512')) {
    kind = SHA512;
    title = 'SHA512';
  }
  let check = false;
  let quiet = false;
  let silent = false;
  let strict = false;
  let ignore = false;
  let warn = false;
  let tag = false;
  let mark = ' ';
  let end = '\n';
  const options = new Options(
    context,
    args,
    'bctwsz',
    'binary=b,check=c,text=t,warn=w,quiet=q,status=s,strict=S,ignore-missing=i,tag=T,zero=z',
  );
  for (let o = options.next(); o != END; o = options.next()) {
    if (o == STOP) return options.status;
    if (o == 99) check = true;
    else if (o == 113) quiet = true;
    else if (o == 115) silent = true;
    else if (o == 83) strict = true;
    else if (o == 105) ignore = true;
    else if (o == 119) warn = true;
    else if (o == 84) tag = true;
    else if (o == 98) mark = '*';
    else if (o == 116) mark = ' ';
    else end = '\0';
  }
  const paths = inputs(options.operands);
  let status = 0;
  for (let i = 0; i < paths.length; i++) {
    const reader = inputOf(context, args[0], paths[i]);
    if (reader == null) {
      status = 1;
      continue;
    }
    if (check) {
      if (!checkList(context, args[0], paths[i], reader, kind, title, quiet, silent, strict, ignore, warn)) status = 1;
      closeInput(context, args[0], paths[i], reader);
      continue;
    }
    const digest = digestOf(reader, kind);
    if (!closeInput(context, args[0], paths[i], reader)) {
      status = 1;
      continue;
    }
    const isOdd = paths[i].includes('\n') || paths[i].includes('\\');
    const name = isOdd ? paths[i].split('\\').join('\\\\').split('\n').join('\\n') : paths[i];
    const lead = isOdd ? '\\' : '';
    context.stdout.write(tag ? `${lead}${title} (${name}) = ${digest}${end}` : `${lead}${digest} ${mark}${name}${end}`);
  }
  return status;
}

function checkList(
  context: Context,
  name: string,
  path: string,
  reader: Reader,
  kind: i32,
  title: string,
  quiet: bool,
  silent: bool,
  strict: bool,
  ignore: bool,
  warn: bool,
): bool {
  let bad = 0;
  let missing = 0;
  let malformed = 0;
  let fine = 0;
  const size =
    kind == MD5 ? 32 : kind == SHA1 ? 40 : kind == SHA224 ? 56 : kind == SHA384 ? 96 : kind == SHA512 ? 128 : 64;
  let number = 0;
  for (let line = reader.line(); line != null; line = reader.line()) {
    number++;
    if (line.startsWith('#')) continue;
    if (line.endsWith('\r')) line = line.substring(0, line.length - 1);
    let digest = '';
    let file = '';
    if (line.startsWith(`${title} (`) && line.lastIndexOf(') = ') > 0) {
      const close = line.lastIndexOf(') = ');
      file = line.substring(title.length + 2, close);
      digest = line.substring(close + 4);
    } else {
      digest = line.substring(0, size);
      file = line.substring(size + 2);
      if (line.length < size + 3 || line.charAt(size) != ' ') digest = '';
    }
    let isHex = digest.length == size;
    for (let i = 0; i < digest.length && isHex; i++) isHex = '0123456789abcdefABCDEF'.includes(digest.charAt(i));
    if (!isHex || file == '') {
      malformed++;
      if (warn) complain(context, name, `${path}: ${number}: improperly formatted ${title} checksum line`);
      continue;
    }
    const input = inputOf(
      new Context(context.stdin, context.stdout, context.stderr, context.cwd, context.env),
      name,
      file,
    );
    if (input == null) {
      if (ignore) continue;
      missing++;
      if (!silent) context.stdout.line(`${file}: FAILED open or read`);
      continue;
    }
    const actual = digestOf(input, kind);
    const isRead = closeInput(context, name, file, input);
    if (isRead && actual == digest.toLowerCase()) {
      fine++;
      if (!quiet && !silent) context.stdout.line(`${file}: OK`);
    } else {
      bad++;
      if (!silent) context.stdout.line(`${file}: FAILED`);
    }
  }
  if (fine + bad + missing == 0 && !ignore) {
    complain(context, name, `${path}: no properly formatted checksum lines found`);
    return false;
  }
  if (!silent) {
    if (malformed > 0)
      complain(context, name, `WARNING: ${malformed} line${malformed == 1 ? ' is' : 's are'} improperly formatted`);
    if (missing > 0)
      complain(context, name, `WARNING: ${missing} listed file${missing == 1 ? '' : 's'} could not be read`);
    if (bad > 0) complain(context, name, `WARNING: ${bad} computed checksum${bad == 1 ? '' : 's'} did NOT match`);
    if (ignore && fine + bad == 0) complain(context, name, `${path}: no file was verified`);
  }
  return bad == 0 && missing == 0 && !(strict && malformed > 0) && !(ignore && fine + bad == 0);
}

/** POSIX's checksum: CRC-32 with the length behind the bytes, not reflected. */
export function cksum(context: Context, args: Array<string>): i32 {
  const options = new Options(context, args, 'a:', 'algorithm:=a');
  for (let o = options.next(); o != END; o = options.next()) {
    if (o == STOP) return options.status;
    if (options.value == 'crc') continue;
    complain(context, args[0], `algorithm '${options.value}' has a program of its own, as sha256sum`);
    return 1;
  }
  const table = new StaticArray<u32>(256);
  for (let i = 0; i < 256; i++) {
    let c = (<u32>i) << 24;
    for (let bit = 0; bit < 8; bit++) c = c & 0x80000000 ? (c << 1) ^ 0x04c11db7 : c << 1;
    table[i] = c;
  }
  const paths = inputs(options.operands);
  let status = 0;
  const block = new StaticArray<u8>(BLOCK);
  for (let i = 0; i < paths.length; i++) {
    const reader = inputOf(context, args[0], paths[i]);
    if (reader == null) {
      status = 1;
      continue;
    }
    let crc: u32 = 0;
    let length: u64 = 0;
    for (;;) {
      const got = reader.chunk(changetype<usize>(block), BLOCK);
      if (got == 0) break;
      length += got;
      for (let k = 0; k < got; k++) crc = (crc << 8) ^ unchecked(table[(crc >> 24) ^ block[k]]);
    }
    for (let rest = length; rest != 0; rest >>= 8) crc = (crc << 8) ^ table[(crc >> 24) ^ <u32>(rest & 255)];
    if (!closeInput(context, args[0], paths[i], reader)) status = 1;
    else context.stdout.line(`${~crc} ${length}${options.operands.length > 0 ? ` ${paths[i]}` : ''}`);
  }
  return status;
}

/** The old checksum of BSD (default, -r) and System V (-s). */
export function sum(context: Context, args: Array<string>): i32 {
  let systemV = false;
  const options = new Options(context, args, 'rs', 'sysv=s');
  for (let o = options.next(); o != END; o = options.next()) {
    if (o == STOP) return options.status;
    systemV = o == 115;
  }
  const paths = inputs(options.operands);
  let status = 0;
  for (let i = 0; i < paths.length; i++) {
    const reader = inputOf(context, args[0], paths[i]);
    if (reader == null) {
      status = 1;
      continue;
    }
    let value: u32 = 0;
    let length: u64 = 0;
    for (let c = reader.byte(); c >= 0; c = reader.byte()) {
      length++;
      if (systemV) value += c;
      else value = ((value >> 1) + ((value & 1) << 15) + c) & 0xffff;
    }
    if (!closeInput(context, args[0], paths[i], reader)) status = 1;
    const name = options.operands.length > 0 ? ` ${paths[i]}` : '';
    if (systemV) {
      const folded = (value & 0xffff) + (value >> 16);
      context.stdout.line(`${(folded & 0xffff) + (folded >> 16)} ${(length + 511) / 512}${name}`);
    } else {
      context.stdout.line(
        `${value.toString().padStart(5, '0')} ${((length + 1023) / 1024).toString().padStart(5)}${name}`,
      );
    }
  }
  return status;
}

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';

export function base64(context: Context, args: Array<string>): i32 {
  let decode = false;
  let ignore = false;
  let width = 76;
  const options = new Options(context, args, 'diw:', 'decode=d,ignore-garbage=i,wrap:=w');
  for (let o = options.next(); o != END; o = options.next()) {
    if (o == STOP) return options.status;
    if (o == 100) decode = true;
    else if (o == 105) ignore = true;
    else {
      width = <i32>parseDecimal(options.value);
      if (!wasNumber() || width < 0) {
        complain(context, args[0], `invalid wrap size: '${options.value}'`);
        return 1;
      }
    }
  }
  const path = options.operands.length > 0 ? options.operands[0] : '-';
  const reader = inputOf(context, args[0], path);
  if (reader == null) return 1;
  const isFine = decode ? decodeText(context, args[0], reader, ignore) : encodeText(context, reader, width);
  return closeInput(context, args[0], path, reader) && isFine ? 0 : 1;
}

function encodeText(context: Context, reader: Reader, width: i32): bool {
  const out = context.stdout;
  let column = 0;
  while (out.error == 0) {
    const a = reader.byte();
    if (a < 0) break;
    const b = reader.byte();
    const c = b < 0 ? -1 : reader.byte();
    const bits = (a << 16) | (max(b, 0) << 8) | max(c, 0);
    for (let i = 0; i < 4; i++) {
      const isPad = (i == 2 && b < 0) || (i == 3 && c < 0);
      out.byte(isPad ? 61 : unit(ALPHABET, (bits >> (18 - 6 * i)) & 63));
      if (++column == width) {
        out.byte(10);
        column = 0;
      }
    }
  }
  if (column > 0 && width > 0) out.byte(10);
  return true;
}

function decodeText(context: Context, name: string, reader: Reader, ignore: bool): bool {
  let bits = 0;
  let count = 0;
  let pads = 0;
  for (let c = reader.byte(); c >= 0; c = reader.byte()) {
    if (c == 10) continue;
    if (c == 61 && count >= 2) {
      pads++;
      if (count + pads == 4) {
        context.stdout.byte(bits >> (count == 2 ? 4 : 10));
        if (count == 3) context.stdout.byte((bits >> 2) & 255);
        bits = count = pads = 0;
      }
      continue;
    }
    const value = ALPHABET.indexOf(String.fromCharCode(c));
    if (value < 0 || pads > 0) {
      if (ignore) continue;
      complain(context, name, 'invalid input');
      return false;
    }
    bits = (bits << 6) | value;
    if (++count == 4) {
      context.stdout.byte(bits >> 16);
      context.stdout.byte((bits >> 8) & 255);
      context.stdout.byte(bits & 255);
      bits = count = 0;
    }
  }
  if (count == 0) return true;
  complain(context, name, 'invalid input');
  return false;
}
