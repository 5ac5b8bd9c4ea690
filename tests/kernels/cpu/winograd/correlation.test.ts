// Which contractions slide one array over another: convolutions of step 1 and both their adjoints, and no others.
import { expect, test } from 'vitest';
import { correlationOf } from '../../../../src/kernels/cpu/winograd/correlation.ts';
import * as p from '../../../../src/primitives/primitives.ts';
import { taskOf } from '../contract/contractions.ts';

const [n, h, w, ci, kh, kw, co] = [2, 9, 8, 3, 3, 2, 5];

/** y[n, i, j, o] = Σ x[n, step · i + k, j + l, c] · f[k, l, c, o] */
function convolution(step: number) {
  const [oh, ow] = [Math.floor((h - kh) / step) + 1, w - kw + 1];
  const x = p.feed(0, 'float32', [n, h, w, ci]);
  const f = p.feed(1, 'float32', [kh, kw, ci, co]);
  const shape = [n, oh, ow, co, kh, kw, ci];
  const a = p.strided(x, shape, [h * w * ci, step * w * ci, ci, 0, w * ci, ci, 1]);
  const b = p.strided(f, shape, [0, 0, 0, 1, kw * ci * co, ci * co, co]);
  return { x, f, contraction: (swapped: boolean) => p.contract(swapped ? b : a, swapped ? a : b, 4) };
}

test.each([false, true])('a convolution of step 1, its operands in either order (%s)', (swapped) => {
  const { x, f, contraction } = convolution(1);
  const found = correlationOf(taskOf(contraction(swapped)));
  expect(found?.x.node).toBe(x.node);
  expect(found?.w.node).toBe(f.node);
  expect(found?.kept.map((a) => a.size)).toEqual([h - kh + 1, w - kw + 1]);
  expect(found?.summed.map((a) => a.size)).toEqual([kh, kw]);
  expect([found?.keptOther.size, found?.summedOther.size, found?.out.size]).toEqual([n, ci, co]);
  // An axis that slides moves x as far as the one it slides over.
  expect(found?.kept.map((a) => a.x)).toEqual(found?.summed.map((a) => a.x));
});

test('the gradient of a filter, whose results are the taps', () => {
  const [oh, ow] = [h - kh + 1, w - kw + 1];
  const x = p.feed(0, 'float32', [n, h, w, ci]);
  const dy = p.feed(1, 'float32', [n, oh, ow, co]);
  // df[k, l, c, o] = Σ over n, i, j of x[n, i + k, j + l, c] · dy[n, i, j, o]
  const shape = [kh, kw, ci, co, n, oh, ow];
  const a = p.strided(x, shape, [w * ci, ci, 1, 0, h * w * ci, w * ci, ci]);
  const b = p.strided(dy, shape, [0, 0, 0, 1, oh * ow * co, ow * co, co]);
  const found = correlationOf(taskOf(p.contract(a, b, 4)));
  expect(found?.kept.map((axis) => axis.size)).toEqual([kh, kw]);
  expect(found?.summed.map((axis) => axis.size)).toEqual([oh, ow]);
  expect([found?.keptOther.size, found?.summedOther.size]).toEqual([ci, n]);
});

test('a convolution of step 2, a product of matrices, and one that slides in one dimension are none', () => {
  expect(correlationOf(taskOf(convolution(2).contraction(false)))).toBeUndefined();
  const [a, b] = [p.feed(0, 'float32', [5, 7]), p.feed(1, 'float32', [7, 3])];
  const product = p.contract(p.strided(a, [5, 3, 7], [7, 0, 1]), p.strided(b, [5, 3, 7], [0, 1, 3]), 2);
  expect(correlationOf(taskOf(product))).toBeUndefined();
  const [x, f] = [p.feed(0, 'float32', [9, 4]), p.feed(1, 'float32', [3, 4, 5])];
  const line = p.contract(p.strided(x, [7, 5, 3, 4], [4, 0, 4, 1]), p.strided(f, [7, 5, 3, 4], [0, 1, 20, 5]), 2);
  expect(correlationOf(taskOf(line))).toBeUndefined();
});
