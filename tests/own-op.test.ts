// Adding an op touches one file: this one adds `softplus` and runs it on every backend, gradient included.
import { describe, expect, test } from 'vitest';
import * as tf from '../src/index.ts';
import { defineOp, unaryFunction } from '../src/ops/define.ts';
import * as p from '../src/primitives/primitives.ts';
import * as s from '../src/primitives/scalar.ts';
import { backends } from './backends.ts';

/** ln(1 + eˣ); its derivative is the sigmoid. */
const Softplus = defineOp({
  name: 'Softplus',
  infer: ([x]) => x,
  gradient: ({ inputs: [x] }, [dy]) => [dy && tf.mul(dy, tf.sigmoid(x))],
  lower: ([x]) => p.map([x], (v) => s.add(s.max(v, 0), s.log(s.add(s.exp(s.neg(s.abs(v))), 1)))),
});
const softplus: tf.UnaryFunction<'float64'> = unaryFunction(Softplus);

describe.each(backends)('on %s', (backend) => {
  test('an op of one definition has values and gradients', async () => {
    const graph = new tf.Graph();
    const session = new tf.Session({ graph, backend });
    const { x, y, dx } = graph.asDefault(() => {
      const input = tf.placeholder('float64', [null]);
      const output = softplus(input);
      return { x: input, y: output, dx: tf.gradients(output, [input])[0] as tf.Tensor<'float64', [null]> };
    });
    const values = [-800, -1, 0, 0.5, 30];
    const result = await session.run({ y, dx }, [[x, values]]);
    values.forEach((v, i) => {
      expect(result.y.data[i]).toBeCloseTo(Math.max(v, 0) + Math.log1p(Math.exp(-Math.abs(v))), 12);
      expect(result.dx.data[i]).toBeCloseTo(1 / (1 + Math.exp(-v)), 12);
    });
    await session.close();
  });
});
