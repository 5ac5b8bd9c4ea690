// What the browser and Node both run: twenty steps of the tutorial's second model on made-up digits.
import type * as Millrace from '../../src/index.ts';

type Any = Millrace.Tensor<any, any>;
export interface Trained {
  readonly losses: number[];
  readonly backend: string;
}

/** Numbers without pattern, the same everywhere. */
function noise(count: number, seed: number): Float32Array {
  let state = seed;
  return Float32Array.from({ length: count }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) | 0;
    return (state >>> 8) / 2 ** 24;
  });
}

export async function train(tf: typeof Millrace, portable: boolean, threads?: number): Promise<Trained> {
  const batch = 50;
  const graph = new tf.Graph();
  const sess = new tf.Session({ graph, seed: 7, portable, threads });
  const { step, loss, init, x, y_, keepProb } = graph.asDefault(() => {
    const weight = (shape: readonly number[]) => tf.variable(tf.truncatedNormal(shape, { stddev: 0.1 })) as Any;
    const bias = (size: number) => tf.variable(tf.constant(0.1, { shape: [size] })) as Any;
    const conv = (image: Any, filter: Any) =>
      tf.nn.conv2d(image, filter, { strides: [1, 1, 1, 1], padding: 'SAME' }) as Any;
    const pool = (image: Any) =>
      tf.nn.maxPool(image, { ksize: [1, 2, 2, 1], strides: [1, 2, 2, 1], padding: 'SAME' }) as Any;
    const images = tf.placeholder('float32', [null, 784]) as Any;
    const labels = tf.placeholder('float32', [null, 10]) as Any;
    const keep = tf.placeholder('float32', []) as Any;
    const h1 = pool(tf.nn.relu(conv(tf.reshape(images, [-1, 28, 28, 1]), weight([5, 5, 1, 32])).add(bias(32))) as Any);
    const h2 = pool(tf.nn.relu(conv(h1, weight([5, 5, 32, 64])).add(bias(64))) as Any);
    const flat = tf.reshape(h2, [-1, 3136]) as Any;
    const h3 = tf.nn.dropout(tf.nn.relu(tf.matmul(flat, weight([3136, 1024])).add(bias(1024)) as Any) as Any, keep);
    const logits = tf.matmul(h3 as Any, weight([1024, 10])).add(bias(10)) as Any;
    const total = tf.reduceMean(tf.nn.softmaxCrossEntropyWithLogits({ labels, logits })) as Any;
    const trainStep = new tf.train.AdamOptimizer(1e-4).minimize(total);
    return { step: trainStep, loss: total, init: tf.initializeAllVariables(), x: images, y_: labels, keepProb: keep };
  });
  await sess.run(init);
  const losses: number[] = [];
  for (let i = 0; i < 20; i++) {
    const labels = new Float32Array(batch * 10);
    for (let n = 0; n < batch; n++) labels[n * 10 + ((n * 7 + i) % 10)] = 1;
    const feeds = [
      [x, tf.array(noise(batch * 784, i + 1), [batch, 784])],
      [y_, tf.array(labels, [batch, 10])],
      [keepProb, 0.5],
    ];
    const { value } = (await sess.run({ value: loss, step }, feeds as never)) as unknown as { value: number };
    losses.push(value);
  }
  const backend = sess.backend.description;
  await sess.close();
  return { losses, backend };
}
