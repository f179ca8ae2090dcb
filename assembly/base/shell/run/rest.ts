/** The parts of a pipeline after one that writes more than is to be kept. */
import { Shell } from '../state/shell';
import { Node } from '../syntax/ast';
import { PipeBuffer } from './pipe-buffer';

export class Rest {
  statuses: Array<i32>;
  /** `overflow` is asked when so many bytes were written. */
  threshold: i64 = 1 << 16;
  /** They run as processes: bytes go to them right away. */
  takes: bool = false;

  constructor(
    private shell: Shell,
    private commands: Array<Node>,
    private first: i32,
  ) {
    this.statuses = new Array<i32>(commands.length);
  }

  /** 0: go on; -EPIPE: what is there was enough for them, and they have ended. */
  overflow(_buffer: PipeBuffer): i32 {
    this.threshold <<= 2;
    return 0;
  }

  write(_from: usize, _length: i32): i32 {
    return 0;
  }

  /** Have they run? If so, their statuses are known. */
  isDone(_buffer: PipeBuffer): bool {
    return false;
  }
}
