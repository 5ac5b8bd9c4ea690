// WebAssembly by hand: a module of one function. Opcodes are from the specification.

export const simd = (code) => [0xfd, ...leb(code)];
export const [i32, f32, v128] = [0x7f, 0x7d, 0x7b];
export const get = (local) => [0x20, local];
export const set = (local) => [0x21, local];

/** A number without a sign. */
export function leb(n) {
  return n < 128 ? [n] : [(n & 127) | 128, ...leb(n >> 7)];
}
const section = (id, bytes) => [id, ...leb(bytes.length), ...bytes];

/** The module; with `pages` it imports so much shared memory, as `memory` of `env`. */
export function moduleOf({ type, name, code, pages }) {
  const text = (string) => [string.length, ...Buffer.from(string)];
  const memory = pages && [1, ...text('env'), ...text('memory'), 2, 3, ...leb(pages), ...leb(pages)];
  return new Uint8Array([
    ...[0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...section(1, [1, ...type]),
    ...(memory ? section(2, memory) : []),
    ...section(3, [1, 0]),
    ...section(7, [1, ...text(name), 0, 0]),
    ...section(10, [1, ...leb(code.length), ...code]),
  ]);
}
