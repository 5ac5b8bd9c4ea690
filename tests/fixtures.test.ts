// Every op against fixtures made by PyTorch and NumPy (tests/fixtures/make.py), values and gradients, on every backend.
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import * as tf from '../src/index.ts';
import { allocate, sizeOf } from '../src/tensor/dtype.ts';
import { backends } from './backends.ts';
import { lower } from './compiler/compile.ts';

/** Floats as base64 of their little-endian bytes, others as a list. */
type Data = string | (number | boolean)[];
interface Packed {
  readonly dtype: tf.DType;
  readonly shape: number[];
  readonly data: Data;
}
interface Case {
  readonly op: string;
  readonly args: Record<string, any>;
  readonly inputs: Packed[];
  readonly output: Packed;
  readonly weights?: number[];
  readonly gradients?: (Data | null)[];
}
const read = (name: string) => JSON.parse(readFileSync(new URL(`fixtures/${name}.json`, import.meta.url), 'utf8'));
const cases: Case[] = read('ops');

type Any = tf.Tensor<any, any>;
const api = tf as unknown as Record<string, (...args: any[]) => Any>;
const nn = tf.nn as unknown as Record<string, (...args: any[]) => Any>;

/** How the arguments of a case are given to millrace where it is not simply f(...inputs). */
const calls: Record<string, (xs: Any[], args: any) => Any> = {
  addN: (xs) => api.addN(xs),
  cast: ([x], { dtype }) => tf.cast(x, dtype),
  matmul: ([a, b], args) => api.matmul(a, b, args),
  reshape: ([x], { shape }) => api.reshape(x, shape),
  transpose: ([x], { perm }) => api.transpose(x, perm),
  expandDims: ([x], { axis }) => api.expandDims(x, axis),
  squeeze: ([x], { axes }) => api.squeeze(x, axes),
  slice: ([x], { begin, size }) => api.slice(x, begin, size),
  pad: ([x], { paddings, value }) => api.pad(x, paddings, { value }),
  tile: ([x], { multiples }) => api.tile(x, multiples),
  concat: (xs, { axis }) => api.concat(xs, axis),
  stack: (xs, { axis }) => api.stack(xs, axis),
  unstack1: ([x], { axis }) => tf.unstack(x, axis)[1],
  gather: ([x, i], { axis }) => api.gather(x, i, { axis }),
  where: (branches, { condition }) =>
    condition ? api.where(tf.constant(condition), ...branches) : api.where(...branches),
  oneHot: ([i], { depth, ...options }) => api.oneHot(i, depth, options),
  zeros: (_, { shape, dtype }) => api.zeros(shape, dtype),
  ones: (_, { shape, dtype }) => api.ones(shape, dtype),
  fill: (_, { shape, value, dtype }) => api.fill(shape, value, dtype),
  range: (_, { start, limit, delta }) => api.range(start, limit, delta),
  argmax: ([x], { axis }) => api.argmax(x, axis),
  argmin: ([x], { axis }) => api.argmin(x, axis),
  conv2d: ([x, w], args) => nn.conv2d(x, w, args),
  maxPool: ([x], args) => nn.maxPool(x, args),
  avgPool: ([x], args) => nn.avgPool(x, args),
  softmaxCrossEntropyWithLogits: ([labels, logits]) => nn.softmaxCrossEntropyWithLogits({ labels, logits }),
  sparseSoftmaxCrossEntropyWithLogits: ([labels, logits]) => nn.sparseSoftmaxCrossEntropyWithLogits({ labels, logits }),
};
for (const op of ['reduceSum', 'reduceMean', 'reduceMax', 'reduceMin', 'reduceProd', 'reduceAny', 'reduceAll']) {
  calls[op] = ([x], { axis, keepDims }) => api[op](x, axis ?? undefined, { keepDims });
}

function decode(dtype: tf.DType, data: Data): tf.TypedArray {
  if (typeof data !== 'string') {
    const list = allocate(dtype, data.length);
    list.set(data.map(Number));
    return list;
  }
  const bytes = Buffer.from(data, 'base64');
  const floats = allocate(dtype, bytes.length / sizeOf(dtype));
  new Uint8Array(floats.buffer).set(bytes);
  return floats;
}
const unpack = ({ dtype, shape, data }: Packed): tf.NDArray<any, any> =>
  tf.array(decode(dtype, data), shape, dtype) as tf.NDArray<any, any>;

/** Relative to the largest number of the array, so that differences of large numbers are judged fairly. */
function expectClose(found: ArrayLike<number>, wanted: tf.TypedArray, tolerance: number, what: string): void {
  expect(found.length, what).toBe(wanted.length);
  const numbers = [...wanted];
  const scale = numbers.reduce((most, n) => (Number.isFinite(n) ? Math.max(most, Math.abs(n)) : most), 0);
  numbers.forEach((w, i) => {
    const ok = Object.is(found[i], w) || found[i] === w || Math.abs(found[i] - w) <= tolerance * scale;
    if (!ok) throw new Error(`${what}: element ${i} is ${found[i]}, expected ${w} (tolerance ${tolerance * scale})`);
  });
}
const tolerances = { float32: 2e-5, float64: 1e-11, int32: 0, uint8: 0, bool: 0 };
const label = ({ op, args, inputs, output }: Case) =>
  `${op} ${output.dtype} ${inputs.map((i) => `[${i.shape}]`).join(' ')} ${JSON.stringify(args)}`;

const groups = new Map<string, Case[]>();
for (const c of cases) groups.set(c.op, [...(groups.get(c.op) ?? []), c]);

/** The op of a case, by default in a graph of its own, with the gradients of its weighted sum. */
function build(c: Case, graph = new tf.Graph()) {
  return graph.asDefault(() => {
    const inputs = c.inputs.map(({ dtype, shape }) => tf.placeholder(dtype, shape) as Any);
    const call = calls[c.op] ?? ((all: Any[]) => (api[c.op] ?? nn[c.op])(...all));
    const output = call(inputs, c.args);
    if (!c.weights || !c.gradients) return { graph, inputs, output, gradients: [] };
    const weights = tf.constant(unpack({ ...c.output, data: c.weights }));
    const found = tf.gradients(tf.mul(output, weights as Any) as Any, inputs);
    const gradients = c.gradients.flatMap((data, i) => {
      if (data === null) return [];
      expect(found[i], `${label(c)}: gradient ${i}`).not.toBeNull();
      return [{ tensor: found[i] as Any, wanted: decode(c.inputs[i].dtype, data) }];
    });
    return { graph, inputs, output, gradients };
  });
}

test.each([...groups.keys()])('%s and its gradient lower to runs that the verifier accepts', (op) => {
  for (const c of groups.get(op) ?? []) {
    const { inputs, output, gradients } = build(c);
    const feeds = inputs.map((tensor, i) => [tensor, c.inputs[i].shape] as const);
    // lower verifies what it returns.
    for (const shareNodes of [true, false])
      lower({ fetches: [output, ...gradients.map((g) => g.tensor)], feeds }, shareNodes);
  }
});

describe.each(backends)('on %s', (backend) => {
  test.each([...groups.keys()])(
    '%s equals the fixtures: float32 within 2e-5, float64 within 1e-11, others exactly',
    async (op) => {
      const all = groups.get(op) ?? [];
      // A C compiler takes longer to start than to compile: there, all cases are one run.
      for (const together of backend === 'native' ? [all] : all.map((c) => [c])) {
        const graph = new tf.Graph();
        const built = together.map((c) => ({ c, ...build(c, graph) }));
        await using_(new tf.Session({ graph, backend }), async (session) => {
          const feeds = built.flatMap(({ c, inputs }) => inputs.map((x, i) => [x, unpack(c.inputs[i])] as const));
          const fetches = built.map(({ output, gradients }) => [output, ...gradients.map((g) => g.tensor)]);
          const runs = (await session.run(fetches, feeds as any)) as any[][];
          for (const [n, { c, output, gradients }] of built.entries()) {
            const results = runs[n];
            const flat = (v: any): ArrayLike<number> => (typeof v === 'object' ? v.data : [Number(v)]);
            const tolerance = tolerances[c.output.dtype];
            expectClose(flat(results[0]), decode(c.output.dtype, c.output.data), tolerance, label(c));
            expect(output.dtype).toBe(c.output.dtype);
            expect(typeof results[0] === 'object' ? results[0].shape : [], label(c)).toEqual(c.output.shape);
            for (const [i, { wanted }] of gradients.entries())
              expectClose(flat(results[1 + i]), wanted, tolerance * 4, `${label(c)}: gradient ${i}`);
          }
        });
      }
    },
  );

  test.each(read('training') as any[])(
    '$optimizer on $dtype follows five steps computed by hand',
    async ({ optimizer, dtype, start, target, steps }) => {
      const graph = new tf.Graph();
      await using_(new tf.Session({ graph, backend }), async (session) => {
        const { init, step, w } = graph.asDefault(() => {
          const variable = tf.variable(tf.constant(unpack(start)) as Any);
          const loss = tf.reduceSum(tf.square(tf.sub(variable as Any, tf.constant(unpack(target)) as Any)) as Any);
          const made = {
            GradientDescent: () => new tf.train.GradientDescentOptimizer(0.1),
            Momentum: () => new tf.train.MomentumOptimizer(0.02, 0.9),
            Nesterov: () => new tf.train.MomentumOptimizer(0.02, 0.9, { useNesterov: true }),
            Adam: () => new tf.train.AdamOptimizer(0.05),
          }[optimizer as 'Adam']();
          const train = made.minimize(loss as Any);
          return { step: train, init: tf.initializeAllVariables(), w: variable };
        });
        await session.run(init);
        for (const wanted of steps) {
          await session.run(step);
          expectClose(
            ((await session.run(w)) as any).data,
            decode('float64', wanted),
            dtype === 'float32' ? 2e-6 : 1e-12,
            optimizer,
          );
        }
      });
    },
  );

  test.each(read('networks') as any[])(
    '$name: loss and all gradients equal the fixtures within 1e-5',
    async ({ name, x, labels, loss, parameters, gradients }) => {
      const graph = new tf.Graph();
      await using_(new tf.Session({ graph, backend }), async (session) => {
        const { init, fetches } = graph.asDefault(() => {
          const p: Record<string, Any> = {};
          for (const [key, value] of Object.entries(parameters))
            p[key] = tf.variable(tf.constant(unpack(value as Packed)) as Any);
          const input = tf.placeholder('float32', x.shape) as Any;
          const target = tf.placeholder('float32', labels.shape) as Any;
          const logits = name === 'vgg' ? vgg(input, p) : mlp(input, p);
          const total = tf.reduceSum(nn.softmaxCrossEntropyWithLogits({ labels: target, logits }) as Any) as Any;
          const found = tf.gradients(total, Object.values(p)) as Any[];
          return { init: tf.initializeAllVariables(), fetches: { total, found, input, target } };
        });
        await session.run(init);
        const feeds = [
          [fetches.input, unpack(x)],
          [fetches.target, unpack(labels)],
        ] as any;
        const result = (await session.run({ total: fetches.total, found: fetches.found }, feeds)) as any;
        expect(Math.abs(result.total - loss) / loss).toBeLessThan(1e-5);
        Object.values(gradients).forEach((g, i) => {
          expectClose(
            result.found[i].data,
            decode('float64', g as Data),
            1e-5,
            `${name} ${Object.keys(parameters)[i]}`,
          );
        });
      });
    },
  );
});

function vgg(x: Any, p: Record<string, Any>): Any {
  let h = x;
  for (const block of [0, 1]) {
    for (const layer of [0, 1]) {
      const y = nn.conv2d(h, p[`w${block}${layer}`], { strides: [1, 1, 1, 1], padding: 'SAME' });
      h = nn.relu(api.add(y, p[`b${block}${layer}`]));
    }
    h = nn.maxPool(h, { ksize: [1, 2, 2, 1], strides: [1, 2, 2, 1], padding: 'SAME' });
  }
  const f = nn.relu(api.add(api.matmul(api.reshape(h, [-1, 128]), p.wf), p.bf));
  return api.add(api.matmul(f, p.wo), p.bo);
}

function mlp(x: Any, p: Record<string, Any>): Any {
  let h = x;
  for (const i of [0, 1]) h = nn.relu(api.add(api.matmul(h, p[`w${i}`]), p[`b${i}`]));
  return api.add(api.matmul(h, p.w2), p.b2);
}

async function using_(session: tf.Session, body: (session: tf.Session) => Promise<void>): Promise<void> {
  try {
    await body(session);
  } finally {
    await session.close();
  }
}
