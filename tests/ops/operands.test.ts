// Operands: numbers beside tensors, first and second; what variables are made of and given. The types are in
// tests/types/legal.ts.
import { expect, test } from 'vitest';
import * as tf from '../../src/index.ts';
import { backends } from '../backends.ts';

type Any = tf.Tensor<any, any>;

/** What tensors give when the variables of their graph are initialized. */
async function run(backend: (typeof backends)[number], build: () => readonly Any[]): Promise<readonly unknown[]> {
  const graph = new tf.Graph();
  const session = new tf.Session({ graph, backend });
  const [fetches, init] = graph.asDefault(() => [build(), tf.initializeAllVariables()] as const);
  await session.run(init);
  const result = await session.run(fetches);
  await session.close();
  return result;
}
const values = (result: unknown): unknown =>
  typeof result === 'object' && result !== null && 'toArray' in result
    ? (result as tf.NDArray).toArray()
    : Array.isArray(result)
      ? result.map(values)
      : result;

test.each(backends)(
  '%s: where takes a number first, second, and twice; its dtype is that of the tensor beside it',
  async (name) => {
    const made = () => {
      const c = tf.constant([true, false]);
      const i = tf.constant([7, 8], { dtype: 'int32' });
      return [
        tf.where(c, tf.constant([1.5, 2.5]), 0),
        tf.where(c, -1, tf.constant([1.5, 2.5])),
        tf.where(c, i, 0),
        tf.where(c, 0, tf.constant([3, 4], { dtype: 'float64' })),
        tf.where(c, 0.5, 2),
        tf.where(c, false, true),
        tf.where(c, c, true),
      ];
    };
    const dtypes = new tf.Graph().asDefault(() => made().map((t) => t.dtype));
    expect(dtypes).toEqual(['float32', 'float32', 'int32', 'float64', 'float32', 'bool', 'bool']);
    expect(values(await run(name, made))).toEqual([
      [1.5, 0],
      [-1, 2.5],
      [7, 0],
      [0, 4],
      [0.5, 2],
      [false, true],
      [true, true],
    ]);
  },
);

test('a fraction beside integers, a number beside booleans and values of two kinds are refused by where', () => {
  const c = tf.constant([true]);
  const i = tf.constant([7], { dtype: 'int32' });
  expect(() => tf.where(c, i, 0.5)).toThrow('where: the fraction 0.5 cannot stand beside a tensor of dtype int32');
  expect(() => tf.where(c, c, 1 as any)).toThrow('where: the number 1 cannot stand beside a tensor of dtype bool');
  expect(() => tf.where(c, 1, true as any)).toThrow('cannot stand beside a tensor of dtype float32');
});

test.each(backends)('%s: the gradient of where with a number goes to the tensor', async (name) => {
  const gradients = () => {
    const x = tf.constant([1, 2, 3]);
    const c = tf.less(1.5, x);
    return [tf.where(c, x, 0), tf.where(c, 0, x)].map((y) => tf.gradients(y, [x])[0] as Any);
  };
  expect(values(await run(name, gradients))).toEqual([
    [0, 1, 1],
    [1, 0, 0],
  ]);
});

const sides: [string, (a: any, b: any) => Any, (a: number, b: number) => unknown][] = [
  ['equal', tf.equal, (a, b) => a === b],
  ['notEqual', tf.notEqual, (a, b) => a !== b],
  ['less', tf.less, (a, b) => a < b],
  ['lessEqual', tf.lessEqual, (a, b) => a <= b],
  ['greater', tf.greater, (a, b) => a > b],
  ['greaterEqual', tf.greaterEqual, (a, b) => a >= b],
  ['maximum', tf.maximum, Math.max],
  ['minimum', tf.minimum, Math.min],
  ['sub', tf.sub, (a, b) => a - b],
  ['pow', tf.pow, (a, b) => a ** b],
];
test.each(sides)('%s takes a number on either side', async (_, op, expected) => {
  const x = [1, 2, 3];
  const made = () => [op(2, tf.constant(x)), op(tf.constant(x), 2)];
  expect(values(await run('reference', made))).toEqual([x.map((v) => expected(2, v)), x.map((v) => expected(v, 2))]);
});

test('a variable is made of host arrays, typed arrays and lists', async () => {
  const made = () => [
    tf.variable(tf.array(new Float32Array([1, 2, 3, 4]), [2, 2])).add(1),
    tf.variable(new Int32Array([1, 2])).add(1),
    tf.variable(tf.array([1, 2], [2, 1], 'int32')).mul(3),
  ];
  expect(values(await run('reference', made))).toEqual([
    [
      [2, 3],
      [4, 5],
    ],
    [2, 3],
    [[3], [6]],
  ]);
});

test.each(backends)('%s: a variable is given lists, typed and host arrays, and one value for all', async (name) => {
  const made = () => {
    const fresh = () => tf.variable([1, 2, 3]);
    const square = () => tf.variable(tf.ones([2, 2]));
    const flags = () => tf.variable([true, false]);
    return [
      fresh().assign([4, 5, 6]),
      tf.assignAdd(fresh(), [1, 1, 2]),
      fresh().assignSub(new Float32Array([1, 1, 1])),
      fresh().assign(tf.array([7, 8, 9])),
      fresh().assign(2),
      square().assign([
        [1, 2],
        [3, 4],
      ]),
      square().assignAdd(new Float32Array([1, 2, 3, 4])),
      flags().assign([true, true]),
      flags().assign(new Uint8Array([0, 7])),
      flags().assign(true),
    ];
  };
  expect(values(await run(name, made))).toEqual([
    [4, 5, 6],
    [2, 3, 5],
    [0, 1, 2],
    [7, 8, 9],
    [2, 2, 2],
    [
      [1, 2],
      [3, 4],
    ],
    [
      [2, 3],
      [4, 5],
    ],
    [true, true],
    [false, true],
    [true, true],
  ]);
});

test('what does not fit a variable is refused by the name of the function', () => {
  const v = tf.variable([1, 2, 3]);
  const square = tf.variable(tf.ones([2, 2]));
  const i = tf.variable(new Int32Array(2));
  const assign = (variable: unknown, value: unknown) => () => tf.assign(variable as any, value as any);
  expect(assign(v, [1, 2])).toThrow('assign: the variable has shape [3], the value [2]; they must be equal.');
  expect(assign(square, [1, 2, 3, 4])).toThrow('assign: the variable has shape [2, 2], the value [4]');
  expect(assign(square, new Float32Array(5))).toThrow('assign: the variable has shape [2, 2], the value [5]');
  expect(assign(v, new Float64Array(3))).toThrow('assign: the variable has dtype float32, the value float64');
  expect(assign(i, [0.5, 1])).toThrow(tf.DTypeError);
  expect(assign(v, ['1', 2, 3])).toThrow('assign: ');
  expect(assign(v, [1, [2], 3])).toThrow('assign: ');
  expect(() => v.assignAdd({} as any)).toThrow('assignAdd: ');
  expect(() => i.assignSub(0.5)).toThrow('assignSub: the fraction 0.5 cannot stand beside a tensor of dtype int32');
});
