// Register tiles: the sums of products of rows and columns, of every height and width.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { loop, variable } from '../../../../src/kernels/body/nest.ts';
import { registerTile, storesLast } from '../../../../src/kernels/cpu/tile/register-tile.ts';
import { verifyKernel } from '../../../../src/loops/check/verify.ts';
import * as ir from '../../../../src/loops/ir.ts';
import { interpret } from '../../../loops/interpret.ts';
import { check, machines, quarters } from '../../run.ts';

const cases = fc.record({
  height: fc.integer({ min: 1, max: 6 }),
  vectors: fc.integer({ min: 1, max: 4 }),
  depth: fc.integer({ min: 0, max: 9 }),
  machine: fc.constantFrom(...machines.slice(0, 3)),
});

test('each sum begins with what it is given, and has the products of its row and its column', () => {
  check(
    fc.property(cases, ({ height, vectors, depth, machine }) => {
      const lanes = machine.vectorBytes / 4;
      const width = vectors * lanes;
      const type = ir.valueType('float32', lanes);
      const buffer = (name: string, length: number): ir.Buffer => ({ name, dtype: 'float32', length });
      const [a, b, c] = [buffer('a', height * depth), buffer('b', depth * width), buffer('c', height * width)];
      const k = variable('k', depth);
      const at = (r: number, u: number) => ir.at(r * width + u * lanes);
      const body = registerTile({
        id: 0,
        dtype: 'float32',
        height,
        vectors,
        lanes,
        loops: (step) => loop(k, step),
        row: (r) => ir.load(a, ir.at(r * depth, [k, 1]), type, lanes === 1 ? 1 : 0),
        column: (u) => ir.load(b, ir.at(u * lanes, [k, width]), type),
        begin: (r, u) => ir.load(c, at(r, u), type),
        end: (r, u, sum) => [ir.store(c, at(r, u), sum)],
      });
      const kernel = { name: 'tile', body, flops: 0, bytes: 0 };
      verifyKernel(kernel, machine);
      const data = [a, b, c].map(({ length }, i) => Float32Array.from({ length }, (_, j) => quarters(i)(j)));
      const wanted = data[2].map((start, i) => {
        const [r, column] = [Math.floor(i / width), i % width];
        let sum = start;
        for (let n = 0; n < depth; n++) sum += data[0][r * depth + n] * data[1][n * width + column];
        return sum;
      });
      interpret(kernel, new Map([a, b, c].map((x, i) => [x, data[i]])));
      expect(data[2]).toEqual(wanted);
    }),
  );
});

test('where parts of vectors are stored, all is computed before the first store', () => {
  const c: ir.Buffer = { name: 'c', dtype: 'float32', length: 12 };
  const type = ir.valueType('float32', 4);
  const more = (at: number) => ir.binary('add', ir.load(c, ir.at(at), type, 1, 3), ir.constant(1, type));
  const part = (at: number) => ir.store(c, ir.at(at), more(at), 3);
  const ends = storesLast([part(0), part(3), part(6)], 5);
  expect(ends.map((s) => s.kind)).toEqual(['set', 'set', 'set', 'store', 'store', 'store']);
  const data = Float32Array.from({ length: 12 }, (_, i) => i);
  interpret({ name: 'stores', body: ends, flops: 0, bytes: 0 }, new Map([[c, data]]));
  expect(Array.from(data)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 9, 10, 11]);
  // Whole vectors wait for nothing, and too many do not fit the registers.
  const whole = [ir.store(c, ir.at(0), ir.constant(1, type))];
  expect(storesLast(whole, 5)).toBe(whole);
  const many = Array.from({ length: 40 }, () => part(0));
  expect(storesLast(many, 5)).toBe(many);
});
