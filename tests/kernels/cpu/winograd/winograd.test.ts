// Winograd's algorithm in all its ways, against direct products and sums in float64. Both offers are asked for and run
// by themselves, whatever the cost model thinks of them.
import { describe, expect, test } from 'vitest';
import { emitModule } from '../../../../src/backends/wasm/emit/emit.ts';
import { fusedMultiplyAdd } from '../../../../src/backends/wasm/features.ts';
import { machineFor } from '../../../../src/backends/wasm/machine.ts';
import { atOnce } from '../../../../src/base/turns.ts';
import { compile } from '../../../../src/compiler/compile.ts';
import { offersFor } from '../../../../src/compiler/program/select.ts';
import { fuse } from '../../../../src/compiler/tasks/fuse.ts';
import * as tf from '../../../../src/index.ts';
import { tiled } from '../../../../src/kernels/cpu/contract/contract.ts';
import { winograd } from '../../../../src/kernels/cpu/winograd/winograd.ts';
import type { Offer, TaskBuffers } from '../../../../src/kernels/offer.ts';
import { verifyProgram } from '../../../../src/loops/check/verify.ts';
import type { Buffer } from '../../../../src/loops/ir.ts';
import type { Machine } from '../../../../src/loops/machine.ts';
import type { Place, Program } from '../../../../src/loops/program.ts';
import type { Primitive } from '../../../../src/primitives/primitives.ts';
import type { Task } from '../../../../src/primitives/task.ts';
import { sizeOf } from '../../../../src/tensor/dtype.ts';
import { elements } from '../../../../src/tensor/shape.ts';

type Any = tf.Tensor<any, any>;
type Pass = 'forward' | 'images' | 'filter';
interface Case {
  readonly batch: number;
  readonly size: readonly [number, number];
  readonly filter: readonly [number, number];
  readonly channels: readonly [number, number];
  readonly padding: 'SAME' | 'VALID';
}
const machines: readonly Machine[] = fusedMultiplyAdd() ? [machineFor(false), machineFor(true)] : [machineFor(false)];

interface Work {
  readonly tasks: readonly Task[];
  readonly contraction: Task;
  readonly feeds: readonly Primitive[];
  readonly shapes: readonly number[][];
  readonly result: Primitive;
}

/** One pass as fusion leaves it: a contraction, and what pads its images. */
function workOf(c: Case, pass: Pass): Work {
  const graph = new tf.Graph();
  const [x, f] = [
    [c.batch, ...c.size, c.channels[0]],
    [...c.filter, ...c.channels],
  ];
  const made = graph.asDefault(() => {
    const image = tf.placeholder('float32', x) as Any;
    const filter = tf.placeholder('float32', f) as Any;
    const y = tf.nn.conv2d(image, filter, { strides: [1, 1, 1, 1], padding: c.padding }) as Any;
    const dy = tf.placeholder('float32', y.shape as number[]) as Any;
    const [dx, df] = tf.gradients(tf.mul(y, dy) as Any, [image, filter]) as Any[];
    return { feeds: [image, filter, dy], fetch: { forward: y, images: dx, filter: df }[pass] };
  });
  const shapes = made.feeds.map((t) => t.shape as number[]);
  const feeds = made.feeds.map((tensor, i) => ({ tensor, shape: shapes[i] }));
  const request = { graph, fetches: [made.fetch], targets: [], feeds, seed: 0 };
  const { run: lowered } = compile(request, undefined, { shareNodes: true });
  const { tasks, fetches } = atOnce(fuse(lowered));
  const contractions = tasks.filter((t) => t.root?.kind === 'contract');
  expect(contractions.length).toBe(1);
  return { tasks, contraction: contractions[0], feeds: lowered.feeds, shapes, result: fetches[0].node };
}

/** Runs a pass with that offer for its contraction: one thread, all arrays side by side in the arena. */
function run(
  offer: Offer,
  machine: Machine,
  { tasks, contraction, feeds, result }: Work,
  data: readonly Float32Array[],
) {
  const places = new Map<Buffer, Place>();
  const ofNode = new Map<Primitive, Buffer>();
  const bytes = { arena: 0, thread: 0 };
  const place = (b: Buffer): Buffer => {
    const kind = b.private ? 'thread' : 'arena';
    places.set(b, { kind, offset: bytes[kind] });
    bytes[kind] += Math.ceil((b.length * sizeOf(b.dtype)) / 64) * 64;
    return b;
  };
  const bufferOf = (node: Primitive): Buffer => {
    let b = ofNode.get(node);
    if (!b) ofNode.set(node, (b = place({ name: node.kind, dtype: node.dtype, length: elements(node.shape) })));
    return b;
  };
  const unexpected = (): never => {
    throw new Error('a contraction needs no checks');
  };
  const buffers: TaskBuffers = {
    of: bufferOf,
    scratch: (name, dtype, length) => place({ name, dtype, length }),
    own: (name, dtype, length) => place({ name, dtype, length, private: true }),
    status: unexpected,
    checkNumber: unexpected,
  };
  const own = offer.build(buffers);
  const kernels = tasks.flatMap((t) => (t === contraction ? own : atOnce(offersFor(t, machine))[0].build(buffers)));
  const program: Program = {
    kernels,
    checks: 0,
    repeats: [],
    places,
    arenaBytes: bytes.arena,
    threadBytes: bytes.thread,
    feeds: [],
    fetches: [],
    counters: [],
    status: undefined,
    messages: [],
    variables: [],
  };
  verifyProgram(program, machine);
  const pages = Math.ceil((1024 + bytes.arena + bytes.thread) / 65536) + 1;
  const memory = new WebAssembly.Memory({ initial: pages, maximum: pages });
  const code = emitModule(program, {
    addressOf: unexpected,
    memory: { shared: false, minimum: pages, maximum: pages },
    fusedMultiplyAdd: machine.fusedMultiplyAdd,
    profile: false,
  });
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(code), { m: { memory } });
  const view = (b: Buffer) => {
    const { offset } = places.get(b) as { offset: number };
    return new Float32Array(memory.buffer, 1024 + offset, b.length);
  };
  // What was in memory before must not matter.
  new Float32Array(memory.buffer).fill(Number.NaN);
  for (const [i, node] of feeds.entries()) if (ofNode.has(node)) view(bufferOf(node)).set(data[i]);
  (exports.run as (...args: number[]) => number)(1024, 1024 + bytes.arena, 0, 1);
  return { result: view(bufferOf(result)).slice(), kernels: own.map((k) => k.name) };
}

/** From −1 to 1, without a pattern. */
const numbers = (shape: readonly number[], seed: number) => {
  let state = seed + 1;
  return Float32Array.from({ length: elements(shape) }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) | 0;
    return state / 2 ** 31;
  });
};

/** The pass as the definition of a convolution says, in float64. */
function expected({ batch, size, filter, channels, padding }: Case, pass: Pass, data: readonly Float32Array[]) {
  const [x, f, dy] = data;
  const [[h, w], [kh, kw], [ci, co]] = [size, filter, channels];
  const [top, left] = padding === 'SAME' ? [(kh - 1) >> 1, (kw - 1) >> 1] : [0, 0];
  const [oh, ow] = padding === 'SAME' ? [h, w] : [h - kh + 1, w - kw + 1];
  const y = new Float64Array(batch * oh * ow * co);
  const dx = new Float64Array(x.length);
  const df = new Float64Array(f.length);
  for (let n = 0; n < batch; n++)
    for (let i = 0; i < oh; i++)
      for (let j = 0; j < ow; j++)
        for (let p = 0; p < kh; p++)
          for (let q = 0; q < kw; q++) {
            const [r, s] = [i + p - top, j + q - left];
            if (r < 0 || s < 0 || r >= h || s >= w) continue;
            const yi = ((n * oh + i) * ow + j) * co;
            for (let c = 0; c < ci; c++) {
              const xi = ((n * h + r) * w + s) * ci + c;
              const fi = ((p * kw + q) * ci + c) * co;
              for (let o = 0; o < co; o++) {
                if (pass === 'forward') y[yi + o] += x[xi] * f[fi + o];
                else if (pass === 'images') dx[xi] += dy[yi + o] * f[fi + o];
                else df[fi + o] += dy[yi + o] * x[xi];
              }
            }
          }
  return { forward: y, images: dx, filter: df }[pass];
}

/** The largest difference, in parts of the largest result. */
function worst(found: ArrayLike<number>, wanted: ArrayLike<number>): number {
  expect(found.length).toBe(wanted.length);
  let [difference, scale] = [0, 0];
  for (let i = 0; i < wanted.length; i++) {
    const d = Math.abs(found[i] - wanted[i]);
    difference = Number.isNaN(d) ? Infinity : Math.max(difference, d);
    scale = Math.max(scale, Math.abs(wanted[i]));
  }
  return difference / scale;
}

const strategies: Record<string, string> = {
  'filter,products': 'by image',
  'filter,inputs,products,results': 'by point',
  'products,results': 'taps in chunks',
  'inputs,taps,products,results': 'taps by point',
};
const strategyOf = (kernels: readonly string[]) =>
  strategies[kernels.map((name) => name.match(/^(\w+) of /)?.[1] ?? 'products').join()];

/** What Winograd and the direct kernel make of a pass, on every machine that the engine can be. */
function compare(c: Case, pass: Pass): { offered: boolean; strategy: string; errors: number[]; direct: number[] } {
  const work = workOf(c, pass);
  const task = work.contraction;
  const data = work.shapes.map(numbers);
  const wanted = expected(c, pass, data);
  const errors: number[] = [];
  const direct: number[] = [];
  let strategy = '';
  for (const machine of machines) {
    const offer = winograd(task, machine);
    if (!offer) return { offered: false, strategy, errors, direct };
    const { result, kernels } = run(offer, machine, work, data);
    errors.push(worst(result, wanted));
    strategy = strategyOf(kernels);
    const other = run(tiled(task, machine)!, machine, work, data);
    direct.push(worst(other.result, wanted));
    errors.push(worst(result, other.result));
  }
  return { offered: true, strategy, errors, direct };
}

/** The error of the direct kernel alone. */
function directly(c: Case, pass: Pass): number {
  const work = workOf(c, pass);
  const data = work.shapes.map(numbers);
  const wanted = expected(c, pass, data);
  const errors = machines.map((machine) => {
    const offer = tiled(work.contraction, machine) ?? atOnce(offersFor(work.contraction, machine))[0];
    return worst(run(offer, machine, work, data).result, wanted);
  });
  return Math.max(...errors);
}

const passes: readonly Pass[] = ['forward', 'images', 'filter'];
const filters = [
  [2, 2],
  [3, 3],
  [3, 5],
  [5, 5],
] as const;
/** Largest errors, in parts of the largest result. */
const bounds: Record<string, number> = { '2×2': 2e-6, '3×3': 6e-6, '3×5': 1e-5, '5×5': 1e-5 };

describe.each(filters)('%i×%i', (...filter) => {
  const name = filter.join('×');
  const bound = bounds[name];
  test.each(passes)(
    `%s, odd sizes, SAME and VALID, 1, 3, 7 and 13 images: within ${bound.toExponential()} of float64 and of direct`,
    (pass) => {
      for (const padding of ['SAME', 'VALID'] as const) {
        for (const [batch, size] of [
          [1, [9, 13]],
          [7, [11, 7]],
          [3, [14, 6]],
          [13, [7, 10]],
        ] as const) {
          const c: Case = { batch, size, filter, channels: [8, 12], padding };
          const { offered, errors, direct } = compare(c, pass);
          const where = JSON.stringify(c);
          expect([where, offered]).toEqual([where, true]);
          expect([where, Math.max(...errors) < bound]).toEqual([where, true]);
          expect(Math.max(...direct)).toBeLessThan(2e-6);
        }
      }
    },
  );
});

test.each<[string, Pass, Case]>([
  ['by image', 'forward', { batch: 11, size: [10, 10], filter: [3, 3], channels: [8, 8], padding: 'SAME' }],
  ['by image', 'images', { batch: 16, size: [9, 11], filter: [5, 5], channels: [4, 12], padding: 'VALID' }],
  ['by point', 'forward', { batch: 1, size: [15, 9], filter: [3, 3], channels: [12, 16], padding: 'SAME' }],
  ['by point', 'images', { batch: 5, size: [8, 8], filter: [5, 5], channels: [8, 8], padding: 'SAME' }],
  ['taps in chunks', 'filter', { batch: 12, size: [20, 23], filter: [5, 5], channels: [4, 8], padding: 'SAME' }],
  ['taps in chunks', 'filter', { batch: 14, size: [22, 19], filter: [3, 3], channels: [8, 4], padding: 'VALID' }],
  ['taps by point', 'filter', { batch: 2, size: [12, 13], filter: [5, 5], channels: [4, 8], padding: 'SAME' }],
  ['taps by point', 'filter', { batch: 1, size: [7, 10], filter: [3, 3], channels: [16, 8], padding: 'VALID' }],
])('%s, %s: within 1e-5 of float64 and of direct', (strategy, pass, c) => {
  const found = compare(c, pass);
  expect(found.strategy).toBe(strategy);
  expect(Math.max(...found.errors)).toBeLessThan(1e-5);
});

test.each(passes)('%s: outputs that fill panels of two widths, 1, 3 and 12 images: within 1e-5', (pass) => {
  for (const batch of [1, 3, 12]) {
    for (const channels of [
      [12, 20],
      [20, 12],
    ] as const) {
      const c: Case = { batch, size: [9, 10], filter: [3, 3], channels, padding: 'SAME' };
      expect(Math.max(...compare(c, pass).errors)).toBeLessThan(1e-5);
    }
  }
});

test.each(passes)('%s: channels that are no multiple of four are left to the direct kernel, within 2e-6', (pass) => {
  for (const channels of [
    [3, 8],
    [8, 6],
    [5, 7],
    [1, 1],
  ] as const) {
    const c: Case = { batch: 5, size: [9, 7], filter: [3, 3], channels, padding: 'SAME' };
    expect(compare(c, pass).offered).toBe(false);
    expect(directly(c, pass)).toBeLessThan(2e-6);
  }
});

test('filters of one column, or wider than five, are left to the direct kernel', () => {
  const c = { batch: 3, size: [9, 9], channels: [8, 12], padding: 'SAME' } as const;
  expect(compare({ ...c, filter: [3, 1] }, 'forward').offered).toBe(false);
  expect(compare({ ...c, filter: [6, 6] }, 'forward').offered).toBe(false);
  expect(compare({ ...c, filter: [3, 3] }, 'forward').offered).toBe(true);
});
