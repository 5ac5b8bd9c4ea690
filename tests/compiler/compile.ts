// Compiles fetches without a session, for tests that look at what the compiler made.
import { machineFor } from '../../src/backends/wasm/machine.ts';
import { fuse } from '../../src/compiler/fuse.ts';
import { lower } from '../../src/compiler/lower.ts';
import { plan } from '../../src/compiler/plan.ts';
import type { LoweredRun } from '../../src/compiler/request.ts';
import type { Operation, Tensor } from '../../src/index.ts';
import type { Program } from '../../src/loops/program.ts';
import type { Task } from '../../src/program/task.ts';
import { atOnce } from '../../src/tensor/turns.ts';

const machine = machineFor(false);

type Any = Tensor<any, any>;
export interface Wanted {
  readonly fetches?: readonly Any[];
  readonly targets?: readonly Operation[];
  readonly feeds?: readonly (readonly [Any, readonly number[]])[];
}

export function compile({ fetches = [], targets = [], feeds = [] }: Wanted): {
  lowered: LoweredRun;
  tasks: readonly Task[];
  program: Program;
} {
  const graph = (fetches[0] ?? targets[0]).graph;
  const request = { graph, fetches, targets, feeds: feeds.map(([tensor, shape]) => ({ tensor, shape })), seed: 0 };
  const lowered = lower(request);
  return { lowered, tasks: atOnce(fuse(lowered)).tasks, program: plan(lowered, machine) };
}

/** The tutorial's second model on images of 28 × 28, with Adam. */
export function tutorialModel(tf: typeof import('../../src/index.ts')) {
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
