// Chains of tasks in one kernel: the values of the reference, well formed, the same bits on any number of threads.
import { expect, test } from 'vitest';
import { machineFor } from '../../../src/backends/wasm/machine.ts';
import * as tf from '../../../src/index.ts';
import { verifyProgram } from '../../../src/loops/check/verify.ts';
import { compile } from '../compile.ts';

type Any = tf.Tensor<any, any>;

const conv = (x: Any, f: Any): Any => tf.nn.conv2d(x, f, { strides: [1, 1, 1, 1], padding: 'SAME' }) as Any;
const pool = (x: Any): Any => tf.nn.maxPool(x, { ksize: [1, 2, 2, 1], strides: [1, 2, 2, 1], padding: 'SAME' }) as Any;
const noise = (shape: readonly number[], seed: number, scale = 1): Any =>
  tf.constant(
    Float32Array.from({ length: shape.reduce((a, b) => a * b) }, (_, i) => scale * Math.sin(i * 12.9898 + seed)),
    { shape },
  ) as Any;

const networks: [string, number[], (x: Any) => Any][] = [
  [
    'convolutions with bias, relu and pooling, and their gradient',
    [24, 22, 21, 4],
    (x) => {
      const h = pool(tf.nn.relu(conv(x, noise([3, 3, 4, 16], 1)).add(noise([16], 2))) as Any);
      const y = pool(tf.nn.relu(conv(h, noise([5, 5, 16, 8], 3)).add(noise([8], 4))) as Any);
      return tf.gradients(tf.reduceSum(tf.square(y) as Any) as Any, [x])[0] as Any;
    },
  ],
  ['a prime number of images', [23, 24, 24, 8], (x) => pool(tf.tanh(conv(x, noise([3, 3, 8, 8], 5))) as Any)],
  [
    'rows: a product, softmax, and what follows from it',
    [768, 96],
    (x) => {
      const p = tf.nn.softmax(tf.matmul(x, noise([96, 64], 6)) as Any) as Any;
      return tf.sub(tf.mul(p, p) as Any, tf.reduceSum(p, 1, { keepDims: true }) as Any) as Any;
    },
  ],
  [
    'a chain so long that it is cut',
    [512, 24],
    (x) => {
      let y = x;
      for (let i = 0; i < 70; i++) y = tf.add(x, tf.tanh(tf.matmul(y, noise([24, 24], i, 0.1)) as Any) as Any) as Any;
      return y;
    },
  ],
];

test.each(networks)('%s', async (_, shape, network) => {
  const graph = new tf.Graph();
  const [x, y] = graph.asDefault(() => {
    const input = tf.placeholder('float32', shape) as Any;
    return [input, network(input)];
  });
  const machine = machineFor(false);
  const { program } = compile({ fetches: [y], feeds: [[x, shape]] });
  verifyProgram(program, machine);
  const merged = program.kernels.filter((k) => k.name.includes(', '));
  expect(merged.length).toBeGreaterThan(0);
  expect(program.threadBytes).toBeGreaterThan(0);
  for (const { name } of merged) expect(name.split(', ').length).toBeLessThanOrEqual(64);

  const count = shape.reduce((a, b) => a * b);
  const feeds = [
    [
      x,
      tf.array(
        Float32Array.from({ length: count }, (_2, i) => Math.cos(i * 3.7)),
        shape,
      ),
    ],
  ] as never;
  const values = async (options: tf.SessionOptions): Promise<Float32Array> => {
    const sess = new tf.Session({ graph, ...options });
    const { data } = (await sess.run(y, feeds)) as unknown as { data: Float32Array };
    await sess.close();
    return data;
  };
  const wanted = await values({ backend: 'reference' });
  const one = await values({ threads: 1 });
  const scale = Math.max(...Array.from(wanted, Math.abs));
  expect(Math.max(...Array.from(wanted, (v, i) => Math.abs(v - one[i]))) / scale).toBeLessThan(1e-5);
  for (const threads of [2, 3, 7]) expect(await values({ threads })).toEqual(one);
});
