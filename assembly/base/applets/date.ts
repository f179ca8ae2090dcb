/** date, touch */
import { Context } from '../applet';
import { cannot, complain } from '../io/messages';
import { parseDecimal, wasNumber } from '../io/number';
import { closeInput, inputOf } from '../io/open';
import { absolute } from '../io/paths';
import { momentOf, secondsOf } from '../io/times';
import { statError, statOf } from '../io/walk';
import { realTime } from '../wasi/clock';
import { ENOENT, errorText } from '../wasi/errno';
import { CREATE, closeFile, openFile, setTimes, TIME_ATIME, TIME_MTIME, WRITE } from '../wasi/files';
import { parseTime, wasTime } from './dates';
import { END, Options, operandFault, STOP } from './options';
import { strftime } from './strftime';

const NANOS: i64 = 1000000000;
const RFC_2822 = '%a, %d %b %Y %H:%M:%S %z';
const DEFAULT = '%a %b %e %H:%M:%S %Z %Y';

/** -I's and --rfc-3339's argument; empty where there is no such precision. */
function isoFormat(precision: string, between: string): string {
  if (precision == '' || precision == 'date') return '%Y-%m-%d';
  const zone = '%:z';
  if (precision == 'hours') return `%Y-%m-%d${between}%H${zone}`;
  if (precision == 'minutes') return `%Y-%m-%d${between}%H:%M${zone}`;
  if (precision == 'seconds') return `%Y-%m-%d${between}%H:%M:%S${zone}`;
  if (precision == 'ns') return `%Y-%m-%d${between}%H:%M:%S${between == 'T' ? ',' : '.'}%N${zone}`;
  return '';
}

export function date(context: Context, args: Array<string>): i32 {
  let format = DEFAULT;
  let when = '';
  let given = false;
  let reference = '';
  let file = '';
  const options = new Options(
    context,
    args,
    'd:f:I?r:Rus:',
    'date:=d,file:=f,iso-8601?=I,reference:=r,rfc-2822=R,rfc-email=R,rfc-3339:=3,utc=u,universal=u,set:=s',
  );
  for (let o = options.next(); o != END; o = options.next()) {
    if (o == STOP) return options.status;
    if (o == 100) {
      when = options.value;
      given = true;
    } else if (o == 114) reference = options.value;
    else if (o == 102) file = options.value;
    else if (o == 82) format = RFC_2822;
    else if (o == 73 || o == 51) {
      format = isoFormat(options.value, o == 73 ? 'T' : ' ');
      if (format == '') {
        complain(context, args[0], `invalid argument '${options.value}'`);
        return 1;
      }
    } else if (o == 115) {
      complain(context, args[0], 'cannot set date: Operation not permitted');
      return 1;
    }
  }
  for (let i = 0; i < options.operands.length; i++) {
    const operand = options.operands[i];
    if (!operand.startsWith('+')) {
      complain(context, args[0], `invalid date '${operand}'`);
      return 1;
    }
    if (i > 0) return operandFault(context, args, options.operands, 1);
    format = operand.substring(1);
  }
  let time = realTime();
  if (reference != '') {
    const stat = statOf(context, reference, true);
    if (stat == null) {
      complain(context, args[0], `${reference}: ${errorText(statError())}`);
      return 1;
    }
    time = stat.mtime;
  }
  if (file != '') {
    const reader = inputOf(context, args[0], file);
    if (reader == null) return 1;
    let status = 0;
    for (let line = reader.line(); line != null; line = reader.line()) {
      const value = parseTime(line, time);
      if (wasTime()) {
        context.stdout.line(strftime(format, value));
      } else {
        complain(context, args[0], `invalid date '${line}'`);
        status = 1;
      }
    }
    return closeInput(context, args[0], file, reader) ? status : 1;
  }
  if (given) {
    time = parseTime(when == '' ? 'today 0:00' : when, time);
    if (!wasTime()) {
      complain(context, args[0], `invalid date '${when}'`);
      return 1;
    }
  }
  context.stdout.line(strftime(format, time));
  return 0;
}

/** [[CC]YY]MMDDhhmm[.ss]; -1 where it is not one. */
function stamp(text: string): i64 {
  let digits = text;
  let seconds: i64 = 0;
  const dot = text.indexOf('.');
  if (dot >= 0) {
    digits = text.substring(0, dot);
    seconds = parseDecimal(text.substring(dot + 1));
    if (!wasNumber() || text.length - dot != 3) return -1;
  }
  const value = parseDecimal(digits);
  if (!wasNumber() || (digits.length != 8 && digits.length != 10 && digits.length != 12)) return -1;
  let year = value / 100000000;
  if (digits.length == 8) year = momentOf(realTime() / NANOS).year;
  else if (digits.length == 10) year += year < 69 ? 2000 : 1900;
  const month = (value / 1000000) % 100;
  const day = (value / 10000) % 100;
  const hour = (value / 100) % 100;
  const minute = value % 100;
  if (month < 1 || month > 12 || day < 1 || day > 31 || hour > 23 || minute > 59 || seconds > 60) return -1;
  return secondsOf(year, month, day, hour, minute, seconds) * NANOS;
}

export function touch(context: Context, args: Array<string>): i32 {
  let access = false;
  let modification = false;
  let create = true;
  let follow = true;
  let atime = realTime();
  let mtime = atime;
  let when = '';
  let given = false;
  const options = new Options(
    context,
    args,
    'acd:fhmr:t:',
    'no-create=c,date:=d,no-dereference=h,reference:=r,time:=T',
  );
  for (let o = options.next(); o != END; o = options.next()) {
    const value = options.value;
    switch (o) {
      case STOP:
        return options.status;
      case 97: // a
        access = true;
        break;
      case 99: // c
        create = false;
        break;
      case 100: // d
        when = value;
        given = true;
        break;
      case 104: // h
        follow = false;
        break;
      case 109: // m
        modification = true;
        break;
      case 114: {
        // r
        const stat = statOf(context, value, follow);
        if (stat == null) {
          complain(context, args[0], `failed to get attributes of '${value}': ${errorText(statError())}`);
          return 1;
        }
        atime = stat.atime;
        mtime = stat.mtime;
        break;
      }
      case 116: // t
        atime = mtime = stamp(value);
        if (atime == -1) {
          complain(context, args[0], `invalid date format '${value}'`);
          return 1;
        }
        break;
      case 84: // T
        if (value == 'mtime' || value == 'modify') modification = true;
        else access = true;
        break;
    }
  }
  if (given) {
    atime = mtime = parseTime(when, mtime);
    if (!wasTime()) {
      complain(context, args[0], `invalid date format '${when}'`);
      return 1;
    }
  }
  if (options.operands.length == 0) {
    complain(context, args[0], 'missing file operand');
    return 1;
  }
  const which = access == modification ? TIME_ATIME | TIME_MTIME : access ? TIME_ATIME : TIME_MTIME;
  let status = 0;
  for (let i = 0; i < options.operands.length; i++) {
    const path = options.operands[i];
    const full = absolute(context, path);
    let errno = setTimes(full, follow, atime, mtime, which);
    if (errno == -ENOENT) {
      if (!create) continue;
      const fd = follow ? openFile(full, WRITE | CREATE) : -ENOENT;
      if (fd < 0) {
        cannot(context, args[0], 'touch', path, fd);
        status = 1;
        continue;
      }
      closeFile(fd);
      errno = setTimes(full, follow, atime, mtime, which);
    }
    if (errno < 0) {
      complain(context, args[0], `setting times of '${path}': ${errorText(errno)}`);
      status = 1;
    }
  }
  return status;
}
