// Batch normalization in a block of a ResNet: as few passes over the images as there can be.
import { describe, expect, test } from 'vitest';
import * as tf from '../../src/index.ts';
import { backends } from '../backends.ts';

type Any = tf.Tensor<any, any>;
const api = tf as any;
const shape = [4, 8, 8, 16];

/** Convolution, normalization with the statistics of the batch, relu. */
function block(parameters: 'options' | 'kept') {
  const graph = new tf.Graph();
  return graph.asDefault(() => {
    const x = tf.placeholder('float32', shape) as Any;
    const filter = tf.variable(tf.ones([3, 3, 16, 16])) as Any;
    const sizes = parameters === 'kept' ? [1, 1, 1, 16] : [16];
    const [gamma, beta] = [tf.variable(tf.ones(sizes)) as Any, tf.variable(tf.zeros(sizes)) as Any];
    const y = api.nn.conv2d(x, filter, [1, 1, 1, 1], 'SAME');
    const [mean, variance] = api.nn.moments(y, [0, 1, 2], { keepDims: parameters === 'kept' });
    const normalized = api.nn.relu(api.nn.batchNormalization(y, mean, variance, beta, gamma, 1e-3));
    const seed = tf.placeholder('float32', shape) as Any;
    const gradients = tf.gradients(normalized, [x, filter, gamma, beta], { gradYs: seed as any }) as Any[];
    return {
      graph,
      feeds: [x, seed].map((t) => [t, tf.array(new Float32Array(4096), shape)]),
      y,
      normalized,
      gradients,
    };
  });
}

/** Over how many elements each task goes that touches the images and is no convolution, and what it begins with. */
async function passes(
  graph: tf.Graph,
  backend: tf.BackendName,
  fetches: readonly Any[],
  feeds: any,
): Promise<string[]> {
  const session = new tf.Session({ graph, backend });
  const text = String(await (session as any).explain(fetches, feeds));
  await session.close();
  const tasks = text.split(/\n(?=task \d+: )/).slice(1);
  // What a convolution needs around its images is its own.
  const own = tasks.filter((t) => !/^task \d+: contract/.test(t) && !/:\(1600,160,16,1\)/.test(t));
  return own.map((t) => /^task \d+: (\w+)/.exec(t)![1]);
}

describe.each(backends.filter((b) => b !== 'reference'))('on %s', (backend) => {
  test.each(['options', 'kept'] as const)('forward: mean, variance, and one pass for the rest (%s)', async (kind) => {
    const { graph, feeds, normalized } = block(kind);
    expect(await passes(graph, backend, [normalized], feeds.slice(0, 1))).toEqual(['reduce', 'reduce', 'map']);
  });

  test('backward: two sums over the gradient and one pass more', async () => {
    const { graph, feeds, gradients } = block('options');
    // Mean and variance, the gradient of relu, its two sums, and the gradient of the convolution's result.
    const found = await passes(graph, backend, gradients, feeds);
    expect(found).toEqual(['reduce', 'reduce', 'map', 'reduce', 'reduce', 'map']);
  });
});
