// WebAssembly with 128-bit vectors, as the kernels see it.
import { commonBatching, type Machine } from '../../loops/machine.ts';

export const machineFor = (fusedMultiplyAdd: boolean): Machine => ({
  name: fusedMultiplyAdd ? 'wasm-simd128-fma' : 'wasm-simd128',
  kind: 'cpu',
  vectorBytes: 16,
  // Those of the processors that V8 compiles for; one of them it keeps for itself.
  registers: 15,
  // The engine loads all that a block of code needs at its beginning. One more where products need no register.
  sums: { free: 8, most: fusedMultiplyAdd ? 9 : 8 },
  loadCost: 0.8,
  loopCost: { step: 0, row: 0 },
  partialVectors: false,
  prefetches: false,
  fusedMultiplyAdd,
  fastMath: true,
  // Of a common core; nothing but speed depends on them.
  cache: [32 * 1024, 1024 * 1024],
  lineBytes: 64,
  batching: commonBatching,
  // 32-bit addresses, less a page.
  memoryLimit: 2 ** 32 - 65536,
});
