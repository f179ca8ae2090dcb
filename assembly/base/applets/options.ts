/**
 * Options of a command line, as getopt_long(3) with GNU's permutation takes them. `short` is `ab:c` (b takes a value; a
 * leading `+` ends the options at the first operand). `long` is `all=a,bytes:=b,color?=C`: a name, `:` or `?` for a value
 * that must or may be there, and the letter it stands for.
 */
import { Context } from '../applet';
import { complain } from '../io/messages';
import { unit } from '../io/text';

export const END: i32 = -1;
/** Something is wrong with the options, or help was asked for: return `status`. */
export const STOP: i32 = -2;

export class Options {
  readonly operands: Array<string> = [];
  value: string = '';
  /** Whether the option had a value, where it may have one. */
  given: bool = false;
  status: i32 = 1;
  private index: i32 = 1;
  private offset: i32 = 0;
  private ordered: bool;

  constructor(
    private context: Context,
    private args: Array<string>,
    private short: string,
    private long: string = '',
    private failure: i32 = 1,
  ) {
    this.ordered = short.startsWith('+');
    if (this.ordered) this.short = short.substring(1);
  }

  /** The next option's letter, END or STOP. At the end, `operands` has the rest. */
  next(): i32 {
    const args = this.args;
    this.value = '';
    this.given = false;
    if (this.offset > 0) return this.letter(args[this.index]);
    while (this.index < args.length) {
      const arg = args[this.index];
      if (arg.length < 2 || unit(arg, 0) != 45) {
        if (this.ordered) break;
        this.operands.push(arg);
        this.index++;
        continue;
      }
      if (arg == '--') {
        this.index++;
        break;
      }
      if (unit(arg, 1) == 45) return this.name(arg);
      this.offset = 1;
      return this.letter(arg);
    }
    while (this.index < args.length) this.operands.push(args[this.index++]);
    return END;
  }

  private letter(arg: string): i32 {
    const c = unit(arg, this.offset);
    const at = c == 58 ? -1 : this.short.indexOf(String.fromCharCode(c));
    if (at < 0) return this.fail(`invalid option -- '${String.fromCharCode(c)}'`);
    this.offset++;
    const kind = at + 1 < this.short.length ? unit(this.short, at + 1) : 0;
    if (kind == 58 || kind == 63) {
      this.given = true;
      if (this.offset < arg.length) {
        this.value = arg.substring(this.offset);
      } else if (kind == 63) {
        this.given = false;
      } else if (this.index + 1 < this.args.length) {
        this.value = this.args[++this.index];
      } else {
        return this.fail(`option requires an argument -- '${String.fromCharCode(c)}'`);
      }
      this.offset = arg.length;
    }
    if (this.offset >= arg.length) {
      this.offset = 0;
      this.index++;
    }
    return c;
  }

  private name(arg: string): i32 {
    const equals = arg.indexOf('=');
    const name = equals < 0 ? arg.substring(2) : arg.substring(2, equals);
    const table = this.long.split(',');
    let found = '';
    for (let i = 0; i < table.length; i++) {
      const entry = table[i];
      const bare = entry.substring(0, entry.lastIndexOf('=') - (entry.includes(':=') || entry.includes('?=') ? 1 : 0));
      if (bare == name) {
        found = entry;
        break;
      }
      if (name.length > 0 && bare.startsWith(name)) {
        if (found != '') return this.fail(`option '--${name}' is ambiguous`);
        found = entry;
      }
    }
    if (found == '') {
      if (name == 'help' && equals < 0) return this.help();
      return this.fail(`unrecognized option '${arg}'`);
    }
    this.index++;
    const wants = found.includes(':=');
    if (equals >= 0) {
      if (!wants && !found.includes('?=')) return this.fail(`option '--${name}' doesn't allow an argument`);
      this.value = arg.substring(equals + 1);
      this.given = true;
    } else if (wants) {
      if (this.index >= this.args.length) return this.fail(`option '--${name}' requires an argument`);
      this.value = this.args[this.index++];
      this.given = true;
    }
    return unit(found, found.length - 1);
  }

  private fail(text: string): i32 {
    complain(this.context, this.args[0], text);
    this.status = this.failure;
    return STOP;
  }

  private help(): i32 {
    const letters = this.short.split(':').join('').split('?').join('');
    this.context.stdout.line(`Usage: ${this.args[0]}${letters.length > 0 ? ` [-${letters}]` : ''} [OPERAND]...`);
    const table = this.long.split(',');
    for (let i = 0; i < table.length; i++) {
      const name = table[i].substring(0, table[i].indexOf('='));
      if (name.length > 0) this.context.stdout.line(`  --${name.replace(':', '=VALUE').replace('?', '[=VALUE]')}`);
    }
    this.status = 0;
    return STOP;
  }
}

/** Says that an operand is missing, or that there is one too many. */
export function operandFault(context: Context, args: Array<string>, operands: Array<string>, most: i32): i32 {
  if (most >= 0 && operands.length > most) complain(context, args[0], `extra operand '${operands[most]}'`);
  else if (operands.length == 0) complain(context, args[0], 'missing operand');
  else complain(context, args[0], `missing operand after '${operands[operands.length - 1]}'`);
  return 1;
}
