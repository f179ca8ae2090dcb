/** Pull progress: one line per layer that is redrawn in place on a terminal, plain lines elsewhere. */
import type { PullEvent } from '../engine/engine.ts';
import { humanSize, printable } from './format/units.ts';
import type { Terminal } from './terminal.ts';

export interface Progress {
  show(event: PullEvent): void;
  /** Leaves the cursor below the last line. */
  end(): void;
}

/** Quiet: nothing at all, as `-q` asks. */
export const NO_PROGRESS: Progress = { show: () => {}, end: () => {} };

/** Made at the first event: most runs pull nothing. */
export function lazyProgress(make: () => Progress): Progress {
  let made: Progress | undefined;
  return {
    show(event) {
      made ??= make();
      made.show(event);
    },
    end: () => made?.end(),
  };
}

export function createProgress(terminal: Terminal): Progress {
  return terminal.stderrIsTTY && terminal.env.TERM !== 'dumb' ? new BarProgress(terminal) : new LineProgress(terminal);
}

/** Each change of state once; amounts are left out, so that a log stays short. */
class LineProgress implements Progress {
  readonly #terminal: Terminal;
  readonly #last = new Map<string, string>();

  constructor(terminal: Terminal) {
    this.#terminal = terminal;
  }

  show(event: PullEvent): void {
    const key = event.id ?? '';
    if (event.id !== undefined && this.#last.get(key) === event.status) return;
    this.#last.set(key, event.status);
    const label = event.id === undefined ? '' : `${event.id}: `;
    this.#terminal.err(`${printable(label + event.status)}\n`);
  }

  end(): void {}
}

const REDRAW_MS = 60;
const BAR_WIDTH = 30;

class BarProgress implements Progress {
  readonly #terminal: Terminal;
  readonly #rows: string[] = [];
  readonly #events = new Map<string, PullEvent>();
  #drawnRows = 0;
  #drawnAt = 0;

  constructor(terminal: Terminal) {
    this.#terminal = terminal;
  }

  show(event: PullEvent): void {
    if (event.id === undefined) {
      this.#draw(true);
      this.#terminal.err(`${printable(event.status)}\n`);
      // What is above a plain line stays; layers that follow it start a new block.
      this.#drawnRows = 0;
      this.#rows.length = 0;
      this.#events.clear();
      return;
    }
    const known = this.#events.get(event.id);
    if (known === undefined) this.#rows.push(event.id);
    this.#events.set(event.id, event);
    this.#draw(known?.status !== event.status);
  }

  end(): void {
    this.#draw(true);
  }

  #draw(now: boolean): void {
    const time = Date.now();
    if (!now && time - this.#drawnAt < REDRAW_MS) return;
    this.#drawnAt = time;
    const lines = this.#rows.map((id) => this.#line(this.#events.get(id)!));
    const up = this.#drawnRows > 0 ? `\u001b[${this.#drawnRows}A` : '';
    this.#terminal.err(`${up}${lines.map((line) => `\r\u001b[2K${line}\n`).join('')}`);
    this.#drawnRows = lines.length;
  }

  #line({ id, status, currentBytes, totalBytes }: PullEvent): string {
    let line = `${id}: ${status}`;
    if (currentBytes !== undefined && totalBytes !== undefined && totalBytes > 0) {
      const filled = Math.min(BAR_WIDTH, Math.floor((currentBytes / totalBytes) * BAR_WIDTH));
      const bar = `${'='.repeat(filled)}${filled < BAR_WIDTH ? '>' : ''}`.padEnd(BAR_WIDTH).slice(0, BAR_WIDTH);
      line = `${line.padEnd(28)} [${bar}] ${humanSize(currentBytes)}/${humanSize(totalBytes)}`;
    }
    return printable(line).slice(0, Math.max(20, this.#terminal.columns - 1));
  }
}
