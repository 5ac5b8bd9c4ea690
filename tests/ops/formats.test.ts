// Images with the channels second: the same as with the channels last, transposed before and after.
import { beforeEach, expect, test } from 'vitest';
import * as tf from '../../src/index.ts';
import { backends } from '../backends.ts';

beforeEach(() => tf.resetDefaultGraph());
type Any = any;
const toLast = (x: Any) => tf.transpose(x, [0, 2, 3, 1]) as Any;
const toSecond = (x: Any) => tf.transpose(x, [0, 3, 1, 2]) as Any;
const bias = () => tf.constant([10, 20, 30]) as Any;

const cases: readonly (readonly [string, (x: Any) => Any, (x: Any) => Any])[] = (
  ['maxPool', 'avgPool'] as const
).flatMap((op) =>
  (['SAME', 'VALID'] as const).map(
    (padding) =>
      [
        `${op} ${padding}`,
        (x: Any) => (tf.nn[op] as Any)(x, { ksize: [1, 3, 2, 1], strides: [1, 2, 1, 1], padding }),
        (x: Any) => (tf.nn[op] as Any)(x, { ksize: [1, 1, 3, 2], strides: [1, 1, 2, 1], padding, dataFormat: 'NCHW' }),
      ] as const,
  ),
);
test.each([
  ...cases,
  [
    'biasAdd',
    (x: Any) => tf.nn.biasAdd(x, bias()),
    (x: Any) => tf.nn.biasAdd(x, bias(), { dataFormat: 'NCHW' }),
  ] as const,
])('%s', async (_, last, second) => {
  for (const backend of backends) {
    await using session = new tf.Session({ backend, graph: tf.getDefaultGraph() });
    const x = tf.placeholder('float32', [null, 3, 7, 6]) as Any;
    const [found, wanted] = [second(x), toSecond(last(toLast(x)))];
    expect(found.shape).toEqual(wanted.shape);
    const gradients = [found, wanted].map((y) => (tf.gradients(tf.reduceSum(tf.square(y)), [x]) as Any[])[0]);
    const value = tf.array(
      Float32Array.from({ length: 252 }, (_, i) => Math.sin(i)),
      [2, 3, 7, 6],
    );
    const [a, b, da, db] = (await session.run([found, wanted, ...gradients], [[x, value]] as Any)) as Any[];
    expect(a).toEqual(b);
    expect(da).toEqual(db);
  }
});

test('a bias of unknown size, and of another one', async () => {
  const x = tf.placeholder('float32', [null, 2, null]) as Any;
  const b = tf.placeholder('float32', [null]) as Any;
  const y = tf.nn.biasAdd(x, b, { dataFormat: 'NCHW' }) as Any;
  await using session = new tf.Session({ backend: 'reference' });
  const feeds = (given: number[]) =>
    [
      [
        x,
        [
          [
            [1, 2, 3],
            [4, 5, 6],
          ],
        ],
      ],
      [b, given],
    ] as Any;
  expect(((await session.run(y, feeds([10, 20]))) as Any).data).toEqual(Float32Array.of(11, 12, 13, 24, 25, 26));
  await expect(session.run(y, feeds([1, 2, 3]))).rejects.toThrow(tf.ShapeMismatchError);
  expect(() => tf.nn.biasAdd(x, tf.zeros([3]), { dataFormat: 'NCHW' } as Any)).toThrow(
    /biasAdd: the bias must have a number for each channel.*\[3\] and \[null, 2, null\]/,
  );
});
