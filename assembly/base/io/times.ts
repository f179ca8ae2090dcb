/** The calendar, in UTC: base images have no time zones. */

const DAY: i64 = 86400;

export class Moment {
  year: i32 = 1970;
  /** 1 to 12. */
  month: i32 = 1;
  day: i32 = 1;
  hour: i32 = 0;
  minute: i32 = 0;
  second: i32 = 0;
  /** 0 is Sunday. */
  weekday: i32 = 4;
  /** 0 is the first of January. */
  yearday: i32 = 0;
}

/** Days since 1970-01-01 of a date of the Gregorian calendar; months outside 1 to 12 count on into other years. */
export function daysOf(year: i64, month: i64, day: i64): i64 {
  let y = year + floorDivide(month - 1, 12);
  const m = floorModulo(month - 1, 12) + 1;
  if (m <= 2) y--;
  const era = floorDivide(y, 400);
  const yearOfEra = y - era * 400;
  const dayOfYear = (153 * (m > 2 ? m - 3 : m + 9) + 2) / 5 + day - 1;
  const dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear;
  return era * 146097 + dayOfEra - 719468;
}

export function floorDivide(a: i64, b: i64): i64 {
  const quotient = a / b;
  return a % b != 0 && a < 0 != b < 0 ? quotient - 1 : quotient;
}

export function floorModulo(a: i64, b: i64): i64 {
  return a - floorDivide(a, b) * b;
}

export function secondsOf(year: i64, month: i64, day: i64, hour: i64, minute: i64, second: i64): i64 {
  return daysOf(year, month, day) * DAY + hour * 3600 + minute * 60 + second;
}

export function momentOf(seconds: i64): Moment {
  const moment = new Moment();
  const days = floorDivide(seconds, DAY);
  const rest = <i32>(seconds - days * DAY);
  moment.hour = rest / 3600;
  moment.minute = (rest / 60) % 60;
  moment.second = rest % 60;
  moment.weekday = <i32>floorModulo(days + 4, 7);
  const z = days + 719468;
  const era = floorDivide(z, 146097);
  const dayOfEra = z - era * 146097;
  const yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36524 - dayOfEra / 146096) / 365;
  const dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100);
  const shifted = (5 * dayOfYear + 2) / 153;
  moment.day = <i32>(dayOfYear - (153 * shifted + 2) / 5 + 1);
  moment.month = <i32>(shifted < 10 ? shifted + 3 : shifted - 9);
  moment.year = <i32>(yearOfEra + era * 400 + (moment.month <= 2 ? 1 : 0));
  moment.yearday = <i32>(days - daysOf(moment.year, 1, 1));
  return moment;
}

export const MONTHS: StaticArray<string> = [
  'January',
  'February',
  'March',
  'April',
  'May',
  'June',
  'July',
  'August',
  'September',
  'October',
  'November',
  'December',
];

export const DAYS: StaticArray<string> = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday'];

export function padded(value: i64, width: i32, fill: string = '0'): string {
  return value < 0 ? `-${(-value).toString().padStart(width - 1, fill)}` : value.toString().padStart(width, fill);
}
