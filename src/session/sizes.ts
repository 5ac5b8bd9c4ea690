// A program is compiled for the sizes of its feeds: ever new sizes cost a compilation each, which is said once.

import type { Tensor } from '../graph/tensor.ts';
import { showShape } from '../tensor/shape.ts';
import { keyOfFetches } from './executable-cache.ts';
import type { CheckedFeed } from './feeds.ts';
import { type FlatFetches, labelOf } from './fetches.ts';

const mostSizes = 16;
/** Of so many sets of fetches the sizes are remembered. */
const mostSets = 64;
const shown = 4;

export class SizesWatch {
  /** The shapes of the feeds of each run. */
  readonly #sets = new Map<string, (readonly string[])[]>();
  #said = false;

  /** Called with each run that was compiled, and the feeds whose numbers decide its sizes. */
  add(fetches: FlatFetches, feeds: readonly CheckedFeed[], sizeFeeds: readonly Tensor[]): void {
    if (this.#said || feeds.length === 0) return;
    const key = [keyOfFetches(fetches), ...feeds.map(({ tensor }) => tensor.name)].join(' ');
    const seen = this.#sets.get(key) ?? [];
    seen.push(
      feeds.map(({ tensor, shape, data }) => (sizeFeeds.includes(tensor) ? data.join(', ') : showShape(shape))),
    );
    this.#sets.delete(key);
    this.#sets.set(key, seen);
    if (this.#sets.size > mostSets) this.#sets.delete(this.#sets.keys().next().value as string);
    if (seen.length < mostSizes) return;
    this.#said = true;
    const varying = feeds.flatMap(({ tensor }, i) => {
      const shapes = [...new Set(seen.map((shapesOf) => shapesOf[i]))];
      return shapes.length > 1 ? [`${tensor.name} came as ${shapes.slice(-shown).join(', ')}`] : [];
    });
    console.warn(
      `millrace: ${labelOf(fetches)} has been compiled for ${mostSizes} different sizes of its feeds (lately ${varying.join('; ')}): each ` +
        'new size is compiled anew. Feed batches of one size, or of a few, and fill up the last one.',
    );
  }
}
