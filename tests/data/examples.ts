// Small files in the format of MNIST's.
/** An IDX file of unsigned bytes. */
export function idx(shape: number[], value: (i: number) => number): Uint8Array {
  const count = shape.reduce((a, b) => a * b, 1);
  const bytes = new Uint8Array(4 + 4 * shape.length + count);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, 0x800 + shape.length);
  for (const [i, d] of shape.entries()) view.setUint32(4 + 4 * i, d);
  for (let i = 0; i < count; i++) bytes[4 + 4 * shape.length + i] = value(i);
  return bytes;
}
/** Image i has the number i in its first pixel. */
export const small = (train = 20, test = 6) => ({
  trainImages: idx([train, 28, 28], (i) => (i % 784 === 0 ? i / 784 : 255)),
  trainLabels: idx([train], (i) => i % 10),
  testImages: idx([test, 28, 28], () => 51),
  testLabels: idx([test], (i) => i),
});
