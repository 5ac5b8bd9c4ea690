// What the kernels are told about the processor: nothing else in them depends on a backend.

/** The description of a target that the compiler fits its loop nests to. */
export interface Machine {
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
  /** Bytes of the first and second level of data cache of a core. */
  readonly cache: readonly [first: number, second: number];
  /** Bytes that the memory of a run may have at most. */
  readonly memoryLimit: number;
}
