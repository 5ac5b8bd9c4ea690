// The page's side of the worker: commands as promises, reports as calls.
import type { Answer, Command, CommandName, Commands, Reports } from './messages.ts';

type Listeners = { [N in keyof Reports]: (of: Reports[N]) => void };

export class Trainer {
  readonly #worker: Worker;
  readonly #pending = new Map<number, { resolve: (gives: any) => void; reject: (error: Error) => void }>();
  #next = 0;

  constructor(listeners: Listeners) {
    this.#worker = new Worker(new URL('./trainer.worker.js', import.meta.url), { type: 'module' });
    this.#worker.onmessage = ({ data }: MessageEvent<Answer>) => {
      if ('report' in data) (listeners[data.report] as (of: unknown) => void)(data.of);
      else this.#settle(data);
    };
    this.#worker.onerror = ({ message }) => {
      const why = message || 'its file could not be loaded';
      for (const id of [...this.#pending.keys()]) {
        this.#settle({ id, error: { name: 'Error', message: `The worker has failed: ${why}. Reload the page.` } });
      }
    };
  }

  #settle(answer: Exclude<Answer, { report: unknown }>): void {
    const asked = this.#pending.get(answer.id);
    this.#pending.delete(answer.id);
    if ('error' in answer) asked?.reject(Object.assign(new Error(answer.error.message), { name: answer.error.name }));
    else asked?.resolve(answer.gives);
  }

  /** Resolves with what the worker answers; rejects with its error. */
  ask<N extends CommandName>(
    name: N,
    ...[takes]: Commands[N]['takes'] extends undefined ? [] : [takes: Commands[N]['takes']]
  ): Promise<Commands[N]['gives']> {
    const id = this.#next++;
    this.#worker.postMessage({ id, name, takes } as Command);
    return new Promise((resolve, reject) => this.#pending.set(id, { resolve, reject }));
  }
}
