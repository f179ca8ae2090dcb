/** Signals that came while something else was done: their traps run between commands. */
import { monotonicTime } from '../../wasi/clock';
import { exitProcess } from '../../wasi/process';
import { RUNNING, Shell } from '../state/shell';
import { runSignalTrap } from './traps';

/** Signals with a trap, as bits: what the host's call may not run is kept here. */
let pending: u64 = 0;
/** Commands until the host is called, who hands on signals then. */
let turns: i32 = 0;

/** Between commands: those that ask nothing of the host would else never hear of a signal. */
export function listen(shell: Shell): void {
  if ((++turns & 0xff) == 0) monotonicTime();
  runPendingTraps(shell);
}

/** Signals some shell of this process has a trap for. */
let caught: u64 = 0;

/** The host's word that a signal came. Without a trap it ends the program, as it would without this function. */
export function receiveSignal(signal: i32): void {
  if (signal < 0 || signal > 63) return;
  if ((caught >> <u64>signal) & 1) pending |= (<u64>1) << (<u64>signal);
  else if (!isHarmless(signal)) exitProcess(128 + signal);
}

/** CHLD, CONT, URG, WINCH; and PIPE, of which the write that failed tells. */
function isHarmless(signal: i32): bool {
  return signal == 13 || signal == 17 || signal == 18 || signal == 23 || signal == 28;
}

export function catchSignal(signal: i32, isCaught: bool): void {
  const bit = (<u64>1) << (<u64>signal);
  if (isCaught) caught |= bit;
  else caught &= ~bit;
}

/** A signal of the process' own. */
export function holdSignal(signal: i32): bool {
  if (((caught >> <u64>signal) & 1) == 0) return false;
  pending |= (<u64>1) << (<u64>signal);
  return true;
}

/** What came is for the shell that the process is, not for those that run in it. */
export function runPendingTraps(shell: Shell): void {
  if (pending == 0 || !shell.isOwner) return;
  while (pending != 0 && shell.unwind == RUNNING) {
    const signal = <i32>ctz(pending);
    pending &= pending - 1;
    if (!runSignalTrap(shell, signal)) exitProcess(128 + signal);
  }
}
