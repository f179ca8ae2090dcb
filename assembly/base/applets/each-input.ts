/** What most filters do with their operands: one after the other, standard input where there are none. */
import { Context } from '../applet';
import { closeInput, inputOf } from '../io/open';
import { Reader } from '../io/reader';

/** Reads one input of `eachInput`; `state` is what the caller gave. */
export type Visit<T> = (context: Context, reader: Reader, path: string, state: T) => void;

/** 0, or 1 when an input could not be opened or read, which is told. */
export function eachInput<T>(context: Context, name: string, operands: Array<string>, state: T, visit: Visit<T>): i32 {
  const paths = operands.length > 0 ? operands : ['-'];
  let status = 0;
  for (let i = 0; i < paths.length && context.stdout.error == 0; i++) {
    const reader = inputOf(context, name, paths[i]);
    if (reader == null) {
      status = 1;
      continue;
    }
    visit(context, reader, paths[i], state);
    if (!closeInput(context, name, paths[i], reader)) status = 1;
  }
  return status;
}
