// The event loop is the user's: long work is done in slices, with turns for timers and I/O in between.

/** How long work on the calling thread may keep timers and I/O waiting. */
export const sliceMs = 4;
/** What is cut into slices ends them so long before: a piece of it may take a while. */
const reserveMs = sliceMs / 2;

/** When the first work of this turn began. */
let begun: number | undefined;

/**
 * Would work on this thread, with so many milliseconds more, keep timers and I/O waiting for too long? The first in a turn
 * may take as long as it needs; all that is done in a turn counts, whoever does it.
 */
export function sliceOver(milliseconds = 0): boolean {
  if (begun !== undefined) return performance.now() - begun + milliseconds > sliceMs;
  begun = performance.now();
  inNextTurn(() => {
    begun = undefined;
  });
  return false;
}

const waiting: (() => void)[] = [];

/** Resolves after timers and I/O had their turn. Of those who wait, each has a turn for itself. */
export function nextTurn(): Promise<void> {
  return new Promise((resolve) => {
    if (waiting.push(resolve) === 1) inNextTurn(serve);
  });
}

function serve(): void {
  begun = undefined;
  waiting.shift()?.();
  if (waiting.length > 0) inNextTurn(serve);
}

function inNextTurn(work: () => void): void {
  const { setImmediate: immediate } = globalThis as { setImmediate?: (f: () => void) => void };
  if (immediate) {
    immediate(work);
    return;
  }
  // Browsers: setTimeout would wait for 4 ms.
  const { port1, port2 } = new MessageChannel();
  const onmessage = () => {
    port1.close();
    work();
  };
  Object.assign(port1, { onmessage });
  port2.postMessage(0);
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
  for (;;) {
    while (sliceOver(reserveMs)) await nextTurn();
    const { done, value } = work.next();
    if (done) return value;
  }
}
