// What the engine can do, found out by trying.
import { builtin, inNode } from '../../base/builtin.ts';

/** (module (func (export "f") (result v128) i32.const 0 i8x16.splat)), with other instructions in the function. */
const moduleOf = (type: number, ...code: number[]): Uint8Array<ArrayBuffer> => {
  const body = [0, ...code, 11];
  const sections = [
    [1, 96, 0, 1, type],
    [1, 0],
    [1, 1, 102, 0, 0],
    [1, body.length, ...body],
  ];
  const ids = [1, 3, 7, 10];
  return new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0, ...sections.flatMap((s, i) => [ids[i], s.length, ...s])]);
};

const v128 = 0x7b;
const f32 = 0x7d;
const splat = (bytes: readonly number[]) => [0x43, ...bytes, 0xfd, 0x13];
const bytesOf = (x: number) => [...new Uint8Array(Float32Array.of(x).buffer)];

/** Does the engine have 128-bit vectors? */
export const hasVectors = (): boolean => WebAssembly.validate(moduleOf(v128, 0x41, 0, 0xfd, 0x0f));

let fuses: boolean | undefined;

/**
 * Has the engine a relaxed multiply-add that rounds once? Where relaxed SIMD waits behind a flag (Node 20), the flag is
 * set: this must be asked before the first module is compiled.
 */
export function fusedMultiplyAdd(): boolean {
  fuses ??= probe();
  return fuses;
}

function probe(): boolean {
  // a·a is 1 + 2⁻¹¹ + 2⁻²⁴, whose last bit is lost when the product is rounded.
  const a = splat(bytesOf(1 + 2 ** -12));
  const c = splat(bytesOf(-(1 + 2 ** -11)));
  const bytes = moduleOf(f32, ...a, ...a, ...c, 0xfd, 0x85, 0x02, 0xfd, 0x1f, 0);
  if (!WebAssembly.validate(bytes) && inNode) {
    try {
      builtin<typeof import('node:v8')>('v8').setFlagsFromString('--experimental-wasm-relaxed-simd');
    } catch {
      return false;
    }
  }
  if (!WebAssembly.validate(bytes)) return false;
  try {
    const { exports } = new WebAssembly.Instance(new WebAssembly.Module(bytes), {});
    return (exports.f as () => number)() === 2 ** -24;
  } catch {
    // A page's policy forbids to compile: the first program says so.
    return false;
  }
}
