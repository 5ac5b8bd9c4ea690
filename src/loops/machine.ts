// What the compiler is told about the processor: nothing else in it depends on a backend.
import type { DType } from '../tensor/dtype.ts';

/** How much neighbouring tasks have to have in common before a block of items takes them together. */
export interface Batching {
  /** Below this many bytes between the tasks of a chain all items are done at once. */
  readonly enoughBytes: number;
  /** What the arrays of a block should take. */
  readonly blockBytes: number;
  /** What the arrays of a block in parallel may take. */
  readonly cachedBytes: number;
  /** How many blocks in parallel there should be, for the threads to share. */
  readonly leastBlocks: number;
  /** What a block should cost at least, in units of one vector operation: a chain of less is one block, of one thread. */
  readonly leastCost: number;
  /** Longer chains in parallel are cut: their kernel is made in one go, and engines are slow with very long functions. */
  readonly mostTasks: number;
  /** Blocks are a multiple of this, for the threads to share. */
  readonly blockMultiple: number;
  /** An operand that all items share is read again for each block: one of more bytes ends the chain. */
  readonly mostShared: number;
}

/** Of processors with some megabytes of cache. */
export const commonBatching: Batching = {
  enoughBytes: 32 * 2 ** 20,
  blockBytes: 16 * 2 ** 20,
  cachedBytes: 2 ** 18,
  leastBlocks: 8,
  leastCost: 50_000,
  mostTasks: 32,
  blockMultiple: 16,
  mostShared: 2 ** 20,
};

/** The description of a target that the compiler fits its loop nests to. */
export interface Machine {
  /** Which kinds of kernels there are for it. */
  readonly kind: 'cpu';
  /** `wasm-simd128`, for dumps and messages. */
  readonly name: string;
  /** Bytes of a vector register. */
  readonly vectorBytes: number;
  /** Vector registers that a kernel may keep live. */
  readonly registers: number;
  /**
   * How many of them the sums of a register tile may take: `free` beside operands that are loaded ahead, `most` at all.
   * With one vector for each column and one for a row they must fit into `registers`.
   */
  readonly sums: { readonly free: number; readonly most: number };
  /** Cycles that a load in the innermost loop takes, a multiplication with addition being half of one. */
  readonly loadCost: number;
  /** Cycles that an iteration of the innermost loop takes besides, and for each row, which may share lines of the cache. */
  readonly loopCost: { readonly step: number; readonly row: number };
  /** Can a load or store leave out the last lanes of a vector? */
  readonly partialVectors: boolean;
  /** Are there instructions that bring to the cache what will be read soon? */
  readonly prefetches: boolean;
  /** Does `multiplyAdd` round once? */
  readonly fusedMultiplyAdd: boolean;
  /** May kernels mix values that have nothing to do with each other, or leave out factors of zero? The user says so. */
  readonly fastMath: boolean;
  /** Bytes of the first and second level of data cache of a core. */
  readonly cache: readonly [first: number, second: number];
  /** Bytes that come to the cache together. */
  readonly lineBytes: number;
  readonly batching: Batching;
  /** Bytes that the memory of a run may have at most. */
  readonly memoryLimit: number;
}

/** How many elements are in a vector register; masks are as wide as what they were compared from. */
export const lanesOf = ({ vectorBytes }: Pick<Machine, 'vectorBytes'>, dtype: DType): number =>
  Math.max(1, vectorBytes / (dtype === 'float64' ? 8 : 4));
