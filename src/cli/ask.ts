/** Questions on the terminal, letter by letter: the answer to a secret one is not shown. */
import { WctrError } from '../errors.ts';
import type { Context } from './command.ts';

const ENTER = new Set(['\r', '\n']);
const ERASE = new Set(['\b', '\u007f']);
const INTERRUPT = '\u0003';
const END_OF_INPUT = '\u0004';
const ERASE_LINE = '\u0015';

export interface Questions {
  ask(question: string, options?: { secret?: boolean }): Promise<string>;
  /** Gives the terminal back. */
  end(): void;
}

/** Only where standard input is a terminal. */
export function questions({ terminal, host }: Pick<Context, 'terminal' | 'host'>): Questions {
  const undo = terminal.raw();
  const input = host.stdin()[Symbol.asyncIterator]();
  const decoder = new TextDecoder();
  let typed: string[] = [];
  const next = async (): Promise<string> => {
    while (typed.length === 0) {
      const { done, value } = await input.next();
      if (done) return END_OF_INPUT;
      typed = [...decoder.decode(value, { stream: true })];
    }
    return typed.shift()!;
  };
  return {
    ask: async (question, { secret = false } = {}) => {
      terminal.err(question);
      let answer: string[] = [];
      for (;;) {
        const key = await next();
        if (ENTER.has(key) || (key === END_OF_INPUT && answer.length > 0)) break;
        if (key === INTERRUPT || key === END_OF_INPUT) {
          terminal.err('\r\n');
          throw new WctrError('cancelled', 'cancelled');
        }
        if (ERASE.has(key) || key === ERASE_LINE) {
          const count = key === ERASE_LINE ? answer.length : Math.min(1, answer.length);
          answer = answer.slice(0, answer.length - count);
          if (!secret) terminal.err('\b \b'.repeat(count));
        } else if (key >= ' ') {
          answer.push(key);
          if (!secret) terminal.err(key);
        }
      }
      terminal.err('\r\n');
      return answer.join('');
    },
    end: undo,
  };
}
