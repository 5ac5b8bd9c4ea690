// How runs in primitives read.
import { expect, test } from 'vitest';
import * as p from '../../src/primitives/primitives.ts';
import { printLowered, printPrimitive, printView } from '../../src/primitives/print.ts';
import * as s from '../../src/primitives/scalar.ts';
import { lowered, values } from './lowered.ts';

test('a run reads line by line, numbered from 0 wherever it was made', () => {
  const variable = { key: 3, name: 'W', dtype: 'float32', shape: [3, 2] } as const;
  const x = p.feed(0, 'float32', [4, 3]);
  const w = p.read(variable);
  const shape = [4, 2, 3];
  const y = p.contract(p.strided(x, shape, [3, 0, 1]), p.strided(w, shape, [0, 1, 2]), 2);
  const h = p.map([y, values('float32', [0.5, -1])], (a, b) => s.max(s.add(a, b), 0));
  const total = p.reduce('sum', h, [0]);
  const step = p.map([w, total], (a, b) => s.sub(a, s.mul(b, 0.1)));
  const check = p.check([x], (v) => s.less(v, 9), 'x must be below 9, not {value}.');
  const run = lowered({ fetches: [p.reverse(h, [0])], updates: [{ variable, value: step }], checks: [check] });
  expect(`\n${printLowered(run)}\n`).toBe(`
%0 = feed float32[4,3] number 0
%1 = read float32[3,2] "W" (key 3)
%2 = contract float32[4,2] (%0[4,2,3]:(3,0,1)+0, %1[4,2,3]:(0,1,2)+0)
%3 = constant float32[2] 0.5, -1
%4 = map float32[4,2] max(add(in0, in1), 0.) (%2[4,2]:(2,1)+0, %3[4,2]:(0,1)+0)
%5 = reduce float32[2] sum (%4[2,4]:(1,2)+0)
%6 = map float32[3,2] sub(in0, mul(in1, 0.1)) (%1[3,2]:(2,1)+0, %5[3,2]:(0,1)+0)
%7 = check bool[4,3] less(in0, 9.) else "x must be below 9, not {value}." (%0[4,3]:(3,1)+0)
fetch %4[4,2]:(-2,1)+6
update "W" (key 3) to %6[3,2]:(2,1)+0
`);
});

test.each<[string, p.View, string]>([
  ['counter', p.counter('noise'), 'counter int32[] "noise"'],
  ['a constant of one element', p.constant(Int32Array.of(7), 'int32', [2, 2]), 'constant int32[2,2] all 7'],
  ['a scalar', values('int32', [7], []), 'constant int32[] 7'],
  ['a long constant', values('uint8', new Array(20).fill(1)), 'constant uint8[20] 1, 1, 1, 1, 1, 1, 1, 1, … 12 more'],
  ['argReduce', p.argReduce('max', values('int32', [1, 2]), [0]), 'argReduce int32[] max (%[2]:(1)+0)'],
  ['pad', p.pad(values('int32', [1, 2]), [1], [0], 5, [2]), 'pad int32[4] low 1 step 2 value 5 (%[2]:(1)+0)'],
  ['concat', p.concat([values('bool', [1]), values('bool', [0])], 0), 'concat bool[2] axis 0 (%[1]:(1)+0, %[1]:(1)+0)'],
  [
    'gather',
    p.gather(values('int32', [1, 2]), values('int32', [1]), 0),
    'gather int32[1] axis 0 (%[2]:(1)+0, %[1]:(1)+0)',
  ],
  [
    'scatter',
    p.scatter(values('int32', [1]), values('int32', [1]), 0, 2),
    'scatter int32[2] axis 0 (%[1]:(1)+0, %[1]:(1)+0)',
  ],
])('%s', (_, v, text) => {
  expect(printPrimitive(v.node, () => '%')).toBe(`% = ${text}`);
});

test('outside a run primitives go by their id', () => {
  const x = values('float32', [1, 2]);
  expect(printView(p.reverse(x, [0]))).toBe(`%id${x.node.id}[2]:(-1)+1`);
  expect(printPrimitive(x.node)).toBe(`%id${x.node.id} = constant float32[2] 1, 2`);
});
