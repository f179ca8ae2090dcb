/** sort */
import { Context } from '../applet';
import { complain } from '../io/messages';
import { closeInput, closeOutput, inputOf, openError, openOutput } from '../io/open';
import { compare, unit } from '../io/text';
import { errorText } from '../wasi/errno';
import { END, Options, STOP } from './options';
import { compareBy, Key, Order } from './sort-key';

/** What is being sorted by: nothing else runs while lines are compared. */
let keys: Array<Key> = [];
let overall: Order = new Order();
let separator: i32 = -1;
let stable: bool = false;
let unique: bool = false;

function compareKeys(a: string, b: string): i32 {
  if (keys.length == 0) {
    const result = compareBy(overall, a, b);
    return overall.reverse ? -result : result;
  }
  for (let i = 0; i < keys.length; i++) {
    const key = keys[i];
    const result = compareBy(key.order, key.of(a, separator), key.of(b, separator));
    if (result != 0) return key.order.reverse ? -result : result;
  }
  return 0;
}

function compareLines(a: string, b: string): i32 {
  const result = compareKeys(a, b);
  if (result != 0 || stable || unique) return result;
  const last = compare(a, b);
  return overall.reverse ? -last : last;
}

/** Equal lines stay in their order, which Array.sort does not promise. */
function mergeSort(lines: Array<string>): Array<string> {
  let from = lines;
  let to = new Array<string>(lines.length).fill('');
  for (let width = 1; width < lines.length; width *= 2) {
    for (let start = 0; start < lines.length; start += 2 * width) {
      const middle = min(start + width, lines.length);
      const end = min(start + 2 * width, lines.length);
      let i = start;
      let k = middle;
      for (let at = start; at < end; at++) {
        if (i < middle && (k >= end || compareLines(from[i], from[k]) <= 0)) to[at] = from[i++];
        else to[at] = from[k++];
      }
    }
    const swap = from;
    from = to;
    to = swap;
  }
  return from;
}

export function sort(context: Context, args: Array<string>): i32 {
  const ownKeys: Key[] = [];
  const order = new Order();
  let ownSeparator = -1;
  let isStable = false;
  let isUnique = false;
  let check = 0;
  let output = '';
  let delimiter = 10;
  let list = '';
  const options = new Options(
    context,
    args,
    'nghVMfdirbuscCmzk:t:o:T:S:',
    'numeric-sort=n,general-numeric-sort=g,human-numeric-sort=h,version-sort=V,month-sort=M,ignore-case=f,dictionary-order=d,' +
      'ignore-nonprinting=i,reverse=r,ignore-leading-blanks=b,unique=u,stable=s,check?=c,merge=m,zero-terminated=z,key:=k,' +
      'field-separator:=t,output:=o,temporary-directory:=T,buffer-size:=S,parallel:=S,files0-from:=F',
    2,
  );
  for (let o = options.next(); o != END; o = options.next()) {
    const value = options.value;
    switch (o) {
      case STOP:
        return options.status;
      case 98: // b
        order.blanksStart = order.blanksEnd = true;
        break;
      case 117: // u
        isUnique = true;
        break;
      case 115: // s
        isStable = true;
        break;
      case 99: // c
      case 67: // C
        check = value == 'quiet' || value == 'silent' ? 67 : o;
        break;
      case 122: // z
        delimiter = 0;
        break;
      case 107: {
        // k
        const key = new Key();
        if (!key.parse(value)) {
          complain(context, args[0], `invalid key specification '${value}'`);
          return 2;
        }
        ownKeys.push(key);
        break;
      }
      case 116: // t
        if (value == '\\0') ownSeparator = 0;
        else if (value.length == 1) ownSeparator = unit(value, 0);
        else {
          complain(context, args[0], value.length == 0 ? 'empty tab' : `multi-character tab '${value}'`);
          return 2;
        }
        break;
      case 111: // o
        output = value;
        break;
      case 70: // F
        list = value;
        break;
      default:
        order.letter(o);
    }
  }
  for (let i = 0; i < ownKeys.length; i++) if (ownKeys[i].order.plain) ownKeys[i].order = order;
  let lines: string[] = [];
  const operands = options.operands.length > 0 ? options.operands : ['-'];
  if (list != '') {
    complain(context, args[0], '--files0-from is not supported');
    return 2;
  }
  for (let i = 0; i < operands.length; i++) {
    const reader = inputOf(context, args[0], operands[i]);
    if (reader == null) return 2;
    for (let line = reader.line(delimiter); line != null; line = reader.line(delimiter)) lines.push(line);
    if (!closeInput(context, args[0], operands[i], reader)) return 2;
  }
  // set when nothing else can run any more before they are used
  keys = ownKeys;
  overall = order;
  separator = ownSeparator;
  stable = isStable;
  unique = isUnique;
  if (check != 0) return checkOrder(context, args[0], lines, operands[0], check == 67);
  lines = mergeSort(lines);
  if (isUnique) {
    const kept: string[] = [];
    for (let i = 0; i < lines.length; i++) {
      if (i == 0 || compareKeys(kept[kept.length - 1], lines[i]) != 0) kept.push(lines[i]);
    }
    lines = kept;
  }
  const writer = output == '' ? context.stdout : openOutput(context, output);
  if (writer == null) {
    complain(context, args[0], `open failed: ${output}: ${errorText(openError())}`);
    return 2;
  }
  for (let i = 0; i < lines.length && writer.error == 0; i++) {
    writer.write(lines[i]);
    writer.byte(delimiter);
  }
  return output == '' || closeOutput(context, args[0], output, writer) ? 0 : 2;
}

function checkOrder(context: Context, name: string, lines: Array<string>, path: string, quiet: bool): i32 {
  for (let i = 1; i < lines.length; i++) {
    const result = compareLines(lines[i - 1], lines[i]);
    if (result < 0 || (result == 0 && !unique)) continue;
    if (!quiet) complain(context, name, `${path}:${i + 1}: disorder: ${lines[i]}`);
    return 1;
  }
  return 0;
}
