/** Commands with `&` after them: processes of their own. */
import { openFile, READ } from '../../wasi/files';
import { OpenFile } from '../state/open-files';
import { Shell } from '../state/shell';
import { Node } from '../syntax/ast';
import { startStage } from './stage';

export function runInBackground(shell: Shell, node: Node): i32 {
  const copy = shell.copy();
  if (!shell.interactive && node.redirects.length == 0) {
    const nothing = openFile('/dev/null', READ);
    if (nothing >= 0) copy.files.set(0, new OpenFile(nothing, null, null));
  }
  const started = startStage(copy, node);
  copy.files.closeAll();
  if (started.pid < 0) return started.status;
  // what it writes into our memory has to be taken, so there is no going on before its end
  started.drain();
  shell.lastJob = started.pid;
  shell.jobs.push(started.pid);
  return 0;
}
