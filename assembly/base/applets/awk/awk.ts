/** awk */
import { Context } from '../../applet';
import { complain } from '../../io/messages';
import { closeInput, inputOf } from '../../io/open';
import { END, Options, STOP } from '../options';
import { Cell } from './cell';
import { unescaped } from './lexer';
import { isAssignment, Machine } from './machine';
import { Parser } from './parser';
import { V_ARGC, V_ARGV, V_ENVIRON, V_FS } from './tree';

export function awk(context: Context, args: Array<string>): i32 {
  let separator = '';
  let hasSeparator = false;
  let source = '';
  let isFile = false;
  const assignments: string[] = [];
  const options = new Options(
    context,
    args,
    '+F:v:f:',
    'field-separator:=F,assign:=v,file:=f,posix=p,re-interval=p,traditional=p',
    2,
  );
  for (let o = options.next(); o != END; o = options.next()) {
    if (o == STOP) return options.status;
    if (o == 70) {
      separator = options.value == 't' ? '\t' : unescaped(options.value);
      hasSeparator = true;
    } else if (o == 118) {
      if (!isAssignment(options.value)) {
        complain(context, args[0], `'${options.value}' is no assignment`);
        return 2;
      }
      assignments.push(options.value);
    } else if (o == 102) {
      const reader = inputOf(context, args[0], options.value);
      if (reader == null) return 2;
      source += `${reader.all()}\n`;
      if (!closeInput(context, args[0], options.value, reader)) return 2;
      isFile = true;
    }
  }
  let operands = options.operands;
  if (!isFile) {
    if (operands.length == 0) {
      complain(context, args[0], 'no program given');
      return 2;
    }
    source = operands[0];
    operands = operands.slice(1);
  }
  const parser = new Parser(source);
  parser.parse();
  if (parser.error != '') {
    complain(context, args[0], parser.error);
    return 2;
  }
  // variables that only the command line names
  for (let i = 0; i < assignments.length; i++) parser.global(assignments[i].substring(0, assignments[i].indexOf('=')));
  const machine = new Machine(context, args[0], parser.program, parser.slots);
  if (hasSeparator) machine.globals[V_FS].setText(separator);
  const environment = machine.arrayOf(machine.globals[V_ENVIRON]);
  const names = context.env.keys();
  for (let i = 0; i < names.length; i++) environment.set(names[i], Cell.outside(context.env.get(names[i])));
  const list = machine.arrayOf(machine.globals[V_ARGV]);
  list.set('0', Cell.ofText(args[0]));
  for (let i = 0; i < operands.length; i++) list.set((i + 1).toString(), Cell.outside(operands[i]));
  machine.globals[V_ARGC].setNumber(operands.length + 1);
  for (let i = 0; i < assignments.length; i++) machine.assign(assignments[i]);
  return machine.run();
}
