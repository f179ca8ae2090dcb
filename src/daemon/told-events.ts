/** What is told by callback, to be read at the reader's pace; `left` is aborted when the reader goes. */
export async function* toldEvents<T>(
  work: (emit: (event: T) => void) => Promise<unknown>,
  left: AbortController,
): AsyncGenerator<T> {
  const queue: T[] = [];
  let wake: () => void = () => {};
  let over = false;
  const done = work((event) => {
    queue.push(event);
    wake();
  }).finally(() => {
    over = true;
    wake();
  });
  done.catch(() => {});
  try {
    for (;;) {
      const event = queue.shift();
      if (event !== undefined) yield event;
      else if (over) break;
      else {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
    }
    await done;
  } finally {
    if (!over) left.abort();
  }
}
