/** Which of the ways to show a build the caller chose. */
import { WctrError } from '../../errors.ts';
import type { BuildVertexWarning, SolveStatus } from '../../spec/build-progress.ts';
import type { ParsedFlags } from '../flags.ts';
import { printableLine } from '../format/units.ts';
import { paint, type Terminal } from '../terminal.ts';
import { JsonProgress } from './json-progress.ts';
import { PlainProgress } from './plain-progress.ts';
import type { BuildTrace } from './trace.ts';
import { TtyProgress } from './tty-progress.ts';

export interface BuildProgress {
  /** Undefined where nobody is shown anything. */
  readonly trace?: BuildTrace;
  show(status: SolveStatus): void;
  /** Everything was told: leaves the cursor below the last line. */
  end(): void;
}

const MODES = ['auto', 'plain', 'tty', 'rawjson', 'quiet'] as const;
export type ProgressMode = (typeof MODES)[number];

/** Throws `invalid-argument` for a mode nobody knows. */
export function progressMode(terminal: Terminal, flags: ParsedFlags): ProgressMode {
  const given = flags.string('progress') ?? (terminal.env.BUILDKIT_PROGRESS || 'auto');
  const mode = MODES.find((name) => name === given);
  if (mode === undefined) {
    throw new WctrError('invalid-argument', `invalid progress mode "${given}"`, {
      hint: `there is ${MODES.join(', ')}`,
    });
  }
  if (flags.bool('quiet')) {
    if (flags.has('progress') && mode !== 'quiet' && mode !== 'auto') {
      throw new WctrError('invalid-argument', `progress=${mode} and quiet cannot be used together`);
    }
    return 'quiet';
  }
  const canDraw = terminal.stderrIsTTY && terminal.env.TERM !== 'dumb';
  if (mode === 'tty' && !canDraw) {
    throw new WctrError('invalid-argument', 'progress=tty needs a terminal, and standard error is none', {
      hint: 'use --progress plain',
    });
  }
  return mode === 'auto' ? (canDraw ? 'tty' : 'plain') : mode;
}

export function createBuildProgress(terminal: Terminal, mode: ProgressMode): BuildProgress {
  if (mode === 'tty') return new TtyProgress(terminal);
  if (mode === 'rawjson') return new JsonProgress(terminal);
  return mode === 'quiet' ? { show: () => {}, end: () => {} } : new PlainProgress(terminal);
}

/** What docker says below a build whose Dockerfile has mistakes that do not stop it. */
export function warningLines(terminal: Terminal, warnings: readonly BuildVertexWarning[]): string {
  if (warnings.length === 0) return '';
  const count = warnings.length === 1 ? '1 warning found' : `${warnings.length} warnings found`;
  const head = paint(terminal, 'yellow', `${count} (see them with --check):`);
  return `\n ${head}\n${warnings.map(({ short }) => ` - ${printableLine(short)}\n`).join('')}`;
}
