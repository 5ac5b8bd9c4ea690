// The tutorial's two models in any size, made-up batches for them, and a hash of all variables of a session.
import { createHash } from 'node:crypto';
import * as tf from '../src/index.ts';

type Any = tf.Tensor<any, any>;
/** Feeds as tests make them: the types of the tensors are not known. */
export type Feeds = tf.FeedPairs<any>;

export interface Model {
  readonly graph: tf.Graph;
  readonly init: tf.Operation;
  readonly step: tf.Operation;
  readonly loss: Any;
  readonly accuracy: Any;
  readonly y: Any;
  readonly x: Any;
  readonly y_: Any;
  /** The feeds of a training step, different for each number. */
  batch(size: number, number?: number): Feeds;
  /** The feeds of an evaluation. */
  evaluation(size: number): Feeds;
}

const weight = (shape: readonly number[]) => tf.variable(tf.truncatedNormal(shape, { stddev: 0.1 }) as Any) as Any;
const bias = (shape: readonly number[]) => tf.variable(tf.constant(0.1, { shape }) as Any) as Any;

/** The first model: softmax regression. */
export const softmaxModel = (): Model =>
  model((x) => {
    const W = tf.variable(tf.zeros([784, 10]) as Any) as Any;
    const b = tf.variable(tf.zeros([10]) as Any) as Any;
    return { logits: tf.add(tf.matmul(x, W), b) as Any, keepProb: undefined };
  }, new tf.train.GradientDescentOptimizer(0.01));

/** The second model: two convolutions with pooling, two dense layers, dropout, Adam. */
export const deepModel = (sizes: readonly [number, number, number] = [32, 64, 1024]): Model =>
  model((x) => {
    const [first, second, hidden] = sizes;
    const conv = (a: Any, w: Any) => tf.nn.conv2d(a, w, { strides: [1, 1, 1, 1], padding: 'SAME' }) as Any;
    const pool = (a: Any) => tf.nn.maxPool(a, { ksize: [1, 2, 2, 1], strides: [1, 2, 2, 1], padding: 'SAME' }) as Any;
    const layer = (a: Any, w: Any, b: Any) => pool(tf.nn.relu(tf.add(conv(a, w), b) as Any) as Any);
    const h1 = layer(tf.reshape(x, [-1, 28, 28, 1]) as Any, weight([5, 5, 1, first]), bias([first]));
    const h2 = layer(h1, weight([5, 5, first, second]), bias([second]));
    const flat = tf.reshape(h2, [-1, 49 * second]) as Any;
    const h3 = tf.nn.relu(tf.add(tf.matmul(flat, weight([49 * second, hidden])), bias([hidden])) as Any) as Any;
    const keepProb = tf.placeholder('float32') as Any;
    const dropped = tf.nn.dropout(h3, keepProb) as Any;
    return { logits: tf.add(tf.matmul(dropped, weight([hidden, 10])), bias([10])) as Any, keepProb };
  }, new tf.train.AdamOptimizer(1e-3));

function model(
  build: (x: Any) => { logits: Any; keepProb: Any | undefined },
  optimizer: { minimize(loss: Any): tf.Operation },
): Model {
  const graph = new tf.Graph();
  return graph.asDefault(() => {
    const x = tf.placeholder('float32', [null, 784]) as Any;
    const y_ = tf.placeholder('float32', [null, 10]) as Any;
    const { logits, keepProb } = build(x);
    const y = tf.nn.softmax(logits) as Any;
    const loss = tf.neg(tf.reduceSum(tf.mul(y_, tf.log(y)) as Any) as Any) as Any;
    const step = optimizer.minimize(loss);
    const right = tf.equal(tf.argmax(y, 1) as Any, tf.argmax(y_, 1) as Any) as Any;
    const accuracy = tf.reduceMean(tf.cast(right, 'float32') as Any) as Any;
    const feeds = (size: number, number: number, keep: number) =>
      [
        [x, digits(size, number)],
        [y_, labels(size, number)],
        ...(keepProb ? [[keepProb, keep]] : []),
      ] as unknown as Feeds;
    const init = tf.initializeAllVariables();
    return {
      graph,
      init,
      step,
      loss,
      accuracy,
      y,
      x,
      y_,
      batch: (size, number = 0) => feeds(size, number, 0.5),
      evaluation: (size) => feeds(size, 99, 1),
    };
  });
}

/** Images of digits, as far as a test needs them: mostly black, with a bright stroke that depends on the label. */
function digits(size: number, number: number): Float32Array {
  const data = new Float32Array(size * 784);
  for (let n = 0; n < size; n++) {
    const label = labelOf(n, number);
    for (let i = 0; i < 120; i++)
      data[n * 784 + ((label * 61 + i * 5 + (i % 7) * 28) % 784)] = 0.5 + 0.5 * Math.sin(i + n);
  }
  return data;
}
function labels(size: number, number: number): Float32Array {
  const data = new Float32Array(size * 10);
  for (let n = 0; n < size; n++) data[n * 10 + labelOf(n, number)] = 1;
  return data;
}
const labelOf = (n: number, number: number): number => (n * 7 + number * 3) % 10;

/** Of the bits of all variables of the session's graph. */
export async function hashOfVariables(session: tf.Session): Promise<string> {
  const digest = createHash('md5');
  for (const v of (await session.run([...session.graph.variables])) as (tf.NDArray | number)[]) {
    digest.update(typeof v === 'number' ? String(v) : v.data);
  }
  return digest.digest('hex');
}
