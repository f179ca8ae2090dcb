/** What callers ask of a running container, by the name of the request. */
import { WctrError } from '../../errors.ts';
import { FRAME_STDERR, FRAME_STDOUT, type ProcessRow, type ProcessStats } from '../control/protocol.ts';
import type { ControlExchange } from '../control/server.ts';
import type { ContainerShim } from './shim.ts';

export async function answer(shim: ContainerShim, exchange: ControlExchange): Promise<unknown> {
  const { request } = exchange;
  switch (request.op) {
    case 'ping':
      return undefined;
    case 'go':
      shim.go();
      return undefined;
    case 'attach':
      return attach(shim, exchange, request);
    case 'resize':
      return shim.resize({ height: request.height, width: request.width });
    case 'signal':
      return shim.signal(request.signal);
    case 'stop':
      await exchange.reply();
      return shim.stop(request.signal, request.timeoutMs, request.restarts);
    case 'wait':
      await exchange.reply();
      return shim.nextExit;
    case 'exec.create':
      return shim.execs.create(request.id, request.config);
    case 'exec.start':
      return shim.execs.start(request.id, request, exchange);
    case 'exec.inspect':
      return shim.execs.inspect(request.id);
    case 'exec.resize':
      return shim.execs.resize(request.id, { height: request.height, width: request.width });
    case 'top':
      return processRows(shim);
    case 'stats':
      return stats(shim);
    case 'update':
      return shim.update(request.resources, request.restartPolicy);
    case 'files.stat':
      return shim.container.files.stat(request.path);
    case 'files.changes':
      return shim.container.files.changes();
    case 'files.get':
      return send(exchange, shim.container.files.archive(request.path));
    case 'files.layer':
      return send(exchange, shim.container.files.layer(request.except));
    case 'files.export':
      return send(exchange, shim.container.files.export());
    case 'files.put': {
      const { files } = shim.container;
      const { path, noOverwriteDirNonDir, copyUidGid } = request;
      await exchange.reply();
      try {
        return await files.extract(path, exchange.input(), { noOverwriteDirNonDir, copyUidGid });
      } finally {
        // What was copied in is there tomorrow, whatever becomes of the guest.
        await shim.container.sync();
      }
    }
    case 'networks.changed':
      return shim.updateNetwork(request.plan);
    case 'checkpoint':
      return shim.freeze(request.path, request.leaveRunning);
    default:
      throw unknown(request);
  }
}

export function unknown({ op }: { readonly op?: unknown }): WctrError {
  return new WctrError('unsupported', `a container process knows no ${JSON.stringify(op)}`, {
    hint: 'it was started by another version of wctr: restart the container',
  });
}

async function attach(
  shim: ContainerShim,
  exchange: ControlExchange,
  request: { readonly stdin: boolean; readonly stdout: boolean; readonly stderr: boolean },
): Promise<unknown> {
  const listener = {
    stdout: request.stdout,
    stderr: request.stderr,
    write: (name: 'stdout' | 'stderr', bytes: Uint8Array) =>
      exchange.output(name === 'stdout' ? FRAME_STDOUT : FRAME_STDERR, bytes),
  };
  const { nextExit } = shim;
  shim.output.add(listener);
  try {
    void exchange.reply({ tty: shim.isTerminal });
    exchange.onResize = (size) => shim.resize(size);
    if (request.stdin) void shim.input.forward(exchange.input());
    return await Promise.race([nextExit, exchange.gone]);
  } finally {
    shim.output.remove(listener);
  }
}

/** The first chunk goes with the reply, so that what cannot be read is an error and not an empty stream. */
export async function send(exchange: ControlExchange, data: AsyncIterable<Uint8Array>): Promise<void> {
  const chunks = data[Symbol.asyncIterator]();
  let next = await chunks.next();
  await exchange.reply();
  try {
    while (next.done !== true) {
      if (!(await exchange.output(FRAME_STDOUT, next.value))) return;
      next = await chunks.next();
    }
  } finally {
    await chunks.return?.();
  }
}

function processRows(shim: ContainerShim): ProcessRow[] {
  return shim.container.processes.map((process) => ({
    pid: process.pid,
    parentPid: process.parentPid,
    uid: process.spec.user.uid,
    startedAt: process.startedAt,
    cpuMs: process.cpuMs(),
    args: process.spec.args,
  }));
}

function stats(shim: ContainerShim): ProcessStats {
  return {
    pids: shim.container.processes.length,
    ...shim.container.usage(),
    networks: shim.networkStats(),
  };
}
