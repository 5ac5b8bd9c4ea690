// Equal primitives are one; what only looks alike is not.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { atOnce } from '../../../src/base/turns.ts';
import { unique } from '../../../src/compiler/tasks/unique.ts';
import * as tf from '../../../src/index.ts';
import { printLowered } from '../../../src/primitives/print.ts';
import { verifyLowered } from '../../../src/primitives/verify-lowered.ts';
import { lower } from '../compile.ts';
import { buildProgram, smallRecipes } from '../random-programs.ts';
import { valuesOf } from '../run-tasks.ts';

type Any = tf.Tensor<any, any>;

/** The fetches in primitives, equal ones once. */
function uniqueOf(build: (x: Any) => readonly Any[]) {
  const graph = new tf.Graph();
  const { x, fetches } = graph.asDefault(() => {
    const given = tf.placeholder('float32', [3, 4]) as Any;
    return { x: given, fetches: build(given) };
  });
  const before = lower({ fetches, feeds: [[x, [3, 4]]] });
  const after = atOnce(unique(before));
  verifyLowered(after);
  return { before, after };
}
test('softmax and its logarithm have the largest, the exponentials and their sum in common', () => {
  const { after } = uniqueOf((x) => [tf.nn.softmax(x) as Any, tf.nn.logSoftmax(x) as Any]);
  expect(printLowered(after)).toBe(`%0 = feed float32[3,4] number 0
%1 = reduce float32[3] max (%0[3,4]:(4,1)+0)
%2 = map float32[3,4] sub(in0, in1) (%0[3,4]:(4,1)+0, %1[3,4]:(1,0)+0)
%3 = map float32[3,4] exp(in0) (%2[3,4]:(4,1)+0)
%4 = reduce float32[3] sum (%3[3,4]:(4,1)+0)
%5 = map float32[3,4] div(in0, in1) (%3[3,4]:(4,1)+0, %4[3,4]:(1,0)+0)
%6 = map float32[3,1] log(in0) (%4[3,1]:(1,1)+0)
%7 = map float32[3,4] sub(in0, in1) (%2[3,4]:(4,1)+0, %6[3,4]:(1,0)+0)
fetch %5[3,4]:(4,1)+0
fetch %7[3,4]:(4,1)+0`);
});

test('a fetch of what is twice there is the same array', () => {
  const { after } = uniqueOf((x) => [tf.nn.softmax(x) as Any, tf.nn.softmax(tf.identity(x)) as Any]);
  expect(after.fetches[0].node).toBe(after.fetches[1].node);
});

const sumsOf = (square: Any): Any[] => [tf.reduceSum(square, [0]) as Any, tf.reduceSum(square, [1]) as Any];

test('zeros of both signs, other axes, other views and random numbers are not equal', () => {
  const apart: Record<string, (x: Any) => readonly Any[]> = {
    zeros: (x) => [tf.div(1, tf.mul(x, 0)) as Any, tf.div(1, tf.mul(x, -0)) as Any],
    axes: (x) => [tf.reduceSum(x, [0]) as Any, tf.reduceSum(x, [1]) as Any],
    kinds: (x) => [tf.reduceMax(x, [1]) as Any, tf.reduceSum(x, [1]) as Any],
    views: (x) => [tf.exp(tf.transpose(x)) as Any, tf.exp(x) as Any],
    // Rows and columns of a square: the views have one shape, and begin at one place.
    'columns of a square': (x) => sumsOf(tf.slice(x, [0, 0], [3, 3]) as Any),
    transposed: (x) => {
      const square = tf.slice(x, [0, 1], [3, 3]) as Any;
      return [tf.exp(square) as Any, tf.exp(tf.transpose(square)) as Any];
    },
    begins: (x) => [tf.exp(tf.slice(x, [0, 0], [3, 3])) as Any, tf.exp(tf.slice(x, [0, 1], [3, 3])) as Any],
    types: (x) => [tf.cast(x, 'int32') as Any, tf.cast(x, 'uint8') as Any],
    constants: (x) => [tf.add(x, 1) as Any, tf.add(x, 2) as Any],
    random: () => [tf.randomUniform([3, 4]) as Any, tf.randomUniform([3, 4]) as Any],
  };
  for (const [what, build] of Object.entries(apart)) {
    const [first, second] = uniqueOf(build).after.fetches;
    expect(first.node, what).not.toBe(second.node);
  }
});

test('random programs compute the same', () => {
  let fewer = 0;
  fc.assert(
    fc.property(smallRecipes, (recipe) => {
      const { fetches, step, shapes } = buildProgram(recipe);
      const before = lower({ fetches, targets: [step], feeds: shapes });
      const after = atOnce(unique(before));
      verifyLowered(after);
      fewer += before.nodes.length - after.nodes.length;
      expect(valuesOf(after)).toEqual(valuesOf(before));
    }),
    { numRuns: 60 },
  );
  expect(fewer).toBeGreaterThan(50);
});

test('where nothing is equal, the run is the one that came', () => {
  const { before, after } = uniqueOf((x) => [tf.exp(x) as Any]);
  expect(after).toBe(before);
});
