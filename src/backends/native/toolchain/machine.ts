// The processor as the kernels see it, from what the compiler says of its target and the system of the caches.

import { builtin } from '../../../base/builtin.ts';
import { commonBatching, type Machine } from '../../../loops/machine.ts';

/** Which instructions are used: those of this processor, or fewer, for tests. */
export type Target = 'native' | 'avx2' | 'sse' | 'portable';

/** The compiler's flags for a target. */
export function flagsFor(target: Target, arch: string): string[] {
  if (arch !== 'x64') return ['-mcpu=native'];
  if (target === 'avx2') return ['-march=haswell'];
  if (target === 'sse') return ['-march=x86-64-v2'];
  return ['-march=native', '-mprefer-vector-width=512'];
}

interface Vectors {
  readonly name: string;
  readonly vectorBytes: number;
  readonly registers: number;
  readonly fusedMultiplyAdd: boolean;
  readonly partialVectors: boolean;
}

/** The widest vectors for which the compiler defined its macros. */
function vectorsOf(macros: ReadonlySet<string>, target: Target): Vectors {
  // What wasm has without relaxed instructions: hence the same bits.
  if (target === 'portable')
    return { name: 'portable', vectorBytes: 16, registers: 15, fusedMultiplyAdd: false, partialVectors: false };
  if (macros.has('__AVX512F__') && macros.has('__AVX512DQ__')) {
    return { name: 'avx512', vectorBytes: 64, registers: 32, fusedMultiplyAdd: true, partialVectors: true };
  }
  const fusedMultiplyAdd = macros.has('__FMA__');
  if (macros.has('__AVX2__'))
    return { name: 'avx2', vectorBytes: 32, registers: 16, fusedMultiplyAdd, partialVectors: true };
  if (macros.has('__aarch64__'))
    return { name: 'neon', vectorBytes: 16, registers: 32, fusedMultiplyAdd: true, partialVectors: false };
  return { name: 'sse', vectorBytes: 16, registers: 16, fusedMultiplyAdd: false, partialVectors: false };
}

export function machineFor(macros: ReadonlySet<string>, target: Target): Machine {
  const { name, ...vectors } = vectorsOf(macros, target);
  // What wasm has, so that tiles and therefore the order of sums are the same.
  const asWasm = target === 'portable';
  const most = vectors.registers - 5;
  return {
    name: `native-${name}`,
    kind: 'cpu',
    ...vectors,
    prefetches: true,
    fastMath: true,
    sums: asWasm ? { free: 8, most: 8 } : { free: most, most },
    loadCost: asWasm ? 0.8 : 0.5,
    loopCost: asWasm ? { step: 0, row: 0 } : { step: 1, row: 0.05 },
    cache: target === 'portable' ? [32 * 1024, 1024 * 1024] : caches(),
    lineBytes: 64,
    batching: commonBatching,
    memoryLimit: memory(),
  };
}

/** Sizes of the data caches of a core. */
function caches(): [first: number, second: number] {
  const sizes: [number, number] = [32 * 1024, 1024 * 1024];
  const { readFileSync } = builtin<typeof import('node:fs')>('fs');
  if (process.platform === 'darwin') {
    const { spawnSync } = builtin<typeof import('node:child_process')>('child_process');
    const names = ['hw.perflevel0.l1dcachesize', 'hw.perflevel0.l2cachesize'];
    const { stdout = '' } = spawnSync('sysctl', ['-n', ...names], { encoding: 'utf8' });
    for (const [i, line] of stdout.trim().split('\n').entries()) if (Number(line) > 0 && i < 2) sizes[i] = Number(line);
    return sizes;
  }
  for (let i = 0; i < 8; i++) {
    try {
      const read = (file: string) =>
        readFileSync(`/sys/devices/system/cpu/cpu0/cache/index${i}/${file}`, 'utf8').trim();
      const level = Number(read('level'));
      const bytes = Number.parseInt(read('size'), 10) * 1024;
      if ((level === 1 || level === 2) && read('type') !== 'Instruction' && bytes > 0) sizes[level - 1] = bytes;
    } catch {
      break;
    }
  }
  return sizes;
}

/** Bytes that this process may use. */
function memory(): number {
  const { totalmem } = builtin<typeof import('node:os')>('os');
  const constrained = process.constrainedMemory?.() ?? 0;
  return constrained > 0 ? Math.min(totalmem(), constrained) : totalmem();
}
