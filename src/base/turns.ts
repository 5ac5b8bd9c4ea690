// The event loop is the user's: long work is done in slices, with turns for timers and I/O in between.

/** How long work on the calling thread may keep timers and I/O waiting. */
export const sliceMs = 4;

/** Resolves after timers and I/O had their turn. */
export function nextTurn(): Promise<void> {
  const { setImmediate: immediate } = globalThis as { setImmediate?: (f: () => void) => void };
  if (immediate) return new Promise((resolve) => immediate(resolve));
  // Browsers: setTimeout would wait for 4 ms.
  const { port1, port2 } = new MessageChannel();
  return new Promise((resolve) => {
    const onmessage = () => {
      port1.close();
      resolve();
    };
    Object.assign(port1, { onmessage });
    port2.postMessage(0);
  });
}

/** A computation cut into slices: it may be interrupted wherever it yields. */
export type Sliced<T> = Generator<void, T, void>;

/** Does all of it now. */
export function atOnce<T>(work: Sliced<T>): T {
  for (;;) {
    const { done, value } = work.next();
    if (done) return value;
  }
}

/** Does it slice by slice. */
export async function inSlices<T>(work: Sliced<T>): Promise<T> {
  let begin = performance.now();
  for (;;) {
    const { done, value } = work.next();
    if (done) return value;
    if (performance.now() - begin > sliceMs) {
      await nextTurn();
      begin = performance.now();
    }
  }
}
