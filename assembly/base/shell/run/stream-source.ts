/** A script that comes by standard input: no more of it is taken than a line at a time, the rest is for its commands. */

import { spare } from '../state/open-files';
import { NO_EXEC, VERBOSE } from '../state/options';
import { Shell } from '../state/shell';
import { Source } from '../syntax/source';

export class StreamSource extends Source {
  constructor(protected shell: Shell) {
    super('', 1);
  }

  more(): bool {
    const reader = this.shell.stdin();
    spare(reader, true);
    const line = reader.line();
    spare(reader, false);
    if (line === null) return false;
    const text = reader.terminated ? `${line}\n` : line;
    this.text += text;
    if (this.shell.has(VERBOSE) && !this.shell.has(NO_EXEC)) {
      this.shell.stderr().write(text);
      this.shell.stderr().flush();
    }
    return true;
  }
}
