// What `fastMath` allows and what it does not: docs/numbers.md, «Fast math». Convolutions of random sizes and data, with
// huge numbers, NaN and infinities among them, against the reference; and the sizes of the issues from which it came.
import { afterAll, describe, expect, test } from 'vitest';
import * as tf from '../../src/index.ts';
import { backends } from '../backends.ts';

type Any = tf.Tensor<any, any>;
type Feeds = readonly (readonly [Any, Float32Array])[];
const compiled = backends.filter((name) => name !== 'reference');
const sessions: tf.Session[] = [];
afterAll(() => Promise.all(sessions.map((s) => s.close())));

/** What a session computes, and says of it. */
function under(graph: tf.Graph, options: tf.SessionOptions) {
  const session = new tf.Session({ graph, ...options });
  sessions.push(session);
  return {
    description: session.backend.description,
    explain: (fetch: Any, feeds: Feeds) => session.explain(fetch, feeds as any),
    values: async (fetch: Any, feeds: Feeds) =>
      ((await session.run(fetch, feeds as any)) as tf.NDArray<'float32'>).data,
  };
}

// ---------------------------------------------------------------- convolutions
interface Case {
  readonly size: number;
  readonly filter: number;
  readonly channels: readonly [number, number];
  readonly padding: 'SAME' | 'VALID';
}
const images = 2;
const cases: readonly Case[] = [
  { size: 12, filter: 3, channels: [16, 16], padding: 'SAME' },
  { size: 10, filter: 5, channels: [16, 16], padding: 'SAME' },
  { size: 14, filter: 3, channels: [32, 16], padding: 'VALID' },
  { size: 12, filter: 4, channels: [16, 16], padding: 'SAME' },
];
const passes = ['result', 'images', 'filter'] as const;

function convolution({ size, filter, channels, padding }: Case) {
  const graph = new tf.Graph();
  const made = graph.asDefault(() => {
    const x = tf.placeholder('float32', [images, size, size, channels[0]]) as Any;
    const w = tf.placeholder('float32', [filter, filter, ...channels]) as Any;
    const result = tf.nn.conv2d(x, w, { strides: [1, 1, 1, 1], padding }) as Any;
    const dy = tf.placeholder('float32', result.shape as number[]) as Any;
    const [dx, dw] = tf.gradients(tf.mul(result, dy) as Any, [x, w]) as Any[];
    return { inputs: [x, w, dy], fetches: { result, images: dx, filter: dw } };
  });
  return { graph, ...made };
}
type Pass = (typeof passes)[number];
const known = new Map<string, Promise<Float32Array>>();
/** What the reference gives, which is slow: once for all backends. */
function oracle(c: Case, pass: Pass, data: readonly Float32Array[], key: string): Promise<Float32Array> {
  const name = JSON.stringify([c, pass, key]);
  const { graph, inputs, fetches } = convolution(c);
  const compute = () =>
    under(graph, { backend: 'reference' }).values(
      fetches[pass],
      inputs.map((t, i) => [t, data[i]]),
    );
  const found = known.get(name) ?? compute();
  known.set(name, found);
  return found;
}
const count = (t: Any) => (t.shape as number[]).reduce((a, b) => a * b, 1);
/** Equally distributed in [0, 1): mulberry32. */
const random = (seed: number) => () => {
  seed = (seed + 0x6d2b79f5) | 0;
  let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
  t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
  return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
};
/** Normal numbers, a few of them replaced. */
const numbers = (n: number, seed: number, odd: readonly number[], share: number): Float32Array => {
  const next = random(seed);
  const normal = () => Math.sqrt(-2 * Math.log(1 - next())) * Math.cos(2 * Math.PI * next());
  return Float32Array.from({ length: n }, () =>
    next() < share ? odd[Math.floor(next() * odd.length)] : Math.fround(normal()),
  );
};
const kind = (v: number) => (Number.isFinite(v) ? 'finite' : String(v));

/** For each result the sum of what `combine` makes of the tile of one operand and of the other, channel by channel. */
function perTile(c: Case, pass: 'result' | 'images', source: Float32Array, w: Float32Array) {
  const { filter, channels, padding } = c;
  const before = padding === 'SAME' ? Math.floor((filter - 1) / 2) : 0;
  const out = padding === 'SAME' ? c.size : c.size - filter + 1;
  const forward = pass === 'result';
  const [from, to] = forward ? channels : [channels[1], channels[0]];
  const [fromSize, toSize, margin] = forward ? [c.size, out, before] : [out, c.size, filter - 1 - before];
  const weights = new Float64Array(from * to);
  for (let k = 0; k < filter * filter; k++) {
    for (let i = 0; i < channels[0]; i++) {
      for (let j = 0; j < channels[1]; j++) {
        weights[forward ? i * to + j : j * to + i] += Math.abs(w[(k * channels[0] + i) * channels[1] + j]);
      }
    }
  }
  const sums = new Float64Array(images * toSize * toSize * to);
  const range = (t: number) => [Math.max(0, t - margin), Math.min(fromSize, t + 4 + filter - 1 - margin)];
  for (let n = 0; n < images; n++) {
    for (let h = 0; h < toSize; h += 4) {
      for (let v = 0; v < toSize; v += 4) {
        const most = new Float64Array(from);
        for (let a = range(h)[0]; a < range(h)[1]; a++) {
          for (let b = range(v)[0]; b < range(v)[1]; b++) {
            for (let i = 0; i < from; i++) {
              most[i] = Math.max(most[i], Math.abs(source[((n * fromSize + a) * fromSize + b) * from + i]));
            }
          }
        }
        for (let j = 0; j < to; j++) {
          const sum = most.reduce((s, m, i) => s + m * weights[i * to + j], 0);
          for (let a = h; a < Math.min(toSize, h + 4); a++) {
            for (let b = v; b < Math.min(toSize, v + 4); b++) sums[((n * toSize + a) * toSize + b) * to + j] = sum;
          }
        }
      }
    }
  }
  return sums;
}

/** For each tap of the filter the largest |x| of an image times Σ|dy|, summed over the images. */
function perImage({ filter, channels }: Case, x: Float32Array, dy: Float32Array): Float64Array {
  const sums = new Float64Array(filter * filter * channels[0] * channels[1]);
  for (let n = 0; n < images; n++) {
    const each = (data: Float32Array, of: number, combine: (a: number, b: number) => number) => {
      const found = new Float64Array(of);
      const part = data.subarray((n * data.length) / images, ((n + 1) * data.length) / images);
      for (const [i, v] of part.entries()) found[i % of] = combine(found[i % of], Math.abs(v));
      return found;
    };
    const most = each(x, channels[0], Math.max);
    const total = each(dy, channels[1], (a, b) => a + b);
    for (let i = 0; i < sums.length; i++) {
      sums[i] += most[Math.floor(i / channels[1]) % channels[0]] * total[i % channels[1]];
    }
  }
  return sums;
}

describe.each(compiled)('convolutions on %s', (backend) => {
  test.each(cases)(
    '%o: without fast math within 4e-6 of Σ|x·w| (filter gradient: 1e-5), huge numbers beside',
    async (c) => {
      const { graph, inputs, fetches } = convolution(c);
      const exact = under(graph, { backend, fastMath: false });
      const data = inputs.map((t, i) => numbers(count(t), 10 + i, [1e6, -1e6, 1e-6], 0.01));
      const feeds = inputs.map((t, i) => [t, data[i]] as const);
      const magnitudes = data.map((d) => d.map(Math.abs));
      for (const pass of passes) {
        expect(await exact.explain(fetches[pass], feeds)).not.toMatch(/winograd|lists of/);
        const found = await exact.values(fetches[pass], feeds);
        const right = await oracle(c, pass, data, 'huge');
        const sums = await oracle(c, pass, magnitudes, 'magnitudes');
        const worst = found.reduce((most, v, i) => Math.max(most, Math.abs(v - right[i]) / sums[i]), 0);
        expect(worst).toBeLessThan(pass === 'filter' ? 1e-5 : 4e-6);
      }
    },
  );

  test.each(cases)(
    '%o: without fast math NaN and infinities are where the reference has them, and nowhere else',
    async (c) => {
      const { graph, inputs, fetches } = convolution(c);
      const exact = under(graph, { backend, fastMath: false });
      for (const shares of [
        [1e-3, 0, 0],
        [0, 5e-4, 0],
        [1e-4, 1e-4, 1e-3],
      ]) {
        const odd = [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
        const data = inputs.map((t, i) => numbers(count(t), 20 + i, odd, shares[i]));
        const feeds = inputs.map((t, i) => [t, data[i]] as const);
        for (const pass of passes) {
          const found = await exact.values(fetches[pass], feeds);
          const right = await oracle(c, pass, data, `odd ${shares}`);
          expect(found.findIndex((v, i) => kind(v) !== kind(right[i]))).toBe(-1);
        }
      }
    },
  );

  test.each(cases)('%o: with it a result is within 1e-4 of the largest of its tile times Σ|w|', async (c) => {
    const { graph, inputs, fetches } = convolution(c);
    const fast = under(graph, { backend });
    // 5e-6 where all numbers of the filter are of a size.
    for (const [spikes, bound] of [
      [0, 5e-6],
      [0.01, 1e-4],
    ]) {
      const shares = [0.01, spikes, 0.01];
      const data = inputs.map((t, i) => numbers(count(t), 30 + i, [1e6, -1e4, 1e-6], shares[i]));
      const feeds = inputs.map((t, i) => [t, data[i]] as const);
      for (const pass of passes) {
        expect(await fast.explain(fetches[pass], feeds)).toMatch(/winograd[^;\n]*\(taken\)/);
        const found = await fast.values(fetches[pass], feeds);
        const right = await oracle(c, pass, data, `spikes ${spikes}`);
        const sums =
          pass === 'filter'
            ? perImage(c, data[0], data[2])
            : perTile(c, pass, data[pass === 'result' ? 0 : 2], data[1]);
        const worst = found.reduce((most, v, i) => Math.max(most, Math.abs(v - right[i]) / sums[i]), 0);
        expect(worst).toBeLessThan(pass === 'filter' ? 1e-4 : bound);
      }
    }
  });

  test.each(cases)(
    '%o: with it NaN and infinities reach what they should, and nothing outside of their tiles',
    async (c) => {
      const { graph, inputs, fetches } = convolution(c);
      const fast = under(graph, { backend });
      const odd = [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
      const data = inputs.map((t, i) => numbers(count(t), 40 + i, odd, [1e-3, 0, 1e-3][i]));
      const feeds = inputs.map((t, i) => [t, data[i]] as const);
      // A number that is not finite makes the sum of its tile so.
      const marked = data.map((d) => d.map((v) => (Number.isFinite(v) ? v : Number.POSITIVE_INFINITY)));
      for (const pass of ['result', 'images'] as const) {
        const found = await fast.values(fetches[pass], feeds);
        const right = await oracle(c, pass, data, 'reached');
        const sums = perTile(c, pass, marked[pass === 'result' ? 0 : 2], data[1]);
        expect(right.some((v) => !Number.isFinite(v))).toBe(true);
        expect(found.findIndex((v, i) => !Number.isFinite(right[i]) && Number.isFinite(v))).toBe(-1);
        expect(found.findIndex((v, i) => !Number.isFinite(v) && Number.isFinite(sums[i]))).toBe(-1);
        const worst = (v: number, i: number) => (Number.isFinite(sums[i]) ? Math.abs(v - right[i]) / sums[i] : 0);
        expect(found.reduce((most, v, i) => Math.max(most, worst(v, i)), 0)).toBeLessThan(1e-5);
      }
    },
  );

  test('a huge number reaches its own window only: 1e6 and 1e38 three pixels from 0.1', async () => {
    const { graph, inputs, fetches } = convolution(cases[0]);
    const [x, w] = inputs;
    const exact = under(graph, { backend, fastMath: false });
    for (const huge of [1e6, 1e38]) {
      const image = new Float32Array(count(x));
      image[0] = huge;
      image[(3 * 16 + 3) * 16] = 0.1;
      const found = await exact.values(fetches.result, [
        [x, image],
        [w, new Float32Array(count(w)).fill(1)],
      ]);
      expect(found[(3 * 16 + 3) * 16]).toBe(Math.fround(0.1));
    }
  });
});

// ---------------------------------------------------------------- lists of what is not zero
describe.each(compiled)('products after relu and dropout on %s', (backend) => {
  test.each([
    ['relu', (x: Any) => tf.nn.relu(x)],
    ['dropout', (x: Any) => tf.nn.dropout(x, 0.5)],
  ] as const)('after %s no NaN is lost without fast math: [50, 3136] · [3136, 1024]', async (_, layer) => {
    const graph = new tf.Graph();
    const { x, w, y } = graph.asDefault(() => {
      const x = tf.placeholder('float32', [50, 3136]) as Any;
      const w = tf.placeholder('float32', [3136, 1024]) as Any;
      return { x, w, y: tf.matmul(layer(x), w) as Any };
    });
    const exact = under(graph, { backend, fastMath: false });
    const feeds: Feeds = [
      [x, new Float32Array(50 * 3136).fill(-1)],
      [w, new Float32Array(3136 * 1024).fill(Number.NaN)],
    ];
    expect((await exact.values(y, feeds)).every(Number.isNaN)).toBe(true);
    expect(await exact.explain(y, feeds)).not.toContain('lists of');
  });

  test('with it a NaN or an infinity is lost only against a factor that is exactly 0', async () => {
    const [rows, depth, columns] = [128, 1024, 1024];
    const graph = new tf.Graph();
    const { x, w, y } = graph.asDefault(() => {
      const x = tf.placeholder('float32', [rows, depth]) as Any;
      const w = tf.placeholder('float32', [depth, columns]) as Any;
      return { x, w, y: tf.matmul(tf.nn.relu(x), w) as Any };
    });
    const odd = [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
    const left = numbers(rows * depth, 50, [Number.NaN, 0, -0], 1e-5);
    const right = numbers(depth * columns, 51, odd, 1e-3);
    const fast = under(graph, { backend });
    const feeds: Feeds = [
      [x, left],
      [w, right],
    ];
    if (backend === 'native') expect(await fast.explain(y, feeds)).toMatch(/lists of[^;\n]*\(taken\)/);
    const found = await fast.values(y, feeds);
    let lost = 0;
    for (let i = 0; i < rows; i++) {
      for (let j = 0; j < columns; j += 7) {
        let [counted, met] = [0, false];
        for (let k = 0; k < depth; k++) {
          const [a, b] = [Math.max(left[i * depth + k], 0), right[k * columns + j]];
          if (a !== 0) counted += a * b;
          else if (!Number.isFinite(b)) met = true;
        }
        const v = found[i * columns + j];
        // A zero counts for nothing, or makes NaN of what is not finite; no other value is possible.
        if (!Number.isFinite(counted)) expect(Number.isFinite(v)).toBe(false);
        else if (!(met && Number.isNaN(v))) expect(Math.abs(v - counted)).toBeLessThan(1e-3);
        if (met && Number.isFinite(v)) lost++;
      }
    }
    if (backend === 'native') expect(lost).toBeGreaterThan(0);
  });
});

// ---------------------------------------------------------------- the option itself
test.each(backends.filter((name) => name !== 'reference'))(
  '%s: description and explain say which it is',
  async (backend) => {
    const graph = new tf.Graph();
    const y = graph.asDefault(() => tf.constant([1, 2]).add(1));
    for (const [fastMath, text] of [
      [undefined, /threads?, fast math$/],
      [true, /threads?, fast math$/],
      [false, /threads?, no fast math$/],
    ] as const) {
      const { description, explain } = under(graph, { backend, ...(fastMath === undefined ? {} : { fastMath }) });
      expect(description).toMatch(text);
      expect((await explain(y, [])).split('\n')[0]).toBe(description);
    }
  },
);

test.each(compiled)('%s: it changes no bit of what has neither windows nor zeros', async (backend) => {
  const graph = new tf.Graph();
  const { x, w, fetch } = graph.asDefault(() => {
    const x = tf.placeholder('float32', [65, 301]) as Any;
    const w = tf.placeholder('float32', [301, 403]) as Any;
    const loss = tf.reduceSum(tf.log(tf.nn.softmax(tf.tanh(tf.matmul(x, w)) as Any)));
    return { x, w, fetch: tf.gradients(loss, [w])[0] as Any };
  });
  const feeds: Feeds = [
    [x, numbers(65 * 301, 60, [0], 0)],
    [w, numbers(301 * 403, 61, [0], 0)],
  ];
  const [fast, exact] = [under(graph, { backend }), under(graph, { backend, fastMath: false })];
  expect(await exact.values(fetch, feeds)).toEqual(await fast.values(fetch, feeds));
});
