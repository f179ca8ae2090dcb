/** Linux' signals, by name and number, whatever the host numbers them. */
const NAMES = [
  'HUP',
  'INT',
  'QUIT',
  'ILL',
  'TRAP',
  'ABRT',
  'BUS',
  'FPE',
  'KILL',
  'USR1',
  'SEGV',
  'USR2',
  'PIPE',
  'ALRM',
  'TERM',
  'STKFLT',
  'CHLD',
  'CONT',
  'STOP',
  'TSTP',
  'TTIN',
  'TTOU',
  'URG',
  'XCPU',
  'XFSZ',
  'VTALRM',
  'PROF',
  'WINCH',
  'POLL',
  'PWR',
  'SYS',
] as const;

/** Real-time signals end at 64; they have no names here. */
const SIGNALS_MAX = 64;
/** Signals whose default is to do nothing, or to go on. */
const HARMLESS = new Set(['SIGCHLD', 'SIGCONT', 'SIGURG', 'SIGWINCH']);
/** Signals whose default is to stop the process. */
const STOPPING = new Set(['SIGSTOP', 'SIGTSTP', 'SIGTTIN', 'SIGTTOU']);

/** `SIGTERM`, `TERM`, `15` -> 15; 0 for what is no signal. */
export function signalNumber(text: string): number {
  if (/^\d+$/.test(text)) return Number(text) <= SIGNALS_MAX ? Number(text) : 0;
  const name = text.toUpperCase().replace(/^SIG/, '');
  return (NAMES as readonly string[]).indexOf(name === 'IO' ? 'POLL' : name) + 1;
}

/** `SIGTERM` for 15; `SIG40` for one that has no name. */
export function signalName(number: number): string {
  return `SIG${NAMES[number - 1] ?? number}`;
}

/** What a signal does to a program that handles none. */
export function defaultAction(number: number): 'end' | 'ignore' | 'stop' {
  const name = signalName(number);
  return HARMLESS.has(name) ? 'ignore' : STOPPING.has(name) ? 'stop' : 'end';
}
