/** Joins two connections: what comes on one goes out on the other. */
import type { ByteSocket } from './host-sockets.ts';

export function relay(a: ByteSocket, b: ByteSocket): void {
  oneWay(a, b);
  oneWay(b, a);
}

function oneWay(from: ByteSocket, to: ByteSocket): void {
  from.listen({
    data: (bytes) => {
      // The bytes are good during the call only.
      if (!to.write(bytes.slice())) from.pause();
    },
    end: () => to.end(),
    // Room on this one again: the other may go on.
    drained: () => to.resume(),
    closed: (errno) => (errno === 0 ? to.end() : to.destroy()),
  });
}
