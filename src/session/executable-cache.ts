// The compiled runs of a session, by fetches, feeds and the shapes of the feeds; those not used for longest go first.
import type { Tensor } from '../graph/tensor.ts';
import type { CheckedFeed } from './feeds.ts';
import type { FlatFetches } from './fetches.ts';

const capacity = 64;

export class ExecutableCache<V> {
  readonly #entries = new Map<string, V>();
  readonly #free: (value: V) => void;
  /** Fed tensors whose numbers have decided sizes: they are part of what a run is known by. */
  readonly #sized = new Set<Tensor>();

  /** `free` is called with each value that is dropped. */
  constructor(free: (value: V) => void) {
    this.#free = free;
  }

  get size(): number {
    return this.#entries.size;
  }

  get(fetches: FlatFetches, feeds: readonly CheckedFeed[]): V | undefined {
    const key = this.#keyOf(fetches, feeds);
    const value = this.#entries.get(key);
    if (value === undefined) return undefined;
    this.#entries.delete(key);
    this.#entries.set(key, value);
    return value;
  }

  /** @param sizeFeeds of the feeds those whose numbers decided sizes. */
  set(fetches: FlatFetches, feeds: readonly CheckedFeed[], sizeFeeds: readonly Tensor[], value: V): void {
    for (const t of sizeFeeds) this.#sized.add(t);
    this.#entries.set(this.#keyOf(fetches, feeds), value);
    if (this.#entries.size <= capacity) return;
    const [[oldest, dropped]] = this.#entries;
    this.#entries.delete(oldest);
    this.#free(dropped);
  }

  #keyOf(fetches: FlatFetches, feeds: readonly CheckedFeed[]): string {
    let key = keyOfFetches(fetches);
    for (const { tensor, shape, data } of feeds) {
      key += `|${tensor.operation.id}:${tensor.index}`;
      for (let i = 0; i < shape.length; i++) key += `,${shape[i]}`;
      if (this.#sized.has(tensor)) key += `=${data.join()}`;
    }
    return key;
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
