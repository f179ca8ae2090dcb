/** Linux' signals, x86 and ARM (man 7 signal). */
const NAMES =
  'HUP INT QUIT ILL TRAP ABRT BUS FPE KILL USR1 SEGV USR2 PIPE ALRM TERM STKFLT CHLD CONT STOP TSTP TTIN TTOU URG XCPU XFSZ VTALRM PROF WINCH IO PWR SYS'.split(
    ' ',
  );
const LAST = 64;

/** Of `TERM`, `SIGTERM`, `15`, `RTMIN+3`; undefined for what is no signal. */
export function signalNumber(text: string): number | undefined {
  if (/^\d+$/.test(text)) {
    const number = Number(text);
    return number >= 1 && number <= LAST ? number : undefined;
  }
  const name = text.toUpperCase().replace(/^SIG/, '');
  const [, base, offset = '0'] = /^(RTMIN|RTMAX)([+-]\d+)?$/.exec(name) ?? [];
  if (base !== undefined) {
    const number = (base === 'RTMIN' ? 34 : LAST) + Number(offset);
    return number >= 34 && number <= LAST ? number : undefined;
  }
  const at = NAMES.indexOf(name);
  return at < 0 ? undefined : at + 1;
}
