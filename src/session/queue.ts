// The queue of a session: runs in the order of their calls, with turns for the event loop in between.
import { FailedPreconditionError } from '../base/errors.ts';
import { nextTurn, sliceOver } from '../base/turns.ts';

const mostRuns = 1000;
const mostBytes = 2 ** 30;

/** Runs tasks one after another. */
export class RunQueue {
  #tail: Promise<unknown> = Promise.resolve();
  #waiting = 0;
  #bytes = 0;

  /** Is nothing waiting, and may a run that keeps this thread for so long begin at once? A slice begins here, too. */
  free(milliseconds: number): boolean {
    return !sliceOver(milliseconds) && this.#waiting === 0;
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
        while (sliceOver(milliseconds)) await nextTurn();
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
