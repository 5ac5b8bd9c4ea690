// The queue of a session: runs in the order of their calls, with turns for the event loop in between.
import { FailedPreconditionError } from '../base/errors.ts';
import { nextTurn, sliceMs } from '../base/turns.ts';

const mostRuns = 1000;
const mostBytes = 2 ** 30;

/** Runs tasks one after another. */
export class RunQueue {
  #tail: Promise<unknown> = Promise.resolve();
  #waiting = 0;
  #bytes = 0;
  #sliceBegin = 0;
  #watching = false;

  /** Is nothing waiting, and may a run that keeps this thread for so long begin at once? */
  free(milliseconds: number): boolean {
    return this.#waiting === 0 && !this.#sliceOver(milliseconds);
  }

  /** Would runs on this thread, with one more of so many milliseconds, keep the event loop waiting for too long? */
  #sliceOver(milliseconds: number): boolean {
    if (!this.#watching) {
      this.#watching = true;
      this.#sliceBegin = performance.now();
      void nextTurn().then(() => {
        this.#watching = false;
      });
      return false;
    }
    return performance.now() - this.#sliceBegin + milliseconds > sliceMs;
  }

  /**
   * Runs the task after all that came before. `bytes` is what it holds while it waits, `milliseconds` how long it will
   * keep this thread, as far as that is known.
   */
  add<R>(task: () => R | Promise<R>, bytes: number, milliseconds = 0): Promise<R> {
    if (this.#waiting >= mostRuns || (this.#waiting > 0 && this.#bytes + bytes > mostBytes)) {
      return Promise.reject(
        new FailedPreconditionError(
          `${this.#waiting} runs of the session are waiting, with ${Math.round(this.#bytes / 2 ** 20)} MB of feeds: an await is probably ` +
            'missing. Write `await step.run(…)`, so that a run is finished before the next is asked for.',
        ),
      );
    }
    this.#waiting++;
    this.#bytes += bytes;
    const result = this.#tail.then(async () => {
      try {
        while (this.#sliceOver(milliseconds)) await nextTurn();
        return await task();
      } finally {
        this.#waiting--;
        this.#bytes -= bytes;
      }
    });
    this.#tail = result.catch(() => {});
    // A promise of its own: an error that nobody awaits is reported, though the queue goes on.
    return result.then((value) => value);
  }

  /** Resolves when everything that waits now is done. */
  async drain(): Promise<void> {
    await this.#tail;
  }
}
