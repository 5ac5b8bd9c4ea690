// What the kernels are told about the processor: nothing else in them depends on a backend.

/** The description of a target that the compiler fits its loop nests to. */
export interface Machine {
  /** `wasm-simd128`, for dumps and messages. */
  readonly name: string;
  /** Bytes of a vector register. */
  readonly vectorBytes: number;
  /** Vector registers that a kernel may keep live. */
  readonly registers: number;
  /** Does `multiplyAdd` round once? */
  readonly fusedMultiplyAdd: boolean;
  /** Bytes of the first and second level of data cache of a core. */
  readonly cache: readonly [first: number, second: number];
  /** Bytes that the memory of a run may have at most. */
  readonly memoryLimit: number;
}
