// The matrices of Winograd's algorithm: y = Aᵀ [(G w) ⊙ (Bᵀ x)] is the correlation of x and w.
import { expect, test } from 'vitest';
import { type Matrix, mostPoints, toomCook } from '../../../../src/kernels/cpu/winograd/toom-cook.ts';
import { quarters } from '../../run.ts';

const times = (matrix: Matrix, v: readonly number[]) =>
  matrix.map((row) => row.reduce((sum, c, k) => sum + c * v[k], 0));
const cases = Array.from({ length: 5 }, (_, o) => Array.from({ length: 5 }, (_, t) => [o + 1, t + 1] as const)).flat();

test.each(cases.filter(([o, t]) => o + t - 1 > 1 && o + t - 1 <= mostPoints))(
  '%i outputs, %i taps',
  (outputs, taps) => {
    const { input, filter, output } = toomCook(outputs, taps);
    const points = outputs + taps - 1;
    expect([input.length, filter.length, output[0].length]).toEqual([points, points, points]);
    const x = Array.from({ length: points }, (_, i) => quarters(1)(i));
    const w = Array.from({ length: taps }, (_, i) => quarters(2)(i));
    const [fromX, fromW] = [times(input, x), times(filter, w)];
    const y = times(
      output,
      fromX.map((v, i) => v * fromW[i]),
    );
    for (let i = 0; i < outputs; i++)
      expect(y[i]).toBeCloseTo(
        w.reduce((sum, v, k) => sum + v * x[i + k], 0),
        9,
      );
  },
);
