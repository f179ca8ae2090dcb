/** Pulls only what the connection takes; leaving the connection ends the source. */
export function streamOf(chunks: AsyncIterable<Uint8Array>): ReadableStream<Uint8Array> {
  const iterator = chunks[Symbol.asyncIterator]();
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const next = await iterator.next();
        if (next.done === true) controller.close();
        else controller.enqueue(next.value);
      },
      async cancel() {
        // Not awaited: an iterator that waits for its next value returns only then.
        void iterator.return?.(undefined)?.catch(() => {});
      },
    },
    { highWaterMark: 0 },
  );
}
