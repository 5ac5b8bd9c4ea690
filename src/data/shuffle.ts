// Orders of examples: a small seeded generator and the Fisher-Yates shuffle.

/** Numbers in [0, 1): the SplitMix32 generator (Steele, Lea and Flood, "Fast splittable pseudorandom number generators", 2014). */
export function splitMix32(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x9e3779b9) | 0;
    let z = state ^ (state >>> 16);
    z = Math.imul(z, 0x21f0aaad);
    z ^= z >>> 15;
    z = Math.imul(z, 0x735a2d97);
    return ((z ^ (z >>> 15)) >>> 0) / 2 ** 32;
  };
}

/** Brings the elements into random order, in place; every order is equally likely. */
export function shuffle(order: Uint32Array, random: () => number): void {
  for (let i = order.length - 1; i > 0; i--) {
    const k = Math.floor(random() * (i + 1));
    const swap = order[i];
    order[i] = order[k];
    order[k] = swap;
  }
}
