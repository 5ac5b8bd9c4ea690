// Long programs in C: what is alike is compiled once, no function is long, and the values are those of other backends.
import { expect, test } from 'vitest';
import { emitProgram } from '../../../../src/backends/native/emit/emit.ts';
import { machineFor } from '../../../../src/backends/native/toolchain/machine.ts';
import { compile } from '../../../../src/compiler/compile.ts';
import * as tf from '../../../../src/index.ts';
import type { Program } from '../../../../src/loops/program.ts';
import { nativeMissing } from '../../../backends.ts';
import { describeUnless } from '../../../skipped.ts';
import '../user-flags.ts';

type Floats = tf.Tensor<'float32', tf.Shape>;

interface Run {
  readonly graph: tf.Graph;
  readonly fetches: readonly tf.Tensor[];
  readonly feeds: readonly (readonly [tf.Tensor, Float32Array])[];
}

const values = (length: number) => Float32Array.from({ length }, (_, i) => Math.sin(i));

/** A function again and again, and the gradient of all. */
function chain(length: number, f: (y: Floats) => Floats, shape: readonly number[] = [64]): Run {
  const graph = new tf.Graph();
  return graph.asDefault(() => {
    const x = tf.placeholder('float32', { shape });
    let y: Floats = x;
    for (let i = 0; i < length; i++) y = f(y);
    const [gradient] = tf.gradients(tf.reduceSum(y), [x]);
    return { graph, fetches: [y, gradient as Floats], feeds: [[x, values(shape.reduce((a, b) => a * b))]] };
  });
}

/** A network of recurrent cells, unrolled, with the gradient of its weights. */
function recurrent(steps: number, batch: number, units: number): Run {
  const graph = new tf.Graph();
  return graph.asDefault(() => {
    const x = tf.placeholder('float32', { shape: [batch, steps, units] });
    const w = tf.placeholder('float32', { shape: [2 * units, units] });
    let h: Floats = tf.zeros([batch, units]);
    for (let t = 0; t < steps; t++) {
      const input = tf.reshape(tf.slice(x, [0, t, 0], [batch, 1, units]), [batch, units]);
      h = tf.tanh(tf.matmul(tf.concat([input, h], 1), w));
    }
    const [gradient] = tf.gradients(tf.reduceMean(tf.square(h)), [w]);
    const feeds = [[x, values(batch * steps * units)] as const, [w, values(2 * units * units)] as const];
    return { graph, fetches: [h, gradient as Floats], feeds };
  });
}

const machine = machineFor(new Set(['__AVX2__', '__FMA__']), 'avx2');

function programOf({ graph, fetches, feeds }: Run): Program {
  const shapes = feeds.map(([tensor]) => ({ tensor, shape: tensor.shape as readonly number[] }));
  return compile({ graph, fetches, targets: [], feeds: shapes, seed: 1 }, machine).plan as Program;
}

/** The texts of the functions of a run's program. */
function functionsOf(run: Run): string[] {
  const { source } = emitProgram(programOf(run), { machine, profile: false });
  return source.split(/^(?:static )?(?=(?:KERNEL|STEPS) .*\{$)/m).slice(1);
}
const length = (texts: readonly string[]) => texts.reduce((sum, text) => sum + text.length, 0);

test('a chain four times as long is not much more text: its parts are alike', () => {
  const tanh = (y: Floats) => tf.tanh(tf.mul(1.1, y));
  const [short, long] = [functionsOf(chain(100, tanh)), functionsOf(chain(400, tanh))];
  expect(long.filter((text) => text.includes('void part')).length).toBeLessThan(16);
  expect(length(long)).toBeLessThan(2.5 * length(short));
});

test('so are the steps of an unrolled network', () => {
  const [short, long] = [functionsOf(recurrent(20, 16, 32)), functionsOf(recurrent(80, 16, 32))];
  const kernels = (texts: readonly string[]) => texts.filter((text) => text.startsWith('KERNEL'));
  expect(length(kernels(long))).toBeLessThan(1.5 * length(kernels(short)));
});

test('no function is long, also where no two are alike', () => {
  const functions = functionsOf(chain(100, (y) => tf.nn.softmax(tf.mul(1.1, tf.sigmoid(y))), [16, 48]));
  expect(Math.max(...functions.map((text) => text.length))).toBeLessThan(2 ** 17);
});

test('parts of what is done for each block are called with the addresses of the block', () => {
  const cut = functionsOf(recurrent(12, 256, 40)).filter((text) => /void k\d+\(/.test(text) && text.includes('part'));
  expect(cut.some((text) => /at0 = share\(.*part\d+\(call, own, start, 0, 1, .*at0 \*/s.test(text))).toBe(true);
});

test('a long program is compiled in two units of about one size, each function in one of them', () => {
  const run = chain(100, (y) => tf.nn.softmax(tf.mul(1.1, tf.sigmoid(y))), [16, 48]);
  const { source, units } = emitProgram(programOf(run), { machine, profile: false });
  expect(units).toBe(2);
  const [declared, first, second] = source.split(/^#if !defined\(UNIT\) .*$/m);
  const names = (text: string) => [...text.matchAll(/^(?:static )?KERNEL void (\w+)\(.*\{$/gm)].map(([, name]) => name);
  const [here, there] = [names(first), names(second)];
  expect(new Set([...here, ...there]).size).toBe(here.length + there.length);
  expect([...declared.matchAll(/^KERNEL void (\w+)\(.*\);$/gm)].map(([, name]) => name)).toEqual([...here, ...there]);
  expect(Math.abs(first.length - second.length)).toBeLessThan(source.length / 4);
  expect(emitProgram(programOf(chain(3, (y) => tf.nn.softmax(y), [16, 48])), { machine, profile: false }).units).toBe(
    1,
  );
});

test('short kernels are written as ever: with the places of their arrays', () => {
  const functions = functionsOf(chain(3, (y) => tf.nn.softmax(y), [16, 48]));
  expect(functions.some((text) => text.includes('part'))).toBe(false);
});

const long: [string, () => Run][] = [
  ['a chain of tanh', () => chain(100, (y) => tf.tanh(tf.mul(1.1, y)))],
  ['an unrolled network', () => recurrent(20, 16, 32)],
  ['an unrolled network of many rows', () => recurrent(12, 256, 40)],
];

describeUnless(nativeMissing, 'on native', () => {
  async function run(build: () => Run, options: tf.SessionOptions): Promise<Float32Array[]> {
    const { graph, fetches, feeds } = build();
    const session = new tf.Session({ graph, seed: 5, ...options });
    const results = (await session.run(fetches as tf.Tensor[], feeds as [tf.Tensor, Float32Array][])) as tf.NDArray[];
    await session.close();
    return results.map((a) => Float32Array.from(a.data as Float32Array));
  }

  test.each(long)('%s is long, and cut', (_, build) => {
    expect(functionsOf(build()).some((text) => text.includes('void part'))).toBe(true);
  });

  test.each(long)('%s: the bits of wasm, on any number of threads', async (_, build) => {
    const expected = await run(build, { backend: 'wasm', portable: true });
    for (const threads of [1, 3]) {
      expect(await run(build, { backend: 'native', portable: true, threads })).toEqual(expected);
    }
  });

  test.each(long.slice(0, 2))('%s: the values of the reference', async (_, build) => {
    const [value, gradient] = await run(build, { backend: 'native' });
    const expected = await run(build, { backend: 'reference' });
    const largest = Math.max(...expected[1].map(Math.abs));
    for (const [i, x] of expected[0].entries()) expect(Math.abs(value[i] - x)).toBeLessThan(1e-4);
    for (const [i, x] of expected[1].entries()) expect(Math.abs(gradient[i] - x)).toBeLessThan(1e-3 * largest + 1e-6);
  });
});
