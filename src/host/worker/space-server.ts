/** The worker's side of a container for one program: opens it, does what it is asked, one thing after the other. */
import { isWctrError, WctrError } from '../../errors.ts';
import type { InlineSpace } from '../inline/space.ts';
import type { SandboxSpec } from '../sandbox.ts';
import type { SpaceError, SpaceMessage, SpaceRequest } from './space-messages.ts';

export interface SpaceServerHost {
  post(message: SpaceMessage, transfer?: ArrayBuffer[]): void;
  open(
    spec: SandboxSpec,
    modules: { readonly kernel: WebAssembly.Module; readonly core: WebAssembly.Module },
  ): InlineSpace;
}

interface Incoming {
  readonly pieces: (Uint8Array | undefined | 'broken')[];
  wake(): void;
}

/** Call the result with each message. */
export function serveSpace(host: SpaceServerHost): (request: SpaceRequest) => void {
  let space: InlineSpace | undefined;
  const incoming = new Map<number, Incoming>();
  const outgoing = new Map<number, AsyncIterator<Uint8Array>>();
  const opened = (): InlineSpace => {
    if (space === undefined) throw new WctrError('conflict', 'the container is not open');
    return space;
  };

  async function* input(id: number): AsyncGenerator<Uint8Array> {
    const stream: Incoming = { pieces: [], wake: () => {} };
    incoming.set(id, stream);
    for (;;) {
      if (stream.pieces.length === 0) {
        await new Promise<void>((resolve) => {
          stream.wake = resolve;
        });
        continue;
      }
      const piece = stream.pieces.shift();
      if (piece === undefined) return;
      if (piece === 'broken') throw new WctrError('cancelled', 'what was sent broke off');
      yield piece;
      host.post({ id, type: 'taken' });
    }
  }

  async function answer(request: SpaceRequest): Promise<void> {
    const { id } = request;
    switch (request.type) {
      case 'open':
        space = host.open(request.spec, request);
        break;
      case 'extract':
        await opened().files.extract(request.path, input(id), request.options);
        break;
      case 'write':
        await opened().files.write(request.path, input(id), request.attributes);
        break;
      case 'piece':
        incoming.get(id)?.pieces.push(request.bytes);
        incoming.get(id)?.wake();
        return;
      case 'end':
        incoming.get(id)?.pieces.push(request.broken ? 'broken' : undefined);
        incoming.get(id)?.wake();
        return;
      case 'seal':
        await opened().files.seal(request.path);
        break;
      case 'layer':
        outgoing.set(id, opened().files.layer(request.except)[Symbol.asyncIterator]());
        return next(id);
      case 'archive':
        outgoing.set(id, opened().files.archive(request.path)[Symbol.asyncIterator]());
        return next(id);
      case 'next':
        return next(id);
      case 'run':
        host.post({ id, type: 'done', exit: run(id) });
        return;
    }
    incoming.delete(id);
    host.post({ id, type: 'done' });
  }

  async function next(id: number): Promise<void> {
    const piece = await outgoing.get(id)?.next();
    if (piece === undefined || piece.done === true) {
      outgoing.delete(id);
      host.post({ id, type: 'done' });
    } else {
      // Its own: what is yielded may lie in the kernel's memory, or be used again.
      const bytes = piece.value.slice();
      host.post({ id, type: 'piece', bytes }, [bytes.buffer]);
    }
  }

  function run(id: number) {
    return opened().run((stream, bytes) =>
      host.post({ id, type: 'output', stream, bytes }, [bytes.buffer as ArrayBuffer]),
    );
  }

  return (request) => {
    answer(request).catch((error: unknown) => {
      incoming.delete(request.id);
      outgoing.delete(request.id);
      host.post({ id: request.id, type: 'failed', error: described(error) });
    });
  };
}

function described(error: unknown): SpaceError {
  const message = (error as { message?: string } | null)?.message ?? String(error);
  if (!isWctrError(error)) return { code: 'internal', message };
  return { code: error.code, message, ...(error.hint === undefined ? {} : { hint: error.hint }) };
}
