// Random small graphs: fused and compiled, against primitives evaluated one by one.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { machineFor } from '../../src/backends/wasm/machine.ts';
import * as tf from '../../src/index.ts';
import { verifyProgram } from '../../src/loops/check/verify.ts';
import { verifyLowered } from '../../src/primitives/verify-lowered.ts';
import { verifyTask } from '../../src/primitives/verify-task.ts';
import { compile } from './compile.ts';

const machine = machineFor(false);

type Any = tf.Tensor<any, any>;
const api = tf as any;

type Step = (pick: (n: number) => Any, a: number, b: number, c: number) => Any;
/** Each step makes a tensor from earlier ones; what does not fit is left out. */
const matrixSteps: Step[] = [
  (pick, a, b) => api.add(pick(a), pick(b)),
  (pick, a, b) => api.mul(pick(a), pick(b)),
  (pick, a, b) => api.sub(pick(a), pick(b)),
  (pick, a, b) => api.maximum(pick(a), pick(b)),
  (pick, a, b) => api.div(pick(a), api.add(api.square(pick(b)), 1)),
  (pick, a) => api.tanh(pick(a)),
  (pick, a) => tf.nn.relu(pick(a)),
  (pick, a) => tf.nn.softmax(pick(a)),
  (pick, a) => api.exp(api.neg(api.abs(pick(a)))),
  (pick, a, b) => api.where(api.less(pick(a), pick(b)), pick(a), 0 as any),
  (pick, a, b) => api.matmul(pick(a), pick(b)),
  (pick, a, b) => api.matmul(pick(a), pick(b), { transposeB: true }),
  (pick, a, b) => api.matmul(pick(a), pick(b), { transposeA: true }),
  (pick, a) => api.transpose(pick(a)),
  (pick, a, b) => api.reduceSum(pick(a), b % 2, { keepDims: true }),
  (pick, a, b) => api.reduceMean(pick(a), b % 2, { keepDims: true }),
  (pick, a, b) => api.reduceMax(pick(a), b % 2, { keepDims: true }),
  (pick, a) => api.reshape(pick(a), [-1, 1]),
  (pick, a) => api.reshape(pick(a), [1, -1]),
  (pick, a, b) => api.reshape(pick(a), [pick(b).shape?.[1] as number, -1]),
  (pick, a, b) => api.concat([pick(a), pick(b)], 0),
  (pick, a, b) => api.concat([pick(a), pick(b)], 1),
  (pick, a, b, c) => api.slice(pick(a), [b % 2, c % 2], [-1, -1]),
  (pick, a, b, c) =>
    api.pad(pick(a), [
      [b % 2, c % 3],
      [c % 2, b % 2],
    ]),
  (pick, a, b) => api.tile(pick(a), [1 + (b % 2), 1]),
  (pick, a) => api.cast(api.argmax(pick(a), 1), 'float32').reshape([1, -1]),
  (pick, a, b) => {
    const rows = api.unstack(pick(a));
    return api.expandDims(rows[b % rows.length], 0);
  },
  (pick, a, b, c) => {
    const columns = api.unstack(pick(a), 1);
    return api.stack([columns[b % columns.length], columns[c % columns.length]], b % 2);
  },
  (pick, a) => api.expandDims(api.gather(pick(a), tf.constant([0], { dtype: 'int32' })).reshape([-1]), 0),
];

const turns = [
  [0, 1, 2, 3],
  [3, 2, 1, 0],
  [0, 2, 1, 3],
  [1, 0, 3, 2],
  [0, 3, 1, 2],
  [2, 3, 0, 1],
];
const wave = (shape: number[]) =>
  tf.constant(
    Float32Array.from({ length: shape.reduce((p, d) => p * d, 1) }, (_, i) => Math.cos(i * 1.3)),
    { shape },
  ) as Any;
const windowed = (b: number, c: number) => ({
  ksize: [1, 1 + (b % 3), 1 + (c % 3), 1],
  strides: [1, 1 + (c % 2), 1 + (b % 3), 1],
  padding: c % 2 ? 'SAME' : 'VALID',
});
const sizesOf = (t: Any) => t.shape as number[];
const imageSteps: Step[] = [
  (pick, a, b) => api.add(pick(a), pick(b)),
  (pick, a, b) => api.mul(pick(a), pick(b)),
  (pick, a, b) => api.maximum(pick(a), pick(b)),
  (pick, a) => tf.nn.relu(pick(a)),
  (pick, a) => api.tanh(pick(a)),
  (pick, a) => tf.nn.softmax(pick(a)),
  (pick, a) => api.div(pick(a), api.add(api.square(pick(a)), 1)),
  (pick, a, b) => api.transpose(pick(a), turns[b % turns.length]),
  (pick, a, b) => api.reduceSum(pick(a), [b % 4], { keepDims: true }),
  (pick, a, b, c) => api.reduceMax(pick(a), [...new Set([b % 4, c % 4])], { keepDims: true }),
  (pick, a, b, c) => api.reduceMean(pick(a), [...new Set([b % 4, c % 4])], { keepDims: true }),
  (pick, a, b, c) => api.slice(pick(a), [0, b % 2, c % 2, 0], [-1, -1, -1, -1]),
  (pick, a, b, c) =>
    api.pad(pick(a), [
      [0, 0],
      [b % 2, c % 3],
      [c % 2, b % 2],
      [0, c % 2],
    ]),
  (pick, a, b) => api.tile(pick(a), [1, 1 + (b % 2), 1, 2]),
  (pick, a, b, c) => api.concat([pick(a), pick(b)], c % 4),
  (pick, a, b, c) => {
    const x = pick(a);
    const filter = wave([1 + (b % 3), 1 + (c % 3), sizesOf(x)[3], 1 + (b % 6)]);
    return (tf.nn as any).conv2d(x, filter, {
      strides: [1, 1 + (c % 2), 1 + (b % 2), 1],
      padding: b % 2 ? 'SAME' : 'VALID',
    });
  },
  (pick, a, b, c) => (tf.nn as any).maxPool(pick(a), windowed(b, c)),
  (pick, a, b, c) => (tf.nn as any).avgPool(pick(a), windowed(b, c)),
  (pick, a, b) => api.reshape(pick(a), [-1, sizesOf(pick(b))[1], 1, sizesOf(pick(b))[3]]),
  (pick, a, b) => api.matmul(pick(a), pick(b)),
  (pick, a, b) => api.matmul(pick(a), pick(b), { transposeB: true }),
  (pick, a, b) => api.where(api.less(pick(a), pick(b)), pick(a), pick(b)),
  (pick, a, b) => api.gather(pick(a), tf.constant([0, 0], { dtype: 'int32' }), { axis: b % 4 }),
  (pick, a, b) => api.cast(api.argmax(pick(a), b % 4), 'float32').reshape([1, 1, 1, -1]),
];

const dtypes = ['float32', 'float64', 'int32', 'uint8', 'bool'] as const;
const typeSteps: Step[] = [
  (pick, a, b) => api.add(pick(a), pick(b)),
  (pick, a, b) => api.mul(pick(a), pick(b)),
  (pick, a, b) => api.sub(pick(a), pick(b)),
  (pick, a, b) => api.maximum(pick(a), pick(b)),
  (pick, a, b) => api.minimum(pick(a), pick(b)),
  (pick, a, b) => api.cast(pick(a), dtypes[b % 5]),
  (pick, a, b) => api.cast(pick(a), dtypes[b % 5]),
  (pick, a, b) => api.cast(pick(a), dtypes[b % 5]),
  (pick, a) => api.floorDiv(pick(a), 3),
  (pick, a) => api.mod(pick(a), 5),
  (pick, a) => api.div(pick(a), 2),
  (pick, a) => api.abs(pick(a)),
  (pick, a) => api.sign(pick(a)),
  (pick, a) => api.square(pick(a)),
  (pick, a) => tf.nn.relu(pick(a)),
  (pick, a, b) => api.less(pick(a), pick(b)),
  (pick, a, b) => api.equal(pick(a), pick(b)),
  (pick, a, b) => api.greaterEqual(pick(a), pick(b)),
  (pick, a, b) => api.logicalAnd(pick(a), pick(b)),
  (pick, a, b) => api.logicalOr(pick(a), pick(b)),
  (pick, a) => api.logicalNot(pick(a)),
  (pick, a, b, c) => api.where(pick(a), pick(b), pick(c)),
  (pick, a, b) => api.where(api.less(pick(a), 1), pick(a), pick(b)),
  (pick, a, b) => api.matmul(pick(a), pick(b)),
  (pick, a, b) => api.matmul(pick(a), pick(b), { transposeB: true }),
  (pick, a) => api.transpose(pick(a)),
  (pick, a, b) => api.reduceSum(pick(a), b % 2, { keepDims: true }),
  (pick, a, b) => api.reduceMax(pick(a), b % 2, { keepDims: true }),
  (pick, a, b) => api.reduceMin(pick(a), b % 2, { keepDims: true }),
  (pick, a, b) => api.reduceProd(pick(a), b % 2, { keepDims: true }),
  (pick, a, b) => api.reduceMean(pick(a), b % 2, { keepDims: true }),
  (pick, a, b) => api.reduceAny(pick(a), b % 2, { keepDims: true }),
  (pick, a, b) => api.reduceAll(pick(a), b % 2, { keepDims: true }),
  (pick, a, b) => api.concat([pick(a), pick(b)], 0),
  (pick, a, b) => api.concat([pick(a), pick(b)], 1),
  (pick, a, b, c) => api.slice(pick(a), [b % 2, c % 2], [-1, -1]),
  (pick, a, b, c) =>
    api.pad(pick(a), [
      [b % 2, c % 3],
      [c % 2, b % 2],
    ]),
  (pick, a, b) => api.tile(pick(a), [1 + (b % 2), 1]),
  (pick, a) => api.expandDims(api.argmax(pick(a), 1), 0),
  (pick, a) => api.gather(pick(a), tf.constant([0], { dtype: 'int32' })),
];

const size = fc.integer({ min: 1, max: 8 });
const families = {
  matrices: { rank: 2, steps: matrixSteps, runs: 300 },
  images: { rank: 4, steps: imageSteps, runs: 200 },
  types: { rank: 2, steps: typeSteps, runs: 300 },
};

test.each(Object.entries(families))(
  '%s: compiled and evaluated directly, results agree within 1e-4',
  async (family, { rank, steps, runs }) => {
    const program = fc.record({
      inputs: fc.array(fc.array(size, { minLength: rank, maxLength: rank }), { minLength: 2, maxLength: 3 }),
      steps: fc.array(fc.tuple(fc.nat(steps.length - 1), fc.nat(100), fc.nat(100), fc.nat(100)), {
        minLength: 1,
        maxLength: 14,
      }),
      fetched: fc.array(fc.nat(100), { minLength: 1, maxLength: 3 }),
      differentiate: fc.boolean(),
    });
    let fitting = 0;
    await fc.assert(
      fc.asyncProperty(program, async ({ inputs, steps: chosen, fetched, differentiate }) => {
        const graph = new tf.Graph();
        const { xs, ys } = graph.asDefault(() => {
          const made: Any[] = inputs.map(
            (shape) => tf.placeholder(family === 'types' ? dtypes[(shape[0] + shape[1]) % 4] : 'float32', shape) as Any,
          );
          const given = [...made];
          for (const [op, a, b, c] of chosen) {
            try {
              const y = steps[op]((n) => made[n % made.length], a, b, c);
              const count = (y.shape as number[]).reduce((p, d) => p * d, 1);
              if (count > 0 && count < 2000 && y.shape?.length === rank) made.push(y);
            } catch (error) {
              if (!(error instanceof tf.MillraceError)) throw error;
            }
          }
          fitting += made.length - given.length;
          const wanted = fetched.map((n) => made[n % made.length]);
          const gradients =
            differentiate && family !== 'types' ? tf.gradients(wanted[0], given).filter((g) => g !== null) : [];
          return { xs: given, ys: [...wanted, ...(gradients as Any[])] };
        });
        const feeds = xs.map((x, k) => {
          const count = inputs[k].reduce((p, d) => p * d, 1);
          if (family === 'types') {
            // Whole numbers, so that conversions to integers are exact.
            const least = x.dtype === 'uint8' ? 0 : 4;
            return [
              x,
              tf.array(
                Array.from({ length: count }, (_, i) => ((i * 7 + k) % 9) - least),
                inputs[k] as [number, number],
                x.dtype,
              ),
            ];
          }
          return [
            x,
            tf.array(
              Float32Array.from({ length: count }, (_, i) => Math.sin(i * 1.7 + k) * 1.3),
              inputs[k],
            ),
          ];
        }) as any;
        const shapes = xs.map((x, k) => [x, inputs[k]] as const);
        const { lowered, tasks, program: compiled } = compile({ fetches: ys, feeds: shapes });
        verifyLowered(lowered);
        tasks.forEach(verifyTask);
        verifyProgram(compiled, machine);
        const results: any[] = [];
        for (const backend of ['reference', 'wasm'] as const) {
          const session = new tf.Session({ graph, backend });
          results.push(await session.run(ys, feeds));
          await session.close();
        }
        const [wanted, found] = results as tf.NDArray[][];
        wanted.forEach((w, k) => {
          expect(found[k].shape).toEqual(w.shape);
          // What cancels leaves the rounding of what it was made of.
          const scale = Math.max(1e-2, ...Array.from(w.data, (v) => (Number.isFinite(v) ? Math.abs(v) : 0)));
          w.data.forEach((v, i) => {
            const f = found[k].data[i];
            if (!(Object.is(f, v) || f === v || Math.abs(f - v) <= 1e-4 * scale)) {
              throw new Error(`${ys[k].name} element ${i}: ${f}, expected ${v}`);
            }
          });
        });
      }),
      { numRuns: runs },
    );
    // Most of the steps fit, so the graphs are not trivial.
    expect(fitting).toBeGreaterThan(runs * 2);
  },
);

test.each<[string, (x: Any, b: Any) => Any, number[], number[]]>([
  ['a bias under two maps, reshaped and summed', (x, b) => sum0(reshape26(tanh2(x.add(b)))), [3, 4], [4]],
  [
    'a transpose under two maps, reshaped and summed',
    (x) => sum0(reshape26(tanh2(tf.transpose(x) as Any))),
    [3, 4],
    [4],
  ],
  [
    'a slice under two maps, reshaped and padded',
    (x) => pad(reshape26(tanh2(tf.slice(x, [0, 1], [3, 4]) as Any))),
    [3, 6],
    [4],
  ],
  [
    'a product of one row with one column of float64, compared',
    (x, b) =>
      tf.greater(
        tf.matmul(tf.cast(b, 'float64').reshape([1, -1]) as Any, tf.cast(x, 'float64') as Any) as Any,
        0.1,
      ) as Any,
    [1, 3],
    [1],
  ],
  [
    'a product of one row in float32, cast to float64',
    (x, b) => tf.cast(tf.matmul(b.reshape([1, -1]) as Any, x) as Any, 'float64') as Any,
    [1, 2],
    [1],
  ],
])('only the end of a chain is fetched: %s', async (_, end, shape, side) => {
  const graph = new tf.Graph();
  const count = shape.reduce((a, b) => a * b);
  const [x, b, y] = graph.asDefault(() => {
    const image = tf.placeholder('float32', shape) as Any;
    const bias = tf.placeholder('float32', side) as Any;
    return [image, bias, end(image, bias)];
  });
  const feeds = [
    [
      x,
      tf.array(
        Array.from({ length: count }, (_, i) => Math.sin(i + 1)),
        shape,
      ),
    ],
    [
      b,
      tf.array(
        Array.from({ length: side[0] }, (_, i) => Math.cos(i)),
        side,
      ),
    ],
  ] as any;
  const [reference, wasm] = [new tf.Session({ graph, backend: 'reference' }), new tf.Session({ graph })];
  const wanted = Array.from(((await reference.run(y, feeds)) as any).data as Float64Array, Number);
  const found = Array.from(((await wasm.run(y, feeds)) as any).data as Float64Array, Number);
  wanted.forEach((v, i) => {
    expect(found[i]).toBeCloseTo(v, 5);
  });
  await Promise.all([reference.close(), wasm.close()]);
});
const tanh2 = (v: Any): Any => tf.tanh(tf.tanh(v)) as Any;
const reshape26 = (v: Any): Any => tf.reshape(v, [2, 6]) as Any;
const sum0 = (v: Any): Any => tf.reduceSum(v, 0) as Any;
const pad = (v: Any): Any =>
  tf.pad(v, [
    [1, 0],
    [0, 2],
  ]) as Any;
