// The processor as the compiler's macros tell of it.
import { describe, expect, test } from 'vitest';
import { flagsFor, machineFor, type Target } from '../../../../src/backends/native/toolchain/machine.ts';
import { machineFor as wasmMachineFor } from '../../../../src/backends/wasm/machine.ts';

const machine = (target: Target, ...macros: string[]) => machineFor(new Set(macros.map((m) => `__${m}__`)), target);

describe('vectors', () => {
  test.each([
    [['AVX512F', 'AVX512DQ', 'AVX2', 'FMA'], 'native-avx512', 64, 32, true, true],
    // Without all of what kernels use the smaller vectors are taken.
    [['AVX512F', 'AVX2', 'FMA'], 'native-avx2', 32, 16, true, true],
    [['AVX2', 'FMA'], 'native-avx2', 32, 16, true, true],
    [['AVX2'], 'native-avx2', 32, 16, false, true],
    [['aarch64'], 'native-neon', 16, 32, true, false],
    [['SSE2', 'FMA'], 'native-sse', 16, 16, false, false],
    [[], 'native-sse', 16, 16, false, false],
  ] as const)('%j: %s', (macros, name, vectorBytes, registers, fusedMultiplyAdd, partialVectors) => {
    expect(machine('native', ...macros)).toMatchObject({
      ...{ name, vectorBytes, registers, fusedMultiplyAdd, partialVectors },
    });
  });
});

test('the sums of a tile leave registers to its operands', () => {
  for (const macros of [['AVX512F', 'AVX512DQ'], ['AVX2'], ['aarch64'], []]) {
    const { sums, registers } = machine('native', ...macros);
    expect(sums.most).toBeLessThan(registers);
    expect(sums.free).toBeLessThanOrEqual(sums.most);
  }
});

test('portable is what wasm is without fused multiply-add, whatever the processor has: so tiles, and bits, are the same', () => {
  const wasm = wasmMachineFor(false);
  for (const macros of [[], ['AVX512F', 'AVX512DQ', 'FMA'], ['aarch64']]) {
    const { vectorBytes, fusedMultiplyAdd, partialVectors, sums, loadCost, loopCost, cache, batching } = machine(
      'portable',
      ...macros,
    );
    const same = { vectorBytes, fusedMultiplyAdd, partialVectors, sums, loadCost, loopCost, cache, batching };
    expect(wasm).toMatchObject(same);
  }
});

test('the flags ask for no more than the target has', () => {
  expect(flagsFor('native', 'x64')).toContain('-march=native');
  expect(flagsFor('portable', 'x64')).toContain('-march=native');
  expect(flagsFor('avx2', 'x64')).toEqual(['-march=haswell']);
  expect(flagsFor('sse', 'x64')).toEqual(['-march=x86-64-v2']);
  for (const target of ['native', 'avx2', 'sse', 'portable'] as const) {
    expect(flagsFor(target, 'arm64')).toEqual(['-mcpu=native']);
  }
});
