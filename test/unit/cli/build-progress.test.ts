/** How a build is shown: BuildKit's plain lines, and a block that is drawn again in place. */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { cutToWidth, widthOf } from '../../../src/cli/build/display-width.ts';
import { PlainProgress } from '../../../src/cli/build/plain-progress.ts';
import type { BuildProgress } from '../../../src/cli/build/progress.ts';
import { TtyProgress } from '../../../src/cli/build/tty-progress.ts';
import type { BuildVertex } from '../../../src/spec/build-progress.ts';
import { testContext } from '../../support/cli-context.ts';
import { Screen } from '../../support/screen.ts';

const START = 1_700_000_000_000;
const at = (ms: number) => new Date(START + ms).toISOString();

function teller(progress: BuildProgress) {
  const vertex = (id: string, more: Partial<BuildVertex> = {}) =>
    progress.show({ vertexes: [{ digest: id, name: `[${id}] RUN ${id}`, ...more }] });
  return {
    vertex,
    begin: (id: string, ms: number) => vertex(id, { started: at(ms) }),
    end: (id: string, from: number, to: number, more: Partial<BuildVertex> = {}) =>
      vertex(id, { started: at(from), completed: at(to), ...more }),
    log: (id: string, ms: number, text: string | Uint8Array) => {
      const data = typeof text === 'string' ? new TextEncoder().encode(text) : text;
      progress.show({ logs: [{ vertex: id, stream: 1, data, timestamp: at(ms) }] });
    },
    amount: (id: string, ms: number, current: number, total: number, completed?: number) => {
      const when = completed === undefined ? {} : { completed: at(completed) };
      const status = { id: 'layer', vertex: id, current, total, timestamp: at(ms), started: at(0), ...when };
      progress.show({ statuses: [status] });
    },
  };
}

describe('plain', () => {
  function plain() {
    let nowMs = START;
    const context = testContext();
    const progress = new PlainProgress(context.terminal, () => nowMs);
    return {
      ...teller(progress),
      progress,
      text: () => context.stderr(),
      setTime: (ms: number) => {
        nowMs = START + ms;
      },
    };
  }

  it('tells a step, its output and how it ended', () => {
    const { begin, log, end, vertex, text, progress } = plain();
    vertex('waits');
    begin('a', 0);
    log('a', 123, 'one\ntw');
    log('a', 12_345, 'o\n');
    end('a', 0, 12_400);
    end('b', 12_400, 12_400, { cached: true });
    begin('c', 12_400);
    end('c', 12_400, 12_500, { error: 'exit code: 1' });
    end('d', 12_400, 12_600, { error: 'context canceled' });
    progress.end();
    expect(text().split('\n')).toEqual([
      '#1 [a] RUN a',
      '#1 0.123 one',
      '#1 12.35 two',
      '#1 DONE 12.4s',
      '',
      '#2 [b] RUN b',
      '#2 CACHED',
      '',
      '#3 [c] RUN c',
      '#3 ERROR: exit code: 1',
      '',
      '#4 [d] RUN d',
      '#4 CANCELED',
      '------',
      ' > [c] RUN c:',
      '------',
      '',
    ]);
  });

  it('stays with a step, and comes back to those that had to wait', () => {
    const { begin, log, end, text, setTime, progress } = plain();
    begin('a', 0);
    begin('b', 1);
    log('b', 2, 'b1\n');
    log('a', 3, 'a1\n');
    setTime(6000);
    log('b', 6000, 'b2\n');
    log('a', 6001, 'a2\n');
    end('b', 1, 6002);
    end('a', 0, 6003);
    progress.end();
    expect(text().split('\n')).toEqual([
      '#1 [a] RUN a',
      '#1 0.003 a1',
      '#1 ...',
      '',
      '#2 [b] RUN b',
      '#2 0.001 b1',
      '#2 5.999 b2',
      '#2 DONE 6.0s',
      '',
      '#1 [a] RUN a',
      '#1 6.001 a2',
      '#1 DONE 6.0s',
      '',
    ]);
  });

  it('tells amounts as they grow, and warnings', () => {
    const { begin, amount, end, text, progress } = plain();
    begin('a', 0);
    amount('a', 100, 1_048_576, 10_000_000);
    amount('a', 110, 1_050_000, 10_000_000);
    amount('a', 120, 2_000_000, 10_000_000);
    amount('a', 130, 10_000_000, 10_000_000, 130);
    progress.show({ warnings: [{ vertex: 'a', short: 'mind the gap' }] });
    end('a', 0, 200);
    expect(text().split('\n')).toEqual([
      '#1 [a] RUN a',
      '#1 layer 1.05MB / 10.00MB 0.1s',
      '#1 layer 2.00MB / 10.00MB 0.1s',
      '#1 layer 10.00MB / 10.00MB 0.1s done',
      '#1 WARN: mind the gap',
      '#1 DONE 0.2s',
      '',
    ]);
  });

  it('shows what steers a terminal, and keeps characters together that come in pieces', () => {
    const { begin, log, end, text } = plain();
    begin('a\u001b[2J\nb', 0);
    log('a\u001b[2J\nb', 1, Uint8Array.of(0xc3));
    log('a\u001b[2J\nb', 2, Uint8Array.of(0xa9, 0x0d, 0x0a));
    log('a\u001b[2J\nb', 3, '\u001b]0;title\u0007\u009b1m\n');
    log('a\u001b[2J\nb', 4, 'unfinished');
    end('a\u001b[2J\nb', 0, 5);
    expect(text().split('\n')).toEqual([
      '#1 [a\\u001b[2J\\nb] RUN a\\u001b[2J\\nb',
      '#1 0.002 é',
      '#1 0.003 \\u001b]0;title\\u0007\\u009b1m',
      '#1 0.005 unfinished',
      '#1 DONE 0.0s',
      '',
    ]);
  });

  it('does not hold back a program that writes no newlines', () => {
    const { begin, log, text } = plain();
    begin('a', 0);
    log('a', 1, 'x'.repeat(10_000));
    expect(text().length).toBeGreaterThan(8000);
  });

  it('shows the last ten lines of a failed step again', () => {
    const { begin, log, end, text, progress } = plain();
    begin('a', 0);
    for (let line = 0; line < 30; line += 1) log('a', line, `line ${line}\n`);
    end('a', 0, 40, { error: 'exit code: 2' });
    progress.end();
    const [, again = ''] = text().split('------\n');
    expect(again.split('\n').slice(0, 3)).toEqual([' > [a] RUN a:', '0.020 line 20', '0.021 line 21']);
    expect(again.split('\n')).toHaveLength(12);
  });
});

describe('tty', () => {
  beforeEach(() => void vi.useFakeTimers({ now: START }));
  afterEach(() => void vi.useRealTimers());

  function tty(width: number, height: number) {
    const context = testContext({ terminal: { height, width } });
    let told = 0;
    const progress = new TtyProgress(context.terminal);
    const screen = new Screen(width, height);
    return {
      ...teller(progress),
      progress,
      context,
      raw: () => context.stderr(),
      draw: () => {
        vi.advanceTimersByTime(100);
        const text = context.stderr();
        screen.write(text.slice(told));
        told = text.length;
        return screen;
      },
    };
  }

  it('draws in place', () => {
    const { begin, log, end, vertex, draw, progress } = tty(60, 24);
    vertex('later');
    begin('a', 0);
    log('a', 10, 'first\nsecond\n');
    begin('b', 0);
    expect(draw().lines).toEqual([
      '[+] Building 0.1s (0/3)',
      ' => [a] RUN a                                          0.1s',
      ' => => # first',
      ' => => # second',
      ' => [b] RUN b                                          0.1s',
      '',
    ]);
    end('a', 0, 50, { cached: true });
    end('b', 0, 60, { error: 'bad' });
    end('later', 60, 90);
    vi.advanceTimersByTime(1000);
    progress.end();
    const screen = draw();
    expect(screen.lines).toEqual([
      '[+] Building 1.1s (3/3) FINISHED',
      ' => CACHED [a] RUN a                                   0.1s',
      ' => ERROR [b] RUN b                                    0.1s',
      ' => [later] RUN later                                  0.0s',
      '------',
      ' > [b] RUN b:',
      '------',
      '',
    ]);
    expect(screen.history).toEqual([]);
  });

  it.each([
    [40, 5],
    [20, 3],
    [12, 10],
    [1, 1],
    [200, 60],
  ])('leaves no rest on a terminal of %i columns and %i rows', (width, height) => {
    const { begin, log, end, draw, progress } = tty(width, height);
    for (let step = 0; step < 12; step += 1) {
      begin(`step ${step} 漢字`, step * 100);
      log(`step ${step} 漢字`, step * 100, `${'output '.repeat(step)}\n`.repeat(step));
      const { history, lines } = draw();
      expect(history).toEqual([]);
      expect(lines.length).toBeLessThanOrEqual(Math.max(2, height));
      if (step % 3 > 0) end(`step ${step} 漢字`, step * 100, step * 100 + 50);
    }
    progress.end();
    const { history, lines } = draw();
    expect([...history, ...lines].filter((line) => line.includes('[+]') || line === '[')).toHaveLength(1);
  });

  it('shows those that run rather than those that are done', () => {
    const { begin, end, draw } = tty(60, 6);
    begin('old', 0);
    for (let step = 0; step < 10; step += 1) end(`s${step}`, step, step + 1);
    expect(draw().lines.slice(1)).toEqual([
      expect.stringContaining('[old] RUN old'),
      expect.stringContaining('[s7]'),
      expect.stringContaining('[s8]'),
      expect.stringContaining('[s9]'),
      '',
    ]);
  });

  it('finds its lines again when the terminal became narrower and broke them', () => {
    const { begin, context, raw } = tty(60, 20);
    begin('a', 0);
    vi.advanceTimersByTime(100);
    const before = raw().length;
    context.resizeTo(20, 30);
    // A line of 23 characters is one line of 30 columns; one of 59 is two.
    expect(raw().slice(before)).toContain('\u001b[3A');
  });

  it('has no colours where nobody wants them', () => {
    const painted = (env: Record<string, string>) => {
      const context = testContext({ terminal: { height: 24, width: 80 }, env });
      const progress = new TtyProgress(context.terminal);
      teller(progress).end('a', 0, 1);
      progress.end();
      return context.stderr().includes('\u001b[36m');
    };
    expect([painted({ NO_COLOR: '' }), painted({ NO_COLOR: '1' })]).toEqual([true, false]);
  });
});

it('counts columns', () => {
  expect(['abc', '漢字', 'é', '👩', '\u0301'].map(widthOf)).toEqual([3, 4, 1, 2, 0]);
  expect([cutToWidth('漢字', 3), cutToWidth('abc', 2), cutToWidth('abc', 0)]).toEqual(['漢', 'ab', '']);
});
