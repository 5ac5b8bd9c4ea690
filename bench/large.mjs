// Large graphs, for what it takes to build, compile and run them for the first time.

const size = 8;
const wave = (tf, seed, scale) =>
  tf.constant(
    Float32Array.from({ length: size * size }, (_, i) => scale * Math.sin(i * 12.9898 + seed)),
    { shape: [size, size] },
  );

/** Name → one more round of a chain of operations on 8×8 numbers. `old` is what the chain began with. */
const rounds = {
  // Ten operations, nine of them elementwise.
  elementwise: (tf, y, { old }) => {
    const x = tf.add(tf.mul(y, 0.5), old);
    const z = tf.maximum(tf.sub(x, y), tf.neg(tf.abs(x)));
    return tf.add(tf.reduceSum(z, [1], { keepDims: true }), tf.mul(x, z));
  },
  // Five operations: of each three a product, a tanh and the mean of each row.
  'products, tanh and means': (tf, y, { weight, scale }) => {
    const x = tf.tanh(tf.matmul(y, weight));
    return tf.mul(tf.sub(x, tf.reduceMean(x, [1], { keepDims: true })), scale);
  },
};
export const graphs = Object.keys(rounds);

/** A graph of so many operations, with what to run. */
export function large(tf, name, operations) {
  const old = tf.placeholder('float32', [size, size]);
  const given = { old, weight: tf.variable(wave(tf, 1, 0.8)), scale: tf.constant(1.25) };
  const { graph } = old;
  let y = old;
  while (graph.operations.length < operations) y = rounds[name](tf, y, given);
  return { fetch: y, feeds: [[old, new Float32Array(size * size).fill(0.5)]], init: tf.initializeAllVariables() };
}
