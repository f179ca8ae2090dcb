/** strftime(3) in the POSIX locale and in UTC, with GNU's padding flags `-`, `_`, `0`, `^`. */
import { unit } from '../io/text';
import { DAYS, daysOf, MONTHS, Moment, momentOf, padded } from '../io/times';

const NANOS: i64 = 1000000000;

/** `time` in nanoseconds since the epoch. */
export function strftime(format: string, time: i64): string {
  let seconds = time / NANOS;
  let nanos = time % NANOS;
  if (nanos < 0) {
    seconds--;
    nanos += NANOS;
  }
  const moment = momentOf(seconds);
  let result = '';
  for (let i = 0; i < format.length; i++) {
    if (unit(format, i) != 37 || i + 1 >= format.length) {
      result += format.charAt(i);
      continue;
    }
    const start = i++;
    let flag = 0;
    let upper = false;
    for (; i < format.length; i++) {
      const c = unit(format, i);
      if (c == 94) upper = true;
      else if (c == 45 || c == 95 || c == 48) flag = c;
      else break;
    }
    let width = 0;
    while (i < format.length && unit(format, i) >= 48 && unit(format, i) <= 57)
      width = min(width * 10 + unit(format, i++) - 48, 99);
    if (i < format.length && (unit(format, i) == 69 || unit(format, i) == 79)) i++;
    let colons = 0;
    while (i < format.length && unit(format, i) == 58) {
      colons++;
      i++;
    }
    if (i >= format.length) return result + format.substring(start);
    const text = field(unit(format, i), moment, seconds, nanos, flag, width, colons);
    result += text == '\0' ? format.substring(start, i + 1) : upper ? text.toUpperCase() : text;
  }
  return result;
}

function numeric(value: i64, width: i32, fill: string, flag: i32, wanted: i32): string {
  if (flag == 45) return value.toString();
  const pad = flag == 95 ? ' ' : flag == 48 ? '0' : fill;
  return padded(value, max(width, wanted), pad);
}

/** A NUL for a letter that means nothing. */
function field(letter: i32, m: Moment, seconds: i64, nanos: i64, flag: i32, width: i32, colons: i32): string {
  const hour12 = m.hour % 12 == 0 ? 12 : m.hour % 12;
  const month = MONTHS[m.month - 1];
  const day = DAYS[m.weekday];
  switch (letter) {
    case 37: // %
      return '%';
    case 110: // n
      return '\n';
    case 116: // t
      return '\t';
    case 97: // a
      return day.substring(0, 3);
    case 65: // A
      return day;
    case 98: // b
    case 104: // h
      return month.substring(0, 3);
    case 66: // B
      return month;
    case 99: // c
      return `${day.substring(0, 3)} ${month.substring(0, 3)} ${padded(m.day, 2, ' ')} ${clock(m)} ${m.year}`;
    case 67: // C
      return numeric(m.year / 100, 2, '0', flag, width);
    case 100: // d
      return numeric(m.day, 2, '0', flag, width);
    case 68: // D
    case 120: // x
      return `${padded(m.month, 2)}/${padded(m.day, 2)}/${padded(m.year % 100, 2)}`;
    case 101: // e
      return numeric(m.day, 2, ' ', flag, width);
    case 70: // F
      return `${m.year}-${padded(m.month, 2)}-${padded(m.day, 2)}`;
    case 103: // g
      return numeric((isoWeek(m) / 100) % 100, 2, '0', flag, width);
    case 71: // G
      return numeric(isoWeek(m) / 100, 4, '0', flag, width);
    case 72: // H
      return numeric(m.hour, 2, '0', flag, width);
    case 73: // I
      return numeric(hour12, 2, '0', flag, width);
    case 106: // j
      return numeric(m.yearday + 1, 3, '0', flag, width);
    case 107: // k
      return numeric(m.hour, 2, ' ', flag, width);
    case 108: // l
      return numeric(hour12, 2, ' ', flag, width);
    case 109: // m
      return numeric(m.month, 2, '0', flag, width);
    case 77: // M
      return numeric(m.minute, 2, '0', flag, width);
    case 78: {
      // N
      const digits = padded(nanos, 9);
      return width > 0 && width < 9 ? digits.substring(0, width) : digits;
    }
    case 112: // p
      return m.hour < 12 ? 'AM' : 'PM';
    case 80: // P
      return m.hour < 12 ? 'am' : 'pm';
    case 113: // q
      return ((m.month + 2) / 3).toString();
    case 114: // r
      return `${padded(hour12, 2)}:${padded(m.minute, 2)}:${padded(m.second, 2)} ${m.hour < 12 ? 'AM' : 'PM'}`;
    case 82: // R
      return `${padded(m.hour, 2)}:${padded(m.minute, 2)}`;
    case 115: // s
      return seconds.toString();
    case 83: // S
      return numeric(m.second, 2, '0', flag, width);
    case 84: // T
    case 88: // X
      return clock(m);
    case 117: // u
      return (m.weekday == 0 ? 7 : m.weekday).toString();
    case 85: // U
      return numeric((m.yearday + 7 - m.weekday) / 7, 2, '0', flag, width);
    case 86: // V
      return numeric(isoWeek(m) % 100, 2, '0', flag, width);
    case 119: // w
      return m.weekday.toString();
    case 87: // W
      return numeric((m.yearday + 7 - ((m.weekday + 6) % 7)) / 7, 2, '0', flag, width);
    case 121: // y
      return numeric(m.year % 100, 2, '0', flag, width);
    case 89: // Y
      return numeric(m.year, 1, '0', flag, width);
    case 122: // z
      return colons == 0 ? '+0000' : colons == 1 ? '+00:00' : '+00:00:00';
    case 90: // Z
      return 'UTC';
    default:
      return '\0';
  }
}

function clock(m: Moment): string {
  return `${padded(m.hour, 2)}:${padded(m.minute, 2)}:${padded(m.second, 2)}`;
}

/** Year times 100 and week, as ISO 8601 counts them. */
function isoWeek(m: Moment): i64 {
  const thursday = daysOf(m.year, 1, 1) + m.yearday - ((m.weekday + 6) % 7) + 3;
  const year = momentOf(thursday * 86400).year;
  return <i64>year * 100 + (thursday - daysOf(year, 1, 1)) / 7 + 1;
}
