/**
 * The standard streams of a program that the host started: pipes of the host's, or a terminal. Programs that it starts
 * itself are of its session and share them; they end with it.
 */
import { isWctrError } from '../../errors.ts';
import { LineDiscipline, toTerminal } from '../terminal/line-discipline.ts';
import { TerminalLines } from '../terminal/terminal-lines.ts';
import type { OutputName } from '../worker/messages.ts';
import { CLOSED_BY_READER, CLOSED_BY_WRITER, createRing, Ring } from '../worker/ring.ts';
import { Input, Output, RING_BYTES } from '../worker/streams.ts';
import type { ProcessSpec } from './container.ts';
import type { Guest } from './guest.ts';
import type { GuestStart } from './messages.ts';

/** The rings as the threads of the session get them. */
export type SessionRings = Pick<GuestStart, 'stdin' | 'stdout' | 'stderr'>;

export class Session {
  readonly terminal: boolean;
  readonly stdin: WritableStream<Uint8Array> | undefined;
  readonly stdout: ReadableStream<Uint8Array>;
  readonly stderr: ReadableStream<Uint8Array> | undefined;
  /** Its programs. */
  readonly members = new Set<Guest>();
  readonly #input: Input | undefined;
  readonly #typed: SharedArrayBuffer | undefined;
  readonly #rings = { stdout: createRing(RING_BYTES), stderr: createRing(RING_BYTES) };
  readonly #outputs = new Map<OutputName, Output>();
  readonly #wake: () => void;
  #inputRing: Ring | undefined;

  /** `wake`: something the programs may be waiting for changed. */
  constructor({ terminal, stdin }: ProcessSpec, wake: () => void) {
    this.terminal = terminal;
    this.#wake = wake;
    if (terminal) {
      const output = this.#output('stdout', toTerminal);
      this.#typed = createRing(RING_BYTES);
      const typed = this.#terminalStream(this.#typed, output);
      this.stdin = stdin ? typed : undefined;
      this.stdout = output.readable;
    } else {
      this.#input = new Input(stdin ? 'pipe' : 'null', true, wake);
      this.stdin = this.#input.writable;
      this.stdout = this.#output('stdout').readable;
      this.stderr = this.#output('stderr').readable;
    }
  }

  async rings(): Promise<SessionRings> {
    const setup = await this.#input?.ready;
    const stdin = this.#typed ?? (setup?.kind === 'ring' ? setup.buffer : undefined);
    if (stdin !== undefined) this.#inputRing ??= new Ring(stdin);
    return {
      ...(stdin === undefined ? {} : { stdin }),
      stdout: this.#rings.stdout,
      ...(this.terminal ? {} : { stderr: this.#rings.stderr }),
    };
  }

  /** One of the programs wrote to an output that was empty. */
  readable(name: OutputName): void {
    this.#outputs.get(name)?.wake();
  }

  /** One of the programs read. */
  writable(): void {
    this.#input?.wake();
  }

  /** Has who waits for input look whether it still should. */
  poke(): void {
    this.#inputRing?.poke();
  }

  /** The program that the host started has ended. Others read the end from here on, and write to nobody. */
  close(): void {
    this.#input?.discard();
    for (const output of this.#outputs.values()) output.end();
    for (const ring of Object.values(this.#rings)) new Ring(ring).close(CLOSED_BY_READER);
    this.#inputRing?.close(CLOSED_BY_WRITER);
    this.#wake();
  }

  #output(name: OutputName, shown?: (bytes: Uint8Array) => Uint8Array): Output {
    const output = new Output(new Ring(this.#rings[name]), this.#wake, shown);
    this.#outputs.set(name, output);
    return output;
  }

  /** What is typed: through a line discipline to the programs, what it shows into their output. */
  #terminalStream(buffer: SharedArrayBuffer, output: Output): WritableStream<Uint8Array> {
    const lines = new TerminalLines(new Ring(buffer));
    const discipline = new LineDiscipline({
      echo: (bytes) => output.push(bytes),
      line: (bytes) => {
        lines.give(bytes);
        this.#wake();
      },
      signal: (name) => this.#signalAll(name),
    });
    const close = () => {
      lines.close();
      this.#wake();
    };
    return new WritableStream({
      write: (chunk) => discipline.input(chunk),
      close,
      abort: close,
    });
  }

  #signalAll(name: string): void {
    for (const member of [...this.members]) {
      try {
        member.signal(name);
      } catch (error) {
        // It is ending already.
        if (!isWctrError(error, 'conflict')) throw error;
      }
    }
  }
}
