/** uniq, comm */
import { Context } from '../applet';
import { complain } from '../io/messages';
import { parseDecimal, wasNumber } from '../io/number';
import { closeInput, closeOutput, inputOf, openError, openOutput } from '../io/open';
import { compare, isBlank, unit } from '../io/text';
import { errorText } from '../wasi/errno';
import { END, Options, operandFault, STOP } from './options';

export function uniq(context: Context, args: Array<string>): i32 {
  let counted = false;
  let repeated = false;
  let single = false;
  let all = false;
  let fold = false;
  let fields: i64 = 0;
  let skipped: i64 = 0;
  let width: i64 = i64.MAX_VALUE;
  let delimiter = 10;
  const options = new Options(
    context,
    args,
    'cdDuif:s:w:z',
    'count=c,repeated=d,all-repeated?=D,unique=u,ignore-case=i,skip-fields:=f,skip-chars:=s,check-chars:=w,zero-terminated=z',
  );
  for (let o = options.next(); o != END; o = options.next()) {
    if (o == STOP) return options.status;
    if (o == 99) counted = true;
    else if (o == 100) repeated = true;
    else if (o == 68) all = true;
    else if (o == 117) single = true;
    else if (o == 105) fold = true;
    else if (o == 122) delimiter = 0;
    else {
      const value = parseDecimal(options.value);
      if (!wasNumber() || value < 0) {
        complain(
          context,
          args[0],
          `${options.value}: invalid number of ${o == 102 ? 'fields' : 'bytes'} to ${o == 119 ? 'compare' : 'skip'}`,
        );
        return 1;
      }
      if (o == 102) fields = value;
      else if (o == 115) skipped = value;
      else width = value;
    }
  }
  const operands = options.operands;
  if (operands.length > 2) return operandFault(context, args, operands, 2);
  const path = operands.length > 0 ? operands[0] : '-';
  const reader = inputOf(context, args[0], path);
  if (reader == null) return 1;
  const target = operands.length > 1 ? operands[1] : '-';
  const out = target == '-' ? context.stdout : openOutput(context, target);
  if (out == null) {
    complain(context, args[0], `${target}: ${errorText(openError())}`);
    return 1;
  }
  let previous: string | null = null;
  let previousKey = '';
  let count: i64 = 0;
  for (;;) {
    const line = out.error == 0 ? reader.line(delimiter) : null;
    const key = line == null ? '' : keyOf(line, fields, skipped, width, fold);
    if (line != null && previous != null && key == previousKey) {
      if (all) {
        if (count == 1) {
          out.write(previous);
          out.byte(delimiter);
        }
        out.write(line);
        out.byte(delimiter);
      }
      count++;
      continue;
    }
    if (previous != null && !all) {
      const isShown = repeated && single ? false : repeated ? count > 1 : single ? count == 1 : true;
      if (isShown) {
        if (counted) out.write(`${count.toString().padStart(7)} `);
        out.write(previous);
        out.byte(delimiter);
      }
    }
    if (line == null) break;
    previous = line;
    previousKey = key;
    count = 1;
  }
  let status = closeInput(context, args[0], path, reader) ? 0 : 1;
  if (target != '-' && !closeOutput(context, args[0], target, out)) status = 1;
  return status;
}

function keyOf(line: string, fields: i64, skipped: i64, width: i64, fold: bool): string {
  let at = 0;
  for (let i: i64 = 0; i < fields && at < line.length; i++) {
    while (at < line.length && isBlank(unit(line, at))) at++;
    while (at < line.length && !isBlank(unit(line, at))) at++;
  }
  at = <i32>min<i64>(at + skipped, line.length);
  const key = line.substring(at, <i32>min<i64>(line.length, width < 1 << 30 ? at + width : line.length));
  return fold ? key.toLowerCase() : key;
}

export function comm(context: Context, args: Array<string>): i32 {
  const hidden = [false, false, false];
  let separator = '\t';
  let totals = false;
  const options = new Options(
    context,
    args,
    '123z',
    'output-delimiter:=o,check-order=c,nocheck-order=n,total=t,zero-terminated=z',
  );
  let delimiter = 10;
  for (let o = options.next(); o != END; o = options.next()) {
    if (o == STOP) return options.status;
    if (o >= 49 && o <= 51) hidden[o - 49] = true;
    else if (o == 111) separator = options.value;
    else if (o == 116) totals = true;
    else if (o == 122) delimiter = 0;
  }
  const operands = options.operands;
  if (operands.length != 2) return operandFault(context, args, operands, 2);
  const left = inputOf(context, args[0], operands[0]);
  const right = inputOf(context, args[0], operands[1]);
  if (left == null || right == null) return 1;
  const out = context.stdout;
  const second = hidden[0] ? '' : separator;
  const third = second + (hidden[1] ? '' : separator);
  const counts: i32[] = [0, 0, 0];
  let a = left.line(delimiter);
  let b = right.line(delimiter);
  while ((a != null || b != null) && out.error == 0) {
    const order = a == null ? 1 : b == null ? -1 : compare(a, b);
    const column = order < 0 ? 0 : order > 0 ? 1 : 2;
    counts[column]++;
    if (!hidden[column]) {
      if (order < 0) out.write(a!);
      else out.write((order > 0 ? second : third) + b!);
      out.byte(delimiter);
    }
    if (order <= 0) a = left.line(delimiter);
    if (order >= 0) b = right.line(delimiter);
  }
  if (totals) out.line(`${counts[0]}${separator}${counts[1]}${separator}${counts[2]}${separator}total`);
  const fine = closeInput(context, args[0], operands[0], left);
  return closeInput(context, args[0], operands[1], right) && fine ? 0 : 1;
}
