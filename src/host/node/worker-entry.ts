/** A thread under Node, Deno and Bun: of a sandbox that is one guest, or of one process of a container. */
import { readlinkSync, readSync } from 'node:fs';
import { parentPort } from 'node:worker_threads';
import { checkpoints } from '../checkpoint/resume.ts';
import { runGuestThread } from '../container/guest-thread.ts';
import type { GuestStart } from '../container/messages.ts';
import { HostDirectory } from '../mounts/host-directory.ts';
import { runInWorker } from '../worker/guest.ts';
import type { StartMessage } from '../worker/messages.ts';
import { openBlockSource } from './block-source.ts';
import { createCheckpoint } from './checkpoint-file.ts';
import { NodeJournal } from './journal-file.ts';
import { nodeRunnerHost } from './runner-host.ts';
import { inheritedStream } from './stdio.ts';
import { hostAnchors, hostHandles, syncFileSystem } from './sync-file-system.ts';

parentPort?.once('message', (start: StartMessage | GuestStart) => {
  if (start.type === 'start') return runSandbox(start);
  // The program after this one.
  parentPort?.on('message', runProcess);
  runProcess(start);
});

function runSandbox(start: StartMessage): void {
  const stop = start.stop === undefined ? undefined : new Int32Array(start.stop);
  runInWorker(start, {
    post: (message, transfer) => parentPort?.postMessage(message, transfer),
    inherited: inheritedStream,
    runnerHost: ({ kernel, core }, stdio) => ({
      ...nodeRunnerHost({ kernel: () => kernel, core: () => core }, stdio),
      checkpoints,
      ...(stop === undefined ? {} : { poll: () => (Atomics.load(stop, 0) === 0 ? 'run' : 'stop') }),
    }),
  });
}

function runProcess(start: GuestStart): void {
  const thread = ownName();
  runGuestThread(start, {
    post: (message) => parentPort?.postMessage(message),
    runnerHost: ({ attachment, core }, stdio) => ({
      ...nodeRunnerHost({ kernel: () => attachment.kernel, core: () => core }, stdio),
      checkpoints,
    }),
    openShared: (block) =>
      'descriptor' in block
        ? {
            sizeBytes: block.sizeBytes,
            readSync: (target, position) => readSync(block.descriptor, target, 0, target.length, position),
            // The container's own.
            close() {},
          }
        : openBlockSource(block),
    openJournal: (path, note) => new NodeJournal(path, note),
    createCheckpoint,
    attachMount: ({ mount, rootNode }, nodes) =>
      new HostDirectory(syncFileSystem, hostAnchors(), mount.source, {
        readonly: mount.readonly ?? false,
        ...(mount.owner === undefined ? {} : { shownOwner: mount.owner }),
        nodes,
        handles: hostHandles(nodes),
        rootNode,
      }),
    ...(thread === undefined ? {} : { thread }),
  });
}

/** `<pid>/task/<tid>`, where /proc has it. */
function ownName(): string | undefined {
  try {
    return readlinkSync('/proc/thread-self');
  } catch {
    return undefined;
  }
}
