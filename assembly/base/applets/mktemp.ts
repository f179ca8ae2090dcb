/** mktemp, truncate, sync, dd */
import { Context } from '../applet';
import { cannot, complain } from '../io/messages';
import { parseSize, wasNumber } from '../io/number';
import { closeInput, closeOutput, inputOf, openError, openOutput } from '../io/open';
import { absolute, join } from '../io/paths';
import { Text, toLower, toUpper } from '../io/text';
import { isDirectory, statError, statOf } from '../io/walk';
import { fillRandom } from '../wasi/clock';
import { EEXIST, errorText } from '../wasi/errno';
import {
  APPEND,
  CREATE,
  changeMode,
  closeFile,
  EXCLUSIVE,
  makeDirectory,
  openFile,
  READ,
  SEEK_SET,
  seekFile,
  syncFile,
  TRUNCATE,
  truncateFile,
  WRITE,
} from '../wasi/files';
import { END, Options, operandFault, STOP } from './options';

const LETTERS = 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789';

export function mktemp(context: Context, args: Array<string>): i32 {
  let directory = false;
  let dry = false;
  let quiet = false;
  let parent = '';
  let suffix = '';
  let inParent = false;
  const options = new Options(context, args, 'dp:qtu', 'directory=d,dry-run=u,quiet=q,tmpdir?=p,suffix:=S');
  for (let o = options.next(); o != END; o = options.next()) {
    if (o == STOP) return options.status;
    if (o == 100) directory = true;
    else if (o == 117) dry = true;
    else if (o == 113) quiet = true;
    else if (o == 83) suffix = options.value;
    else {
      inParent = true;
      if (o == 112) parent = options.value;
    }
  }
  if (options.operands.length > 1) return operandFault(context, args, options.operands, 1);
  let template = 'tmp.XXXXXXXXXX';
  if (options.operands.length == 1) template = options.operands[0];
  else inParent = true;
  if (parent == '')
    parent = context.env.has('TMPDIR') && context.env.get('TMPDIR') != '' ? context.env.get('TMPDIR') : '/tmp';
  if (suffix == '') {
    // what is behind the last X belongs to the suffix
    const last = template.lastIndexOf('X');
    suffix = template.substring(last + 1);
    template = template.substring(0, last + 1);
  }
  let start = template.length;
  while (start > 0 && template.charAt(start - 1) == 'X') start--;
  const count = template.length - start;
  if (count < 3) {
    if (!quiet) complain(context, args[0], `too few X's in template '${template}${suffix}'`);
    return 1;
  }
  const random = new StaticArray<u8>(count);
  let errno = 0;
  let path = '';
  for (let round = 0; round < 100; round++) {
    fillRandom(changetype<usize>(random), count);
    let name = template.substring(0, start);
    for (let i = 0; i < count; i++) name += LETTERS.charAt(random[i] % LETTERS.length);
    path = inParent ? join(parent, name + suffix) : name + suffix;
    const full = absolute(context, path);
    if (dry) break;
    errno = directory ? makeDirectory(full) : openFile(full, WRITE | CREATE | EXCLUSIVE);
    if (errno == -EEXIST) continue;
    if (errno >= 0) {
      if (!directory) closeFile(errno);
      errno = changeMode(full, true, directory ? 0o700 : 0o600);
    }
    break;
  }
  if (errno < 0) {
    if (!quiet) {
      const shown = inParent ? join(parent, template + suffix) : template + suffix;
      complain(
        context,
        args[0],
        `failed to create ${directory ? 'directory' : 'file'} via template '${shown}': ${errorText(errno)}`,
      );
    }
    return 1;
  }
  context.stdout.line(path);
  return 0;
}

export function truncate(context: Context, args: Array<string>): i32 {
  let create = true;
  let size = '';
  let reference = '';
  const options = new Options(context, args, 'cor:s:', 'no-create=c,reference:=r,size:=s,io-blocks=o');
  for (let o = options.next(); o != END; o = options.next()) {
    if (o == STOP) return options.status;
    if (o == 99) create = false;
    else if (o == 115) size = options.value;
    else if (o == 114) reference = options.value;
  }
  if (size == '' && reference == '') {
    complain(context, args[0], "you must specify either '--size' or '--reference'");
    return 1;
  }
  if (options.operands.length == 0) return operandFault(context, args, options.operands, -1);
  let base: i64 = -1;
  if (reference != '') {
    const stat = statOf(context, reference, true);
    if (stat == null) {
      cannot(context, args[0], 'stat', reference, statError());
      return 1;
    }
    base = stat.size;
  }
  const how = size.length > 0 && '+-<>/%'.includes(size.charAt(0)) ? size.charAt(0) : '';
  const amount = size == '' ? 0 : parseSize(size.substring(how.length));
  if (size != '' && amount < 0) {
    complain(context, args[0], `Invalid number: '${size}'`);
    return 1;
  }
  let status = 0;
  for (let i = 0; i < options.operands.length; i++) {
    const path = options.operands[i];
    const full = absolute(context, path);
    const stat = statOf(context, path, true);
    if (stat == null && !create) continue;
    const fd = openFile(full, WRITE | CREATE);
    if (fd < 0) {
      complain(context, args[0], `cannot open '${path}' for writing: ${errorText(fd)}`);
      status = 1;
      continue;
    }
    const old: i64 = base >= 0 ? base : stat == null ? 0 : <i64>stat.size;
    let target = amount;
    if (how == '+') target = old + amount;
    else if (how == '-') target = max<i64>(old - amount, 0);
    else if (how == '<') target = min(old, amount);
    else if (how == '>') target = max(old, amount);
    else if (how == '/') target = (old / amount) * amount;
    else if (how == '%') target = ((old + amount - 1) / amount) * amount;
    else if (size == '') target = old;
    const errno = truncateFile(fd, target);
    closeFile(fd);
    if (errno < 0) {
      complain(context, args[0], `failed to truncate '${path}' at ${target} bytes: ${errorText(errno)}`);
      status = 1;
    }
  }
  return status;
}

export function sync(context: Context, args: Array<string>): i32 {
  const options = new Options(context, args, 'df', 'data=d,file-system=f');
  for (let o = options.next(); o != END; o = options.next()) if (o == STOP) return options.status;
  let status = 0;
  for (let i = 0; i < options.operands.length; i++) {
    const path = options.operands[i];
    if (isDirectory(context, path)) continue;
    const fd = openFile(absolute(context, path), READ);
    if (fd < 0) {
      complain(context, args[0], `error opening '${path}': ${errorText(fd)}`);
      status = 1;
      continue;
    }
    syncFile(fd);
    closeFile(fd);
  }
  return status;
}

class Copy {
  input: string = '-';
  output: string = '-';
  inputBlock: i64 = 512;
  outputBlock: i64 = 512;
  count: i64 = -1;
  skip: i64 = 0;
  seek: i64 = 0;
  keep: bool = false;
  append: bool = false;
  exclusive: bool = false;
  existing: bool = false;
  lower: bool = false;
  upper: bool = false;
  fill: bool = false;
  countBytes: bool = false;
  skipBytes: bool = false;
  seekBytes: bool = false;
  report: string = 'all';
}

/** NxM are multiplied. */
function size(text: string): i64 {
  const parts = text.split('x');
  let value: i64 = 1;
  for (let i = 0; i < parts.length; i++) {
    const part =
      parts[i].endsWith('B') && parts[i].length > 1 && parts[i].charCodeAt(parts[i].length - 2) <= 57
        ? parts[i].substring(0, parts[i].length - 1)
        : parts[i];
    const one = parseSize(part);
    if (!wasNumber()) return -1;
    value *= one;
  }
  return value;
}

/** False where an operand is not understood, which is told. */
function readOperands(context: Context, args: Array<string>, copy: Copy): bool {
  for (let i = 1; i < args.length; i++) {
    const equals = args[i].indexOf('=');
    const name = equals < 0 ? args[i] : args[i].substring(0, equals);
    const value = equals < 0 ? '' : args[i].substring(equals + 1);
    const isNumber =
      name == 'bs' ||
      name == 'ibs' ||
      name == 'obs' ||
      name == 'count' ||
      name == 'skip' ||
      name == 'seek' ||
      name == 'iseek' ||
      name == 'oseek';
    if (isNumber) {
      const number = size(value);
      if (number < 0 || (number == 0 && name.endsWith('bs'))) {
        complain(context, args[0], `invalid number: '${value}'`);
        return false;
      }
      if (name == 'bs') copy.inputBlock = copy.outputBlock = number;
      else if (name == 'ibs') copy.inputBlock = number;
      else if (name == 'obs') copy.outputBlock = number;
      else if (name == 'count') {
        copy.count = number;
        if (value.endsWith('B')) copy.countBytes = true;
      } else if (name == 'skip' || name == 'iseek') {
        copy.skip = number;
        if (value.endsWith('B')) copy.skipBytes = true;
      } else {
        copy.seek = number;
        if (value.endsWith('B')) copy.seekBytes = true;
      }
    } else if (name == 'if') copy.input = value;
    else if (name == 'of') copy.output = value;
    else if (name == 'status') copy.report = value;
    else if (name == 'conv' || name == 'iflag' || name == 'oflag') {
      const flags = value.split(',');
      for (let k = 0; k < flags.length; k++) {
        const flag = flags[k];
        if (flag == 'notrunc') copy.keep = true;
        else if (flag == 'append') copy.append = true;
        else if (flag == 'excl') copy.exclusive = true;
        else if (flag == 'nocreat') copy.existing = true;
        else if (flag == 'lcase') copy.lower = true;
        else if (flag == 'ucase') copy.upper = true;
        else if (flag == 'sync' && name == 'conv') copy.fill = true;
        else if (flag == 'count_bytes') copy.countBytes = true;
        else if (flag == 'skip_bytes') copy.skipBytes = true;
        else if (flag == 'seek_bytes') copy.seekBytes = true;
        else if (
          flag != 'noerror' &&
          flag != 'fsync' &&
          flag != 'fdatasync' &&
          flag != 'fullblock' &&
          flag != 'sync' &&
          flag != 'direct' &&
          flag != 'dsync' &&
          flag != 'sparse'
        ) {
          complain(context, args[0], `invalid ${name == 'conv' ? 'conversion' : 'flag'}: '${flag}'`);
          return false;
        }
      }
    } else {
      complain(context, args[0], `unrecognized operand '${args[i]}'`);
      return false;
    }
  }
  return true;
}

export function dd(context: Context, args: Array<string>): i32 {
  const copy = new Copy();
  if (!readOperands(context, args, copy)) return 1;
  const reader = inputOf(context, args[0], copy.input);
  if (reader == null) return 1;
  let flags = WRITE;
  if (!copy.existing) flags |= CREATE;
  if (!copy.keep && !copy.append && copy.seek == 0) flags |= TRUNCATE;
  if (copy.append) flags |= APPEND;
  if (copy.exclusive) flags |= EXCLUSIVE;
  const writer = copy.output == '-' ? context.stdout : openOutput(context, copy.output, flags);
  if (writer == null) {
    complain(context, args[0], `failed to open '${copy.output}': ${errorText(openError())}`);
    return 1;
  }
  const seek = copy.seekBytes ? copy.seek : copy.seek * copy.outputBlock;
  if (seek > 0 && writer.descriptor >= 0) {
    if (!copy.keep && copy.output != '-') truncateFile(writer.descriptor, seek);
    seekFile(writer.descriptor, seek, SEEK_SET);
  }
  const block = new Text(<i32>min<i64>(copy.inputBlock, 1 << 26));
  const capacity = block.bytes.length;
  const base = changetype<usize>(block.bytes);
  let skip = copy.skipBytes ? copy.skip : copy.skip * copy.inputBlock;
  while (skip > 0) {
    const got = reader.chunk(base, <i32>min<i64>(skip, capacity));
    if (got == 0) break;
    skip -= got;
  }
  let left = copy.count < 0 ? i64.MAX_VALUE : copy.countBytes ? copy.count : copy.count * copy.inputBlock;
  let whole: i64 = 0;
  let partial: i64 = 0;
  let total: i64 = 0;
  while (left > 0 && writer.error == 0) {
    const got = reader.exactly(base, <i32>min<i64>(left, capacity));
    if (got == 0) break;
    left -= got;
    if (got == capacity) whole++;
    else partial++;
    let length = got;
    if (copy.fill && length < capacity) {
      memory.fill(base + length, 0, capacity - length);
      length = capacity;
    }
    if (copy.lower || copy.upper) {
      for (let i = 0; i < length; i++) {
        const c = load<u8>(base + i);
        store<u8>(base + i, copy.lower ? toLower(c) : toUpper(c));
      }
    }
    writer.bytes(base, length);
    total += length;
  }
  let status = closeInput(context, args[0], copy.input, reader) ? 0 : 1;
  if (copy.output == '-') writer.flush();
  else if (!closeOutput(context, args[0], copy.output, writer)) status = 1;
  if (copy.report != 'none') {
    context.stderr.line(`${whole}+${partial} records in`);
    const out = total / copy.outputBlock;
    context.stderr.line(`${out}+${total % copy.outputBlock != 0 ? 1 : 0} records out`);
    if (copy.report != 'noxfer') context.stderr.line(`${total} bytes copied`);
  }
  return status;
}
