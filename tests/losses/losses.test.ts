// Losses against NumPy (tests/fixtures/make-layers.py): each with weights of all kinds, and all reductions; and what is
// collected.
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import * as tf from '../../src/index.ts';
import { backends } from '../backends.ts';

interface Packed {
  readonly shape: readonly number[];
  readonly data: readonly number[];
}
interface Case {
  readonly loss: string;
  readonly labels: Packed;
  readonly predictions: Packed;
  readonly args: readonly unknown[];
  readonly options: Record<string, unknown>;
  readonly weights: number | Packed;
  readonly reductions: Readonly<Record<string, number | Packed>>;
}
type Any = any;
const cases = JSON.parse(readFileSync(new URL('../fixtures/layers.json', import.meta.url), 'utf8'))
  .losses as readonly Case[];
const losses = tf.losses as unknown as Record<string, (...given: any[]) => Any>;
const groups = new Map<string, Case[]>();
for (const c of cases) groups.set(c.loss, [...(groups.get(c.loss) ?? []), c]);

const tensor = ({ shape, data }: Packed, dtype: tf.DType) => tf.constant(data as number[], { dtype, shape }) as Any;

describe.each(backends)('on %s', (backend) => {
  describe.each(['float32', 'float64'] as const)('%s', (dtype) => {
    test.each([...groups])('%s', async (_, group) => {
      const graph = new tf.Graph();
      await using session = new tf.Session({ graph, backend });
      const built = graph.asDefault(() =>
        group.flatMap((c) => {
          const labels = tensor(c.labels, c.loss.startsWith('sparse') ? 'int32' : dtype);
          const predictions = tensor(c.predictions, dtype);
          const weights = typeof c.weights === 'number' ? c.weights : tensor(c.weights, dtype);
          return Object.entries(c.reductions).map(([reduction, wanted]) => {
            const made = losses[c.loss](labels, predictions, ...c.args, { ...c.options, weights, reduction });
            return {
              made,
              wanted,
              what: `${c.loss} ${reduction} ${JSON.stringify(c.options)} ${JSON.stringify(c.weights)}`,
            };
          });
        }),
      );
      const found = (await session.run(built.map(({ made }) => made) as Any)) as unknown as Any[];
      for (const [i, { wanted, what, made }] of built.entries()) {
        const isOne = typeof wanted === 'number';
        expect([what, made.dtype, made.shape]).toEqual([what, dtype, isOne ? [] : wanted.shape]);
        const values: readonly number[] = isOne ? [found[i]] : [...found[i].data];
        for (const [k, v] of (isOne ? [wanted] : wanted.data).entries()) {
          expect(Math.abs(values[k] - v) / Math.max(1, Math.abs(v)), what).toBeLessThan(
            dtype === 'float32' ? 3e-6 : 1e-12,
          );
        }
      }
    });
  });

  test('sigmoidCrossEntropy is finite for logits of any size, and so is its gradient', async () => {
    const graph = new tf.Graph();
    await using session = new tf.Session({ graph, backend });
    const [loss, gradient] = graph.asDefault(() => {
      const x = tf.constant([-1e30, -100, 0, 100, 1e30]);
      const each = tf.losses.sigmoidCrossEntropy(tf.constant([1, 1, 1, 0, 1]), x, {
        reduction: tf.losses.Reduction.NONE,
      });
      return [each, tf.gradients(each, [x])[0] as Any];
    });
    const [values, slopes] = (await session.run([loss, gradient] as Any)) as unknown as Any[];
    expect([...values.data]).toEqual([Math.fround(1e30), 100, Math.fround(Math.LN2), 100, 0]);
    expect([...slopes.data]).toEqual([-1, -1, -0.5, 1, 0]);
  });

  test('labels and weights of other types, a column of sparse labels, nothing at all', async () => {
    const graph = new tf.Graph();
    await using session = new tf.Session({ graph, backend });
    const { x, all } = graph.asDefault(() => {
      const x = tf.placeholder('float32', [null, 2]);
      const logits = tf.constant([
        [0, 0],
        [1, 1],
      ]);
      const all = [
        tf.losses.meanSquaredError(tf.constant([1, 2], 'int32'), tf.constant([1, 4])),
        tf.losses.absoluteDifference(tf.constant([true, false]), tf.constant([0, 0.5]), tf.constant([true, false])),
        tf.losses.sparseSoftmaxCrossEntropy(tf.constant([[0], [1]], 'uint8'), logits),
        tf.losses.meanSquaredError(tf.zerosLike(x), x),
      ];
      return { x, all };
    });
    const none = tf.array(new Float32Array(0), [0, 2]);
    const found = (await session.run(all as Any, [[x, none]] as Any)) as unknown as number[];
    expect(found).toEqual([2, 1, Math.fround(Math.LN2), 0]);
  });
});

describe('what is collected', () => {
  const inGraph = <R>(build: () => R): R => new tf.Graph().asDefault(build);
  const names = (list: readonly { readonly name: string }[]) => list.map(({ name }) => name);
  const one = () => tf.constant([1, 2]);
  test('each loss is, unless told otherwise, under the names of TensorFlow', () => {
    inGraph(() => {
      tf.losses.meanSquaredError(one(), one());
      tf.losses.meanSquaredError(one(), one());
      tf.losses.huberLoss(one(), one(), { lossCollection: null });
      tf.losses.hingeLoss(one(), one(), 1, { lossCollection: 'mine', scope: 'margin' });
      tf.losses.absoluteDifference(one(), one(), { reduction: tf.losses.Reduction.NONE, weights: 2 });
      tf.losses.addLoss(tf.constant(1, { name: 'own' }) as Any);
      const scopes = names(tf.losses.getLosses()).map((name) => name.split('/')[0]);
      expect(scopes).toEqual(['mean_squared_error', 'mean_squared_error_1', 'absolute_difference', 'own:0']);
      expect(names(tf.losses.getLosses('mean_squared_error_1/'))).toHaveLength(1);
      expect(names(tf.losses.getLosses(undefined, 'mine'))[0]).toMatch(/^margin\//);
    });
  });

  test('the total is the sum of losses and penalties', async () => {
    const graph = new tf.Graph();
    await using session = new tf.Session({ graph, backend: 'reference' });
    const all = graph.asDefault(() => {
      tf.variableScope('net', { regularizer: tf.layers.l2Regularizer(2) }, () =>
        tf.getVariable('w', [3], { initializer: tf.initializers.ones() }),
      );
      tf.losses.addLoss(tf.constant(10) as Any);
      tf.nameScope('other', () => tf.losses.addLoss(tf.constant(100, { name: 'c' }) as Any));
      return [
        tf.losses.getTotalLoss(),
        tf.losses.getTotalLoss(false),
        tf.losses.getTotalLoss({ scope: 'other/' }),
        tf.losses.getRegularizationLoss(),
        tf.losses.getRegularizationLoss('none/'),
      ];
    });
    await session.run(graph.asDefault(() => tf.globalVariablesInitializer()));
    expect(await session.run(all as Any)).toEqual([113, 110, 100, 3, 0]);
    expect(names(all).slice(0, 2)).toEqual(['total_loss:0', 'total_loss_1:0']);
  });

  test.each<[string, () => unknown, RegExp]>([
    [
      'shapes that would broadcast',
      () => (tf.losses.meanSquaredError as Any)(tf.zeros([4]), tf.zeros([4, 1])),
      /^meanSquaredError: labels and predictions must have the same shape, but have \[4\] and \[4, 1\]/,
    ],
    [
      'weights of another rank',
      () => tf.losses.meanSquaredError(tf.zeros([4, 2]), tf.zeros([4, 2]), tf.zeros([4])),
      /^meanSquaredError: weights must be a number.*\[4\], that of the losses \[4, 2\]/,
    ],
    [
      'weights of another size',
      () => tf.losses.softmaxCrossEntropy(tf.zeros([4, 2]), tf.zeros([4, 2]), tf.zeros([3])),
      /^softmaxCrossEntropy: weights must be.*\[3\], that of the losses \[4\]/,
    ],
    [
      'an unknown reduction',
      () => tf.losses.hingeLoss(tf.zeros([4]), tf.zeros([4]), { reduction: 'mean' as Any }),
      /^hingeLoss: reduction must be 'none' or/,
    ],
    ['no losses', () => tf.losses.getTotalLoss(), /^getTotalLoss: there are no losses/],
    [
      'a smoothing above 1',
      () => tf.losses.softmaxCrossEntropy(tf.zeros([4, 2]), tf.zeros([4, 2]), { labelSmoothing: 2 }),
      /^softmaxCrossEntropy: labelSmoothing must be a number from 0 to 1/,
    ],
    [
      'integers',
      () => (tf.losses.meanSquaredError as Any)(tf.zeros([4]), tf.zeros([4], 'int32')),
      /^meanSquaredError: needs dtype float32 or float64/,
    ],
    [
      'losses of two types',
      () => {
        tf.losses.addLoss(tf.zeros([]));
        tf.losses.addLoss(tf.zeros([], 'float64'));
        tf.losses.getTotalLoss();
      },
      /losses differ in dtype: zeros:0 is float32, made at .*losses\.test\.ts/,
    ],
  ])('%s: an error', (_, build, text) => {
    expect(() => inGraph(build)).toThrow(text);
  });
});
