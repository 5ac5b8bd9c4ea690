// What initializers give: the bounds, means and deviations that their papers state, and what matrices must satisfy.
import { describe, expect, test } from 'vitest';
import * as tf from '../../src/index.ts';
import { backends } from '../backends.ts';

const { initializers: init } = tf;

async function valueOf(
  backend: tf.BackendName,
  initializer: tf.Initializer,
  shape: readonly number[],
  dtype: tf.DType = 'float32',
) {
  const graph = new tf.Graph();
  await using session = new tf.Session({ graph, backend });
  const w = graph.asDefault(() => tf.getVariable('w', shape, { initializer, dtype }));
  await session.run(w.initializer);
  return [...((await session.run(w as any)) as any).data] as number[];
}
const mean = (x: readonly number[]) => x.reduce((a, b) => a + b, 0) / x.length;
const deviation = (x: readonly number[]) => Math.sqrt(mean(x.map((v) => v * v)) - mean(x) ** 2);

describe.each(backends)('on %s', (backend) => {
  // A filter [3, 5, 20, 40]: 300 inputs of each result, 600 outputs of each input. A matrix [200, 100], a vector [400].
  test.each<[string, tf.Initializer, readonly number[], deviation: number, most: number]>([
    ['glorotUniform', init.glorotUniform(), [3, 5, 20, 40], Math.sqrt(2 / 900), Math.sqrt(6 / 900)],
    ['glorotUniform of a matrix', init.glorotUniform(), [200, 100], Math.sqrt(2 / 300), Math.sqrt(6 / 300)],
    ['glorotUniform of a vector', init.glorotUniform(), [4000], Math.sqrt(2 / 8000), Math.sqrt(6 / 8000)],
    ['glorotNormal', init.glorotNormal(), [3, 5, 20, 40], Math.sqrt(2 / 900), (2 * Math.sqrt(2 / 900)) / 0.8796],
    ['heUniform', init.heUniform(), [3, 5, 20, 40], Math.sqrt(2 / 300), Math.sqrt(6 / 300)],
    ['heNormal', init.heNormal(), [200, 100], Math.sqrt(2 / 200), (2 * Math.sqrt(2 / 200)) / 0.8796],
    ['lecunUniform', init.lecunUniform(1), [3, 5, 20, 40], Math.sqrt(1 / 300), Math.sqrt(3 / 300)],
    ['lecunNormal', init.lecunNormal({ seed: 1 }), [200, 100], Math.sqrt(1 / 200), (2 * Math.sqrt(1 / 200)) / 0.8796],
    ['varianceScaling', init.varianceScaling(), [200, 100], Math.sqrt(1 / 200), (2 * Math.sqrt(1 / 200)) / 0.8796],
    ['fan_out, not cut', init.varianceScaling(3, 'fan_out', 'untruncated_normal'), [200, 100], Math.sqrt(3 / 100), 1],
    [
      "'normal' is truncated",
      init.varianceScaling({ distribution: 'normal' }),
      [200, 100],
      Math.sqrt(1 / 200),
      (2 * Math.sqrt(1 / 200)) / 0.8796,
    ],
    ['randomUniform', init.randomUniform(), [200, 100], 0.1 / Math.sqrt(12), 0.05],
    ['randomNormal', init.randomNormal({ stddev: 0.02 }), [200, 100], 0.02, 0.1],
    ['truncatedNormal', init.truncatedNormal(0, 0.1), [200, 100], 0.08796, 0.2],
    ['truncatedNormal by default', init.truncatedNormal(), [200, 100], 0.05 * 0.8796, 0.1],
  ])(
    '%s has mean 0, the deviation of its paper within 4 %, and its bound',
    async (_, initializer, shape, wanted, most) => {
      const values = await valueOf(backend, initializer, shape);
      expect(Math.abs(mean(values))).toBeLessThan((5 * wanted) / Math.sqrt(values.length));
      expect(Math.abs(deviation(values) / wanted - 1)).toBeLessThan(0.04);
      const largest = Math.max(...values.map(Math.abs));
      expect(largest).toBeLessThanOrEqual(most * 1.001);
      expect(largest).toBeGreaterThan(2 * wanted * 0.8);
    },
    30_000,
  );

  test.each([
    [[6, 4], 'float32', 1],
    [[4, 6], 'float32', 2],
    [[5, 5], 'float64', -0.5],
    [[2, 3, 4, 5], 'float32', 1],
    [[1, 1], 'float32', 3],
    [[40, 40], 'float32', 1],
  ] as const)('orthogonal of %j has orthonormal columns or rows, times the gain', async (shape, dtype, gain) => {
    const values = await valueOf(backend, init.orthogonal({ gain }), shape, dtype);
    const columns = shape[shape.length - 1] as number;
    const rows = values.length / columns;
    const [n, at] =
      columns <= rows
        ? [columns, (i: number, k: number) => values[k * columns + i]]
        : [rows, (i: number, k: number) => values[i * columns + k]];
    for (let i = 0; i < n; i++) {
      for (let j = 0; j < n; j++) {
        let dot = 0;
        for (let k = 0; k < Math.max(rows, columns); k++) dot += at(i, k) * at(j, k);
        expect(Math.abs(dot - (i === j ? gain * gain : 0))).toBeLessThan(2e-6 * gain * gain);
      }
    }
  });

  test('what is no random number is exact, in every dtype', async () => {
    expect(await valueOf(backend, init.zeros(), [2])).toEqual([0, 0]);
    expect(await valueOf(backend, init.ones(), [2], 'int32')).toEqual([1, 1]);
    expect(await valueOf(backend, init.ones(), [2], 'bool')).toEqual([1, 1]);
    expect(await valueOf(backend, init.constant(7), [2], 'uint8')).toEqual([7, 7]);
    expect(await valueOf(backend, init.constant([1, 2, 3, 4]), [2, 2], 'float64')).toEqual([1, 2, 3, 4]);
    expect(await valueOf(backend, init.identity(2), [2, 3])).toEqual([2, 0, 0, 0, 2, 0]);
    expect(await valueOf(backend, init.identity(), [3, 2], 'int32')).toEqual([1, 0, 0, 1, 0, 0]);
  });
});

test('orthogonal matrices are spread evenly: the sign and size of an element', async () => {
  const graph = new tf.Graph();
  await using session = new tf.Session({ graph, backend: 'wasm' });
  const all = graph.asDefault(() =>
    Array.from(
      { length: 200 },
      (_, i) => init.orthogonal({ seed: i })([2, 2], 'float32') as tf.Tensor<'float32', [2, 2]>,
    ),
  );
  const corner = ((await session.run(all)) as any[]).map(({ data }) => data[0] as number);
  // cos φ of an even angle: mean 0 ± 0.05, mean square ½ ± 0.025.
  expect(Math.abs(mean(corner))).toBeLessThan(0.2);
  expect(Math.abs(mean(corner.map((x) => x * x)) - 0.5)).toBeLessThan(0.1);
});

test('where nothing is asked for: glorotUniform for floats, zeros for others', () => {
  new tf.Graph().asDefault(() => {
    const kinds = (['float32', 'float64', 'int32', 'bool'] as const).map(
      (dtype) => tf.getVariable(dtype, [2, 2], { dtype }).initializer.inputs[1].operation.type,
    );
    expect(kinds).toEqual(['Random', 'Random', 'Const', 'Const']);
  });
});

test.each<[string, () => unknown, RegExp]>([
  [
    'a vector',
    () => init.orthogonal()([3], 'float32'),
    /orthogonal: the variable must have at least 2 axes, but its shape is \[3\]/,
  ],
  [
    'three axes',
    () => init.identity()([2, 2, 2], 'float32'),
    /identity: the variable must be a matrix, but its shape is \[2, 2, 2\]/,
  ],
  ['integers', () => init.randomNormal()([3], 'int32'), /needs dtype float32 or float64, but int32/],
  ['too few numbers', () => init.constant([1, 2, 3])([2, 2], 'float32'), /3.*\[2, 2\]|\[2, 2\].*3/],
  ['a tensor as a constant', () => init.constant(tf.zeros([2])), /give a tensor itself as initializer/],
  [
    'a mode that is none',
    () => init.varianceScaling({ mode: 'fanIn' as any }),
    /mode must be 'fan_in' or 'fan_out' or 'fan_avg'/,
  ],
])('%s is refused', (_, run, text) => {
  expect(() => new tf.Graph().asDefault(run)).toThrow(text);
});
