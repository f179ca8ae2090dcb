/** In place of the import `env.abort`: a program error of the box itself ends it with a line that says so. */
import { writeFile } from './files';
import { pack } from './memory';
import { exitProcess } from './process';

const LINE: usize = memory.data(256, 16);

export function abort(message: string | null, _file: string | null, line: u32, column: u32): void {
  let at = LINE;
  const parts: StaticArray<string> = ['box: internal error: ', message === null ? 'failed' : message, ' at '];
  for (let i = 0; i < parts.length; i++) {
    const text = parts[i].length > 80 ? parts[i].substring(0, 80) : parts[i];
    pack(text, at);
    at += text.length;
  }
  const place = `${line}:${column}\n`;
  pack(place, at);
  at += place.length;
  writeFile(2, LINE, <i32>(at - LINE));
  exitProcess(134);
}
