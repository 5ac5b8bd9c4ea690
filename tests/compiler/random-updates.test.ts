// Random programs over variables: several updates a run, reads before and after them, in place or not. After each run
// every variable and every fetch is the same on both backends.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import * as tf from '../../src/index.ts';

type Any = tf.Tensor<any, any>;
const api = tf as any;
const expressions: ((x: Any, y: Any) => Any)[] = [
  (x, y) => api.add(api.mul(x, 0.5), y),
  (x) => api.transpose(x),
  (x, y) => api.mul(api.matmul(x, y), 0.1),
  (x) => api.concat([api.slice(x, [1, 0], [-1, -1]), api.slice(x, [0, 0], [1, -1])], 0),
  (x, y) => api.tanh(api.sub(x, api.transpose(y))),
  (x) => api.add(api.mul(x, 0), api.reduceMax(x, 0, { keepDims: true })),
  (x) => api.gather(x, tf.constant([2, 0, 1], { dtype: 'int32' })),
  (x, y) => api.maximum(api.reshape(api.reshape(x, [-1]), [3, 3]), y),
  (_, y) => y,
  (x) =>
    api.pad(api.slice(x, [0, 0], [2, 2]), [
      [1, 0],
      [0, 1],
    ]),
];
const nat = fc.nat(1000);
const program = fc.record({
  steps: fc.array(fc.tuple(fc.constantFrom('value', 'assign', 'add', 'sub', 'after'), nat, nat, nat), {
    minLength: 2,
    maxLength: 14,
  }),
  runs: fc.array(fc.array(nat, { minLength: 1, maxLength: 4 }), { minLength: 1, maxLength: 3 }),
});

test('updates and reads in random order agree on both backends', async () => {
  await fc.assert(
    fc.asyncProperty(program, async ({ steps, runs }) => {
      const graph = new tf.Graph();
      const { variables, values, init } = graph.asDefault(() => {
        const vs = [0, 1, 2].map(
          (k) =>
            tf.variable(
              tf.constant(
                Float32Array.from({ length: 9 }, (_, i) => Math.sin(i + k)),
                { shape: [3, 3] },
              ),
            ) as any,
        );
        const made: Any[] = [...vs];
        for (const [kind, a, b, c] of steps) {
          const [x, y] = [made[a % made.length], made[b % made.length]];
          const value = () => expressions[c % expressions.length](x, y);
          const v = vs[a % 3];
          if (kind === 'value') made.push(value());
          else if (kind === 'assign') made.push(tf.assign(v, value() as any) as Any);
          else if (kind === 'add') made.push(tf.assignAdd(v, value() as any) as Any);
          else if (kind === 'sub') made.push(tf.assignSub(v, value() as any) as Any);
          else made.push(tf.controlDependencies([x], () => value()));
        }
        return { variables: vs as Any[], values: made, init: tf.initializeAllVariables() };
      });
      const sessions = (['reference', 'wasm'] as const).map((backend) => new tf.Session({ graph, backend }));
      const seen: number[][][] = [];
      for (const session of sessions) {
        await session.run(init);
        const all: number[][] = [];
        for (const wanted of runs) {
          const fetched = (await session.run(wanted.map((n) => values[n % values.length]))) as any[];
          const state = (await session.run(variables)) as any[];
          all.push(...[...fetched, ...state].map((v) => Array.from(v.data as Float32Array)));
        }
        seen.push(all);
        await session.close();
      }
      const [reference, wasm] = seen;
      for (const [k, row] of reference.entries()) {
        for (const [i, v] of row.entries())
          expect(Math.abs(wasm[k][i] - v)).toBeLessThanOrEqual(1e-4 * Math.max(1, Math.abs(v)));
      }
    }),
    { numRuns: 400 },
  );
});
