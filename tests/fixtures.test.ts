// Optimizers and networks against fixtures made by PyTorch and NumPy (tests/fixtures/make.py), on every backend.
import { describe, expect, test } from 'vitest';
import * as tf from '../src/index.ts';
import { backends } from './backends.ts';
import { type Data, decode, expectClose, type Packed, read, unpack, using_ } from './fixtures/compare.ts';

type Any = tf.Tensor<any, any>;
const api = tf as unknown as Record<string, (...args: any[]) => Any>;
const nn = tf.nn as unknown as Record<string, (...args: any[]) => Any>;

describe.each(backends)('on %s', (backend) => {
  test.each(read('training') as any[])(
    '$optimizer on $dtype follows five steps computed by hand',
    async ({ optimizer, dtype, start, target, steps }) => {
      const graph = new tf.Graph();
      await using_(new tf.Session({ graph, backend }), async (session) => {
        const { init, step, w } = graph.asDefault(() => {
          const variable = tf.variable(tf.constant(unpack(start)) as Any);
          const loss = tf.reduceSum(tf.square(tf.sub(variable as Any, tf.constant(unpack(target)) as Any)) as Any);
          const made = {
            GradientDescent: () => new tf.train.GradientDescentOptimizer(0.1),
            Momentum: () => new tf.train.MomentumOptimizer(0.02, 0.9),
            Nesterov: () => new tf.train.MomentumOptimizer(0.02, 0.9, { useNesterov: true }),
            Adam: () => new tf.train.AdamOptimizer(0.05),
          }[optimizer as 'Adam']();
          const train = made.minimize(loss as Any);
          return { step: train, init: tf.initializeAllVariables(), w: variable };
        });
        await session.run(init);
        for (const wanted of steps) {
          await session.run(step);
          expectClose(
            ((await session.run(w)) as any).data,
            decode('float64', wanted),
            dtype === 'float32' ? 2e-6 : 1e-12,
            optimizer,
          );
        }
      });
    },
  );

  test.each(read('networks') as any[])(
    '$name: loss and all gradients equal the fixtures within 1e-5',
    async ({ name, x, labels, loss, parameters, gradients }) => {
      const graph = new tf.Graph();
      await using_(new tf.Session({ graph, backend }), async (session) => {
        const { init, fetches } = graph.asDefault(() => {
          const p: Record<string, Any> = {};
          for (const [key, value] of Object.entries(parameters))
            p[key] = tf.variable(tf.constant(unpack(value as Packed)) as Any);
          const input = tf.placeholder('float32', x.shape) as Any;
          const target = tf.placeholder('float32', labels.shape) as Any;
          const logits = name === 'vgg' ? vgg(input, p) : mlp(input, p);
          const total = tf.reduceSum(nn.softmaxCrossEntropyWithLogits({ labels: target, logits }) as Any) as Any;
          const found = tf.gradients(total, Object.values(p)) as Any[];
          return { init: tf.initializeAllVariables(), fetches: { total, found, input, target } };
        });
        await session.run(init);
        const feeds = [
          [fetches.input, unpack(x)],
          [fetches.target, unpack(labels)],
        ] as any;
        const result = (await session.run({ total: fetches.total, found: fetches.found }, feeds)) as any;
        expect(Math.abs(result.total - loss) / loss).toBeLessThan(1e-5);
        Object.values(gradients).forEach((g, i) => {
          expectClose(
            result.found[i].data,
            decode('float64', g as Data),
            1e-5,
            `${name} ${Object.keys(parameters)[i]}`,
          );
        });
      });
    },
  );
});

function vgg(x: Any, p: Record<string, Any>): Any {
  let h = x;
  for (const block of [0, 1]) {
    for (const layer of [0, 1]) {
      const y = nn.conv2d(h, p[`w${block}${layer}`], { strides: [1, 1, 1, 1], padding: 'SAME' });
      h = nn.relu(api.add(y, p[`b${block}${layer}`]));
    }
    h = nn.maxPool(h, { ksize: [1, 2, 2, 1], strides: [1, 2, 2, 1], padding: 'SAME' });
  }
  const f = nn.relu(api.add(api.matmul(api.reshape(h, [-1, 128]), p.wf), p.bf));
  return api.add(api.matmul(f, p.wo), p.bo);
}

function mlp(x: Any, p: Record<string, Any>): Any {
  let h = x;
  for (const i of [0, 1]) h = nn.relu(api.add(api.matmul(h, p[`w${i}`]), p[`b${i}`]));
  return api.add(api.matmul(h, p.w2), p.b2);
}
