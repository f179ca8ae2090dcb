/**
 * The parts of a pipeline after one that writes more, or longer, than is to be kept: it may have no end of its own, and
 * `yes | head` has to end. Where the host starts programs, these parts become processes and take what comes from a pipe.
 * Elsewhere they are tried on what there is (trial.ts): if they end without asking for more, that is their result.
 */
import { TextWriter } from '../../io/writer';
import { monotonicTime } from '../../wasi/clock';
import { EINTR, EPIPE } from '../../wasi/errno';
import { closeFile, openPipe, pipeRead, pipeWrite, writeFile } from '../../wasi/files';
import { OpenFile } from '../state/open-files';
import { RUNNING, Shell } from '../state/shell';
import { Node } from '../syntax/ast';
import { PipeBuffer } from './pipe-buffer';
import { waitFor } from './programs';
import { runPendingTraps } from './signals';
import { startStage } from './stage';
import { Started } from './start';
import { isHarmless, Trial } from './trial';

const FIRST_BYTES: i64 = 1 << 16;
/** What is kept for commands that can neither be started nor tried. */
const MOST_BYTES: i64 = 1 << 28;
const FIRST_NANOSECONDS: i64 = 100_000_000;

export class Rest {
  statuses: Array<i32>;
  /** They run as processes: bytes go to them right away. */
  takes: bool = false;
  private pipe: i32 = -1;
  private started: Array<Started | null>;
  private isTried: bool = false;
  private bytes: i64 = FIRST_BYTES;
  private time: i64 = 0;
  private patience: i64 = FIRST_NANOSECONDS;
  /** 0: not known, 1: they can be tried, -1: they cannot. */
  private trials: i32 = 0;
  private starts: bool = true;

  constructor(
    private shell: Shell,
    private commands: Array<Node>,
    private first: i32,
  ) {
    this.statuses = new Array<i32>(commands.length);
    this.started = new Array<Started | null>(commands.length);
  }

  /** Is it time to do something about them? `total`: bytes so far. */
  isDue(total: i64): bool {
    if (total >= this.bytes) return true;
    const now = monotonicTime();
    if (this.time == 0) this.time = now;
    return now - this.time >= this.patience;
  }

  /** 0: go on; -EPIPE: what is there was enough for them, and they have ended. */
  overflow(buffer: PipeBuffer): i32 {
    while (buffer.total >= this.bytes) this.bytes <<= 2;
    this.patience <<= 2;
    if (this.starts) {
      if (this.start()) return buffer.pourInto(this);
      this.starts = false;
    }
    if (this.tryOut(buffer)) return -EPIPE;
    if (buffer.total < MOST_BYTES) return 0;
    this.shell.complain('more than 256 MiB between commands that this host cannot run at the same time');
    return -EPIPE;
  }

  /** Starts all of them as processes; false where the host starts none. */
  private start(): bool {
    if (openPipe() < 0) return false;
    let input = pipeRead;
    this.pipe = pipeWrite;
    const count = this.commands.length;
    for (let i = this.first; i < count; i++) {
      const copy = this.shell.copy();
      copy.files.set(0, new OpenFile(input, null, null));
      if (i < count - 1 && openPipe() == 0) {
        input = pipeRead;
        copy.files.set(1, new OpenFile(pipeWrite, null, null));
      }
      const started = startStage(copy, this.commands[i], true);
      copy.files.closeAll();
      if (started.pid > 0) this.started[i] = started;
      else this.statuses[i] = started.status;
    }
    this.takes = true;
    return true;
  }

  /** To those that run. */
  write(from: usize, length: i32): i32 {
    let done = 0;
    while (done < length) {
      const count = writeFile(this.pipe, from + done, length - done);
      if (count == -EINTR) {
        runPendingTraps(this.shell);
        if (this.shell.unwind != RUNNING) return -EPIPE;
        continue;
      }
      if (count < 0) return count;
      done += count;
    }
    return 0;
  }

  /** Nothing more comes. Have they run, or do they? Then their statuses are known. */
  finish(): bool {
    if (this.isTried) return true;
    if (!this.takes) return false;
    closeFile(this.pipe);
    for (let i = this.first; i < this.commands.length; i++) {
      const started = this.started[i];
      if (started !== null) this.statuses[i] = waitFor(this.shell, started);
    }
    return true;
  }

  /** Did they end without more than there is so far? */
  private tryOut(buffer: PipeBuffer): bool {
    if (this.trials == 0) {
      this.trials = 1;
      for (let i = this.first; i < this.commands.length; i++) {
        if (!isHarmless(this.shell, this.commands[i])) this.trials = -1;
      }
    }
    if (this.trials < 0) return false;
    const messages = new TextWriter();
    let trial: Trial | null = null;
    let input = buffer.toPrefix();
    for (let i = this.first; i < this.commands.length; i++) {
      trial = new Trial(this.shell, this.commands[i], input, messages);
      this.statuses[i] = trial.status;
      input = trial.output();
    }
    buffer.rewind();
    if (trial === null || trial.isStarved) return false;
    const said = messages.take();
    this.shell.stdout().write(trial.text);
    this.shell.stdout().flush();
    if (said.length > 0) {
      this.shell.stderr().write(said);
      this.shell.stderr().flush();
    }
    this.isTried = true;
    return true;
  }
}
