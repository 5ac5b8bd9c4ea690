// The tutorial's second model, for tests that run it, compile it or bundle it: it imports only types.
import type { Tensor } from '../src/index.ts';

type Any = Tensor<any, any>;

/** The tutorial's second model on images of 28 × 28, with Adam. */
export function tutorialModel(tf: typeof import('../src/index.ts')) {
  const x = tf.placeholder('float32', [null, 784]);
  const y_ = tf.placeholder('float32', [null, 10]);
  const weight = (shape: readonly number[]) =>
    tf.variable(tf.truncatedNormal(shape, { stddev: 0.1 })) as unknown as Any;
  const bias = (shape: readonly number[]) => tf.variable(tf.constant(0.1, { shape })) as unknown as Any;
  const conv = (a: Any, w: Any) => tf.nn.conv2d(a, w, { strides: [1, 1, 1, 1], padding: 'SAME' }) as Any;
  const pool = (a: Any) => tf.nn.maxPool(a, { ksize: [1, 2, 2, 1], strides: [1, 2, 2, 1], padding: 'SAME' }) as Any;
  const h1 = pool(tf.nn.relu(tf.add(conv(tf.reshape(x, [-1, 28, 28, 1]), weight([5, 5, 1, 32])), bias([32]))));
  const h2 = pool(tf.nn.relu(tf.add(conv(h1, weight([5, 5, 32, 64])), bias([64]))));
  const h3 = tf.nn.relu(tf.add(tf.matmul(tf.reshape(h2, [-1, 3136]) as Any, weight([3136, 1024])), bias([1024])));
  const keepProb = tf.placeholder('float32');
  const y = tf.nn.softmax(tf.add(tf.matmul(tf.nn.dropout(h3, keepProb) as Any, weight([1024, 10])), bias([10])) as Any);
  const loss = tf.neg(tf.reduceSum(tf.mul(y_, tf.log(y) as Any)) as Any);
  const step = new tf.train.AdamOptimizer(1e-4).minimize(loss);
  return { x, y_, keepProb, y, loss, step };
}
