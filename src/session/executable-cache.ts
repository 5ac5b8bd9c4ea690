// The compiled runs of a session, by fetches, feeds and the shapes of the feeds; those not used for longest go first.
import type { CheckedFeed } from './feeds.ts';
import type { FlatFetches } from './fetches.ts';

const capacity = 64;

export class ExecutableCache<V> {
  readonly #entries = new Map<string, V>();
  readonly #free: (value: V) => void;

  /** `free` is called with each value that is dropped. */
  constructor(free: (value: V) => void) {
    this.#free = free;
  }

  get size(): number {
    return this.#entries.size;
  }

  get(fetches: FlatFetches, feeds: readonly CheckedFeed[]): V | undefined {
    const key = keyOf(fetches, feeds);
    const value = this.#entries.get(key);
    if (value === undefined) return undefined;
    this.#entries.delete(key);
    this.#entries.set(key, value);
    return value;
  }

  set(fetches: FlatFetches, feeds: readonly CheckedFeed[], value: V): void {
    this.#entries.set(keyOf(fetches, feeds), value);
    if (this.#entries.size <= capacity) return;
    const [[oldest, dropped]] = this.#entries;
    this.#entries.delete(oldest);
    this.#free(dropped);
  }

  clear(): void {
    for (const value of this.#entries.values()) this.#free(value);
    this.#entries.clear();
  }
}

/** What is fetched, whatever is fed. */
export function keyOfFetches({ tensors, targets }: FlatFetches): string {
  let key = '';
  for (const t of tensors) key += `${t.operation.id}:${t.index},`;
  key += '|';
  for (const operation of targets) key += `${operation.id},`;
  return key;
}

function keyOf(fetches: FlatFetches, feeds: readonly CheckedFeed[]): string {
  let key = keyOfFetches(fetches);
  for (const { tensor, shape } of feeds) {
    key += `|${tensor.operation.id}:${tensor.index}`;
    for (let i = 0; i < shape.length; i++) key += `,${shape[i]}`;
  }
  return key;
}
