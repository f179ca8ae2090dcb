/** Signals by Linux' numbers; 0 is the end of the shell. */
const NAMES: StaticArray<string> = [
  'EXIT',
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
  'IO',
  'PWR',
  'SYS',
];

export const SIGNAL_COUNT: i32 = 32;

export function signalName(signal: i32): string {
  return NAMES[signal];
}

/** By number, name, or name with SIG before it; -1: none. */
export function signalNumber(text: string): i32 {
  if (text.length == 0) return -1;
  const first = text.charCodeAt(0);
  if (first >= 0x30 && first <= 0x39) {
    let value = 0;
    for (let i = 0; i < text.length; i++) {
      const digit = text.charCodeAt(i) - 0x30;
      if (digit < 0 || digit > 9) return -1;
      value = value * 10 + digit;
      if (value >= SIGNAL_COUNT) return -1;
    }
    return value;
  }
  let name = text.toUpperCase();
  if (name.startsWith('SIG')) name = name.substring(3);
  for (let i = 0; i < SIGNAL_COUNT; i++) if (NAMES[i] == name) return i;
  return -1;
}
