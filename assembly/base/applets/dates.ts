/** Times as people write them: for date -d and touch -d. */
import { parseDecimal, wasNumber } from '../io/number';
import { isAlpha, isDigit, isSpace, unit } from '../io/text';
import { DAYS, MONTHS, momentOf, secondsOf } from '../io/times';

const NANOS: i64 = 1000000000;

let fine = false;

/** Whether the last text that was read was a time. */
export function wasTime(): bool {
  return fine;
}

/**
 * Nanoseconds since the epoch: `@seconds`, ISO 8601, RFC 2822, `now`, `today`, `yesterday`, `tomorrow`, and what is added
 * to them (`+2 days`, `1 hour ago`). UTC where no zone is said.
 */
export function parseTime(text: string, now: i64): i64 {
  const reader = new TimeReader(text, now);
  const value = reader.read();
  fine = !reader.failed;
  return value;
}

class TimeReader {
  failed: bool = false;
  private at: i32 = 0;
  private year: i64;
  private month: i64;
  private day: i64;
  private hour: i64;
  private minute: i64;
  private second: i64;
  private nanos: i64;
  private zone: i64 = 0;
  private hasDate: bool = false;
  private hasTime: bool = false;
  private weekday: i32 = -1;
  private months: i64 = 0;
  private seconds: i64 = 0;

  constructor(
    private text: string,
    now: i64,
  ) {
    const moment = momentOf(now / NANOS);
    this.year = moment.year;
    this.month = moment.month;
    this.day = moment.day;
    this.hour = moment.hour;
    this.minute = moment.minute;
    this.second = moment.second;
    this.nanos = now % NANOS;
  }

  private get c(): i32 {
    return this.at < this.text.length ? unit(this.text, this.at) : -1;
  }

  private fail(): i64 {
    this.failed = true;
    return 0;
  }

  private digits(): string {
    const start = this.at;
    while (isDigit(this.c)) this.at++;
    return this.text.substring(start, this.at);
  }

  read(): i64 {
    if (this.c == 64) {
      this.at++;
      return this.epoch();
    }
    while (!this.failed) {
      while (isSpace(this.c) || this.c == 44) this.at++;
      if (this.c < 0) break;
      if (isDigit(this.c)) this.number();
      else if (this.c == 43 || this.c == 45) this.signed();
      else if (isAlpha(this.c)) this.word();
      else this.fail();
    }
    if (this.failed) return 0;
    if ((this.hasDate || this.weekday >= 0) && !this.hasTime) {
      this.hour = this.minute = this.second = this.nanos = 0;
    } else if (this.hasTime && this.nanos < 0) this.nanos = 0;
    let total = secondsOf(this.year, this.month + this.months, this.day, this.hour, this.minute, this.second);
    if (this.weekday >= 0 && !this.hasDate) total += ((this.weekday - momentOf(total).weekday + 7) % 7) * 86400;
    return (total - this.zone + this.seconds) * NANOS + this.nanos;
  }

  private epoch(): i64 {
    const negative = this.c == 45;
    if (negative) this.at++;
    const whole = this.digits();
    let fraction = '';
    if (this.c == 46) {
      this.at++;
      fraction = this.digits();
    }
    if (whole == '' || this.at < this.text.length) return this.fail();
    const value = parseDecimal(whole) * NANOS + parseDecimal(fraction.substring(0, 9).padEnd(9, '0'));
    return negative ? -value : value;
  }

  private number(): void {
    const start = this.at;
    const digits = this.digits();
    const value = parseDecimal(digits);
    if (this.c == 45 && digits.length >= 3) {
      this.at++;
      this.year = value;
      this.month = parseDecimal(this.digits());
      if (!wasNumber() || this.c != 45) {
        this.fail();
        return;
      }
      this.at++;
      this.day = parseDecimal(this.digits());
      this.date();
      if (this.c == 84 || this.c == 116) this.at++;
    } else if (this.c == 47) {
      this.at++;
      if (digits.length == 4) {
        this.year = value;
        this.month = parseDecimal(this.digits());
        this.at++;
        this.day = parseDecimal(this.digits());
      } else {
        this.month = value;
        this.day = parseDecimal(this.digits());
        if (this.c == 47) {
          this.at++;
          const year = this.digits();
          this.year = parseDecimal(year) + (year.length <= 2 ? (parseDecimal(year) < 69 ? 2000 : 1900) : 0);
        }
      }
      this.date();
    } else if (this.c == 58) {
      this.at = start;
      this.time();
    } else if (digits.length == 8 && !this.hasDate) {
      this.year = value / 10000;
      this.month = (value / 100) % 100;
      this.day = value % 100;
      this.date();
      if (this.c == 84) this.at++;
    } else {
      while (isSpace(this.c) || this.c == 45) this.at++;
      if (isAlpha(this.c)) {
        const from = this.at;
        const month = monthOf(this.letters());
        if (month > 0) {
          this.day = value;
          this.month = month;
          this.yearBehind();
          this.date();
          return;
        }
        this.at = from;
        this.relative(value);
      } else if (this.hasDate && digits.length == 4) {
        this.year = value;
      } else {
        this.fail();
      }
    }
  }

  private yearBehind(): void {
    const before = this.at;
    while (isSpace(this.c) || this.c == 45 || this.c == 44) this.at++;
    const start = this.at;
    const digits = this.digits();
    if (digits.length == 4 && this.c != 58) this.year = parseDecimal(digits);
    else this.at = start == before || digits.length > 0 ? before : start;
  }

  private date(): void {
    this.hasDate = true;
    if (this.month < 1 || this.month > 12 || this.day < 1 || this.day > 31) this.fail();
    // the 31st of a month that has none
    const check = momentOf(secondsOf(this.year, this.month, this.day, 0, 0, 0));
    if (check.month != this.month) this.fail();
  }

  private time(): void {
    this.hasTime = true;
    this.hour = parseDecimal(this.digits());
    this.at++;
    this.minute = parseDecimal(this.digits());
    this.second = this.nanos = 0;
    if (this.c == 58) {
      this.at++;
      this.second = parseDecimal(this.digits());
      if (this.c == 46 || this.c == 44) {
        this.at++;
        this.nanos = parseDecimal(this.digits().substring(0, 9).padEnd(9, '0'));
      }
    }
    if (this.hour > 24 || this.minute > 59 || this.second > 60) this.fail();
    while (this.c == 32) this.at++;
    const half = this.text.substring(this.at, this.at + 2).toLowerCase();
    if (half == 'am' || half == 'pm') {
      this.at += 2;
      this.hour = (this.hour % 12) + (half == 'pm' ? 12 : 0);
    }
    if (this.c == 43 || this.c == 45) this.zoneOffset();
  }

  /** +hh, +hhmm, +hh:mm; or what is added, when a unit follows. */
  private zoneOffset(): bool {
    const before = this.at;
    const sign = this.c == 45 ? -1 : 1;
    this.at++;
    const digits = this.digits();
    let hours = parseDecimal(digits.substring(0, 2));
    let minutes: i64 = 0;
    if (digits.length == 4) minutes = parseDecimal(digits.substring(2));
    else if (this.c == 58) {
      this.at++;
      minutes = parseDecimal(this.digits());
    } else if (digits.length != 2) {
      this.at = before;
      return false;
    }
    const after = this.at;
    while (isSpace(this.c)) this.at++;
    const unitFollows = isAlpha(this.c);
    this.at = unitFollows && digits.length <= 2 ? before : after;
    if (this.at == before) return false;
    this.zone = sign * (hours * 3600 + minutes * 60);
    return true;
  }

  private signed(): void {
    if (this.hasTime && this.zone == 0 && this.zoneOffset()) return;
    const sign: i64 = this.c == 45 ? -1 : 1;
    this.at++;
    while (isSpace(this.c)) this.at++;
    const digits = this.digits();
    if (digits == '') {
      this.fail();
      return;
    }
    while (isSpace(this.c)) this.at++;
    this.relative(sign * parseDecimal(digits));
  }

  private letters(): string {
    const start = this.at;
    while (isAlpha(this.c)) this.at++;
    if (this.c == 46) this.at++;
    return this.text.substring(start, this.at).split('.').join('').toLowerCase();
  }

  /** So many of the unit that follows. */
  private relative(value: i64): void {
    let name = this.letters();
    if (name.length > 3 && name.endsWith('s')) name = name.substring(0, name.length - 1);
    const before = this.at;
    while (isSpace(this.c)) this.at++;
    const from = this.at;
    const count = this.letters() == 'ago' ? -value : value;
    if (count == value) this.at = max(before, from);
    if (name == 'year') this.months += 12 * count;
    else if (name == 'month') this.months += count;
    else if (name == 'fortnight') this.seconds += count * 14 * 86400;
    else if (name == 'week') this.seconds += count * 7 * 86400;
    else if (name == 'day') this.seconds += count * 86400;
    else if (name == 'hour') this.seconds += count * 3600;
    else if (name == 'minute' || name == 'min') this.seconds += count * 60;
    else if (name == 'second' || name == 'sec') this.seconds += count;
    else this.fail();
    if (count == value) this.at = from;
  }

  private word(): void {
    const name = this.letters();
    if (name == 'now' || name == 'today') return;
    if (name == 'utc' || name == 'gmt' || name == 'z') return;
    if (name == 'yesterday') this.seconds -= 86400;
    else if (name == 'tomorrow') this.seconds += 86400;
    else if (name == 'midnight' || name == 'noon') {
      this.hasTime = true;
      this.hour = name == 'noon' ? 12 : 0;
      this.minute = this.second = this.nanos = 0;
    } else if (name == 'next' || name == 'last') {
      while (isSpace(this.c)) this.at++;
      this.relative(name == 'next' ? 1 : -1);
    } else if (name == 't' && isDigit(this.c)) this.time();
    else {
      const month = monthOf(name);
      if (month > 0) {
        this.month = month;
        while (isSpace(this.c)) this.at++;
        this.day = parseDecimal(this.digits());
        if (!wasNumber()) this.fail();
        this.yearBehind();
        this.date();
        return;
      }
      for (let i = 0; i < 7; i++) {
        const day = DAYS[i].toLowerCase();
        if (name == day || name == day.substring(0, 3)) {
          this.weekday = i;
          return;
        }
      }
      this.fail();
    }
  }
}

function monthOf(name: string): i32 {
  for (let i = 0; i < 12; i++) {
    const month = MONTHS[i].toLowerCase();
    if (name == month || name == month.substring(0, 3)) return i + 1;
  }
  return 0;
}
