/** Starts Wasm programs: processes with descriptors of the host's, whatever the shell's own streams are. */
import { Reader } from '../../io/reader';
import { Text } from '../../io/text';
import { Writer } from '../../io/writer';
import { EINTR, ENOENT } from '../../wasi/errno';
import {
  CREATE,
  closeFile,
  EXCLUSIVE,
  openFile,
  openPipe,
  pipeRead,
  pipeWrite,
  READ,
  readFile,
  removeFile,
  SEEK_SET,
  seekFile,
  WRITE,
  writeFile,
} from '../../wasi/files';
import { CLOSED, spawn } from '../../wasi/process';
import { OpenFile } from '../state/open-files';
import { Shell } from '../state/shell';

const BLOCK_BYTES: i32 = 16384;

/** A program that runs. */
export class Started {
  /** Of what it writes into our memory, the reading end; -1: nothing. */
  output: i32 = -1;
  /** And what it writes to. */
  input: i32 = -1;
  writer: Writer | null = null;
  /** `output` is a file, to be read once the program has ended. */
  spooled: bool = false;
  /** Where it did not start: what that counts as. */
  status: i32 = 0;

  constructor(
    /** Or a negative errno. */
    public pid: i32,
  ) {}

  /** Collects what it writes until it has closed its output. */
  drain(): void {
    const writer = this.writer;
    if (writer === null || this.output < 0) return;
    if (this.spooled) seekFile(this.output, 0, SEEK_SET);
    const block = heap.alloc(BLOCK_BYTES);
    while (true) {
      const count = readFile(this.output, block, BLOCK_BYTES);
      if (count == -EINTR) continue;
      if (count <= 0) break;
      writer.bytes(block, count);
      // nobody takes it any more: the program is to notice
      if (writer.error != 0) break;
    }
    heap.free(block);
    closeFile(this.output);
    this.output = -1;
  }
}

/** `path` is absolute. Look at `pid` of the result. */
export function startProgram(shell: Shell, path: string, args: Array<string>, spools: bool = false): Started {
  const started = new Started(-1);
  started.spooled = spools;
  const toClose: i32[] = [];
  const fds: i32[] = [];
  const table = shell.files;
  shell.files.flush();
  let failure = 0;
  for (let fd = 0; fd < max(table.length, 3) && failure == 0; fd++) {
    const file = table.get(fd);
    // a program looks for its directories at 3 and 4
    if (file === null || fd == 3 || fd == 4) {
      fds.push(CLOSED);
      continue;
    }
    const descriptor = descriptorOf(file, started, toClose);
    if (descriptor < 0) failure = descriptor;
    fds.push(descriptor);
  }
  if (failure == 0) started.pid = spawn(path, args, environmentOf(shell), shell.cwd, fds);
  else started.pid = failure;
  for (let i = 0; i < toClose.length; i++) closeFile(toClose[i]);
  if (started.pid < 0 && started.output >= 0) {
    closeFile(started.output);
    started.output = -1;
  }
  return started;
}

/** What the child gets for an open file; a negative errno. */
function descriptorOf(file: OpenFile, started: Started, toClose: Array<i32>): i32 {
  if (file.descriptor >= 0) {
    file.settle();
    return file.descriptor;
  }
  const reader = file.reader;
  if (reader !== null) {
    const copy = temporaryCopy(reader);
    if (copy >= 0) toClose.push(copy);
    return copy;
  }
  const writer = file.writer;
  // 2>&1: one pipe for both
  if (writer === started.writer && started.output >= 0) return started.input;
  if (started.spooled) {
    const file = temporaryFile();
    if (file < 0) return file;
    started.output = file;
    started.input = file;
    started.writer = writer;
    return file;
  }
  const error = openPipe();
  if (error < 0) return error;
  started.output = pipeRead;
  started.writer = writer;
  started.input = pipeWrite;
  toClose.push(pipeWrite);
  return pipeWrite;
}

export function environmentOf(shell: Shell): Array<string> {
  const exports = shell.variables.exports();
  const names = exports.keys();
  const list: string[] = [];
  for (let i = 0; i < names.length; i++) list.push(`${names[i]}=${exports.get(names[i])}`);
  return list;
}

let counter: i32 = 0;

/** A file without a name; a negative errno. */
export function temporaryFile(): i32 {
  let last = -ENOENT;
  const directories: StaticArray<string> = ['/tmp', '/var/tmp', '/dev/shm', ''];
  for (let i = 0; i < directories.length; i++) {
    for (let tries = 0; tries < 16; tries++) {
      const path = `${directories[i]}/.sh-${++counter}`;
      const fd = openFile(path, READ | WRITE | CREATE | EXCLUSIVE);
      last = fd;
      if (fd >= 0) {
        removeFile(path);
        return fd;
      }
    }
  }
  return last;
}

/** What is left in a reader, as a file to be read from its beginning. */
function temporaryCopy(reader: Reader): i32 {
  const fd = temporaryFile();
  if (fd < 0) return fd;
  const text: Text = reader.rest();
  let done = 0;
  while (done < text.length) {
    const count = writeFile(fd, changetype<usize>(text.bytes) + done, text.length - done);
    if (count < 0) {
      closeFile(fd);
      return count;
    }
    done += count;
  }
  seekFile(fd, 0, SEEK_SET);
  return fd;
}
