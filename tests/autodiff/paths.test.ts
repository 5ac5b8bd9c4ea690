// Which operations `gradients` walks: those between the xs and the ys, each once, and no other; and what it refuses.
import { describe, expect, test } from 'vitest';
import * as tf from '../../src/index.ts';
import { defineOp, definitionOf, unaryFunction } from '../../src/ops/define.ts';
import * as p from '../../src/primitives/primitives.ts';
import * as s from '../../src/primitives/scalar.ts';

type Any = tf.Tensor<any, any>;

let asked: Any[] = [];
/** Twice its input, which notes each time that it is asked for a gradient. */
const twice: (x: Any) => Any = unaryFunction(
  defineOp({
    name: 'Twice',
    infer: ([x]) => x,
    gradient: ({ inputs: [x] }, [dy]) => {
      asked.push(x as Any);
      return [dy && tf.mul(dy, 2 as any)];
    },
    lower: ([x]) => p.map([x], (v) => s.add(v, v)),
  }),
);

/** The gradients, the inputs of those that were asked for one, and the operations that were added. */
function walked(build: () => { ys: Any | readonly Any[]; xs: readonly Any[] }) {
  asked = [];
  const graph = new tf.Graph();
  const { before, gradients } = graph.asDefault(() => {
    const { ys, xs } = build();
    return { before: graph.operations.length, gradients: tf.gradients(ys, xs) as (Any | null)[] };
  });
  return { graph, gradients, asked, added: graph.operations.slice(before).map(({ type }) => type) };
}

const input = () => tf.placeholder('float32', [3]) as Any;

describe('asked for a gradient', () => {
  test('is what lies between x and y, youngest first, not what x is made of, nor what it does not reach', () => {
    let inner: Any[] = [];
    const found = walked(() => {
      const x = twice(input());
      const [a, b] = [twice(x), twice(input())];
      const y = tf.add(twice(a), tf.mul(twice(b), a)) as Any;
      // What comes after y, or beside it, does not matter.
      twice(y);
      inner = [a, x];
      return { ys: y, xs: [x] };
    });
    expect(found.asked).toEqual(inner);
  });

  test('is what makes an x, when it is made of another x', () => {
    const found = walked(() => {
      const z = input();
      const x = twice(z);
      return { ys: twice(x), xs: [x, z] };
    });
    expect(found.asked).toHaveLength(2);
    expect(found.gradients.every((g) => g !== null)).toBe(true);
  });

  test('is nothing twice, however many paths there are', () => {
    const { asked, added } = walked(() => {
      const x = input();
      let y = x;
      for (let i = 0; i < 10; i++) y = tf.add(twice(y), y) as Any;
      return { ys: y, xs: [x] };
    });
    expect(asked).toHaveLength(10);
    // One sum for each place where paths meet.
    expect(added.filter((type) => type === 'AddN')).toHaveLength(10);
  });
});

test('where paths do not meet nothing is added up', () => {
  const { added } = walked(() => {
    const x = input();
    return { ys: twice(twice(x)), xs: [x] };
  });
  expect(added).not.toContain('AddN');
});

test('an x that is a y has the gradient 1, and 1 more for each path from it to another y', async () => {
  const { graph, gradients } = walked(() => {
    const x = tf.constant([1, 2]) as Any;
    return { ys: [x, twice(x), x], xs: [x] };
  });
  const session = new tf.Session({ graph });
  expect(((await session.run(gradients[0] as Any)) as tf.NDArray).toArray()).toEqual([4, 4]);
  await session.close();
});

test('an x that no path leads to has none, also where others have one', () => {
  const { gradients } = walked(() => {
    const [x, other] = [input(), input()];
    return { ys: twice(x), xs: [other, x, tf.cast(tf.argmax(x), 'float32') as Any] };
  });
  expect(gradients.map((g) => g !== null)).toEqual([false, true, false]);
});

test('operations of several outputs are asked when one of them is used', async () => {
  const { graph, gradients } = walked(() => {
    const x = tf.constant([
      [1, 2],
      [3, 4],
    ]) as Any;
    const [, second] = tf.unstack(x) as Any[];
    expect(definitionOf(second.operation).gradient).toBeDefined();
    return { ys: twice(second), xs: [x] };
  });
  const session = new tf.Session({ graph });
  expect(((await session.run(gradients[0] as Any)) as tf.NDArray).toArray()).toEqual([
    [0, 0],
    [2, 2],
  ]);
  await session.close();
});

describe('refused', () => {
  const elsewhere = new tf.Graph().asDefault(input);
  test.each([
    ['a second y', (x: Any) => tf.gradients([x, elsewhere], [x])],
    ['an x', (x: Any) => tf.gradients(x, [x, elsewhere])],
  ])('is %s of another graph', (_, call) => {
    expect(() => new tf.Graph().asDefault(() => call(input()))).toThrow(tf.GraphError);
  });

  test.each([
    ['a tensor', (x: Any) => tf.gradients(x, x as any)],
    ['a number among them', (x: Any) => tf.gradients(x, [x, 3 as any])],
  ])('as the list of xs is %s', (_, call) => {
    const made = () => new tf.Graph().asDefault(() => call(input()));
    expect(made).toThrow(tf.InvalidArgumentError);
    expect(made).toThrow('const [dx] = tf.gradients(y, [x])');
  });

  test('is a y of integers', () => {
    const call = () =>
      new tf.Graph().asDefault(() => tf.gradients([input(), tf.constant(1, 'int32') as Any], [input()]));
    expect(call).toThrow(tf.DTypeError);
  });
});
