/**
 * The container process: reads what to run from descriptor 3, runs it on this, its only busy thread, says how it ended,
 * and is gone. It has no signal handlers, so that TERM and INT end it while Wasm runs. Its imports are few on purpose:
 * how fast a container starts is how fast this file is loaded.
 */
import { readSync, writeSync } from 'node:fs';
import { decodeFrameHeader, encodeFrame, encodeJson, FRAME_HEADER_BYTES } from '../frames.ts';
import { signalExit } from '../runner/exit.ts';
import type { SandboxExit, SandboxSpec } from '../sandbox.ts';
import { decodeSpec, FRAME_EXIT, FRAME_READY } from './frames.ts';
import { loadCheckpoints, runOnOwnStdio } from './guest-process.ts';
import { warmUp } from './warm-up.ts';

const CHANNEL = 3;

async function main(): Promise<void> {
  // Done before there is work, in the time the parent takes to know what the work is.
  warmUp();
  const spec = receive();
  if (spec !== undefined) {
    send(FRAME_READY, new Uint8Array(0));
    const checkpoints = spec.program.resume === undefined ? undefined : await loadCheckpoints();
    finish(runOnOwnStdio(spec, brokenPipe, checkpoints));
  }
  leave();
}

/** Nobody reads what the guest writes: it ends as a native program would, without a word. */
function brokenPipe(): never {
  finish(signalExit('SIGPIPE'));
  leave();
}

/** The spec; undefined when the parent went away without one. */
function receive(): SandboxSpec | undefined {
  const header = readExactly(FRAME_HEADER_BYTES);
  if (header === undefined) return undefined;
  const payload = readExactly(decodeFrameHeader(header).length);
  return payload === undefined ? undefined : decodeSpec(payload);
}

function readExactly(length: number): Uint8Array | undefined {
  const bytes = new Uint8Array(length);
  for (let at = 0; at < length; ) {
    const got = readSync(CHANNEL, bytes, at, length - at, null);
    if (got === 0) return undefined;
    at += got;
  }
  return bytes;
}

function finish(exit: SandboxExit): void {
  send(FRAME_EXIT, encodeJson(exit));
}

function send(kind: number, payload: Uint8Array): void {
  const frame = encodeFrame(kind, payload);
  for (let at = 0; at < frame.length; ) at += writeSync(CHANNEL, frame, at);
}

/** The quickest way out: nothing here needs an orderly end, and every byte has been written. */
function leave(): never {
  process.kill(process.pid, 'SIGKILL');
  throw new Error('unreachable');
}

void main();
