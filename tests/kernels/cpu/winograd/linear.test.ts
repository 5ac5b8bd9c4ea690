// Small matrices applied in registers: as the product of matrices says, with fewer operations.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { applyMatrix, transformSquare } from '../../../../src/kernels/cpu/winograd/linear.ts';
import { mostPoints, toomCook } from '../../../../src/kernels/cpu/winograd/toom-cook.ts';
import * as ir from '../../../../src/loops/ir.ts';
import { interpret } from '../../../loops/interpret.ts';
import { check, quarters } from '../../run.ts';

const double = ir.valueType('float64', 1);
const buffer = (name: string, length: number): ir.Buffer => ({ name, dtype: 'float64', length });

/** Rows and columns with much in common, as those of the transforms have. */
const matrices = fc.tuple(fc.integer({ min: 1, max: 6 }), fc.integer({ min: 1, max: 6 })).chain(([rows, columns]) =>
  fc
    .array(fc.array(fc.constantFrom(0, 1, -1, 2, -2, 0.5), { minLength: columns, maxLength: columns }), {
      minLength: rows,
      maxLength: rows,
    })
    .chain((matrix) =>
      fc.array(fc.constantFrom('same', 'other signs', 'opposite'), { minLength: rows, maxLength: rows }).map((kinds) =>
        matrix.map((row, i) => {
          const before = matrix[i === 0 ? 0 : i - 1];
          if (kinds[i] === 'same' || i === 0) return row;
          return kinds[i] === 'opposite' ? before.map((v) => -v) : before.map((v, k) => (k % 2 ? -v : v));
        }),
      ),
    ),
);

test('a matrix applied to values is their product', () => {
  check(
    fc.property(matrices, (matrix) => {
      const [from, to] = [buffer('from', matrix[0].length), buffer('to', matrix.length)];
      const values = matrix[0].map((_, k) => ir.load(from, ir.at(k), double));
      const { statements, values: results } = applyMatrix(matrix, values, 'x');
      const stores = results.map((value, r) => ir.store(to, ir.at(r), value));
      const data = new Float64Array(from.length).map((_, i) => quarters(1)(i));
      const found = new Float64Array(to.length);
      interpret(
        { name: 'matrix', body: [...statements, ...stores], flops: 0, bytes: 0 },
        new Map([
          [from, data],
          [to, found],
        ]),
      );
      const wanted = matrix.map((row) => row.reduce((sum, c, k) => sum + c * data[k], 0));
      for (const [i, w] of wanted.entries()) expect(found[i]).toBeCloseTo(w, 12);
    }),
    300,
  );
});

test('what rows have in common is computed once', () => {
  const { input } = toomCook(4, 3);
  const values = input[0].map((_, k) => ir.load(buffer('x', 6), ir.at(k), double));
  const count = applyMatrix(input, values, 'x').statements.filter((s) => s.kind === 'set').length;
  const written = input.flat().filter((v) => v !== 0).length;
  expect(count).toBeLessThan(written);
});

test('a square is transformed along both axes', () => {
  const cases = fc.tuple(fc.integer({ min: 1, max: 5 }), fc.integer({ min: 1, max: 5 }));
  check(
    fc.property(cases, cases, ([outputs, taps], [more, others]) => {
      if (outputs + taps - 1 > mostPoints || more + others - 1 > mostPoints) return;
      const rows = toomCook(outputs, taps).filter;
      const columns = toomCook(more, others).filter;
      const [height, width] = [rows[0].length, columns[0].length];
      const lanes = 2;
      const from = buffer('from', height * width * lanes);
      const to = buffer('to', rows.length * columns.length * lanes);
      const between = buffer('between', rows.length * width * lanes);
      const type = ir.valueType('float64', lanes);
      const body = transformSquare({
        prefix: 't',
        rows,
        columns,
        between,
        lanes,
        load: (y, x) => ir.load(from, ir.at(y * width * lanes, [x, lanes]), type),
        store: (i, j, value) => [ir.store(to, ir.at(j * lanes, [i, columns.length * lanes]), value)],
      });
      const data = new Float64Array(from.length).map((_, i) => quarters(2)(i));
      const found = new Float64Array(to.length);
      const memory = new Map([
        [from, data],
        [to, found],
        [between, new Float64Array(between.length)],
      ]);
      interpret({ name: 'square', body, flops: 0, bytes: 0 }, memory);
      for (const i of rows.keys())
        for (const j of columns.keys())
          for (let l = 0; l < lanes; l++) {
            let sum = 0;
            for (let y = 0; y < height; y++)
              for (let x = 0; x < width; x++) sum += rows[i][y] * columns[j][x] * data[(y * width + x) * lanes + l];
            expect(found[(i * columns.length + j) * lanes + l]).toBeCloseTo(sum, 9);
          }
    }),
    60,
  );
});
