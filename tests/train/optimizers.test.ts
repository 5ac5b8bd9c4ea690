// Every optimizer against fixtures made by NumPy in float64 (tests/fixtures/make-optimizers.py): the variable after some of
// 50 steps and all slots after the last, of several shapes, with zeros among the gradients, on every backend.
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import * as tf from '../../src/index.ts';
import { backends } from '../backends.ts';

type Any = tf.Tensor<any, any>;
interface Case {
  readonly optimizer: string;
  readonly options: Readonly<Record<string, number | boolean>>;
  readonly shape: number[];
  /** Is the learning rate a tensor, that is divided by 1 + t/8 in step t? */
  readonly falls: boolean;
  readonly start: string;
  readonly steps: Readonly<Record<string, string>>;
  readonly slots: Readonly<Record<string, string>>;
}
const cases: Case[] = JSON.parse(readFileSync(new URL('../fixtures/optimizers.json', import.meta.url), 'utf8'));
const optimizers = [...new Set(cases.map((c) => c.optimizer))];
const kept = Object.keys(cases[0].steps).map(Number);

const unpacked = (data: string) => {
  const bytes = Uint8Array.from(Buffer.from(data, 'base64'));
  return new Float64Array(bytes.buffer);
};
/** As `gradient` in make-optimizers.py: exact in every float, a third 0, the last element always. */
function gradientOf(t: number, n: number): Float64Array {
  const isZero = (i: number) => (5 * t + i) % 3 === 0 || (n > 1 && i === n - 1);
  return Float64Array.from({ length: n }, (_, i) => (isZero(i) ? 0 : (((7919 * (t * n + i + 1)) % 1009) - 504) / 256));
}
const sizeOf = (shape: readonly number[]) => shape.reduce((a, b) => a * b, 1);
const inDType = (dtype: tf.FloatDType, data: Float64Array) => (dtype === 'float32' ? Float32Array.from(data) : data);
const flat = (v: any): ArrayLike<number> => (typeof v === 'number' ? [v] : v.data);
const tolerances = { float32: 4e-6, float64: 1e-13 };

/** A case in the default graph. */
function build({ optimizer, options, shape, falls, start }: Case, dtype: tf.FloatDType) {
  const step = tf.placeholder(dtype, []) as Any;
  const gradient = tf.placeholder(dtype, shape) as Any;
  const variable = tf.variable(tf.array(inDType(dtype, unpacked(start)), shape)) as any;
  const globalStep = tf.variable(0, { trainable: false });
  const learningRate = falls
    ? (tf.div(tf.constant(options.learningRate ?? defaults[optimizer], { dtype }) as Any, step.div(8).add(1)) as Any)
    : options.learningRate;
  const given = {
    ...options,
    ...(learningRate !== undefined && { learningRate }),
    ...(optimizer === 'AdagradDA' && { globalStep }),
  };
  const made: tf.train.Optimizer = new (tf.train as any)[`${optimizer}Optimizer`](given);
  const train = made.applyGradients([[gradient, variable]], { globalStep });
  return { step, gradient, variable, train, made };
}
const defaults: Readonly<Record<string, number>> = { Adadelta: 0.001, Adam: 0.001, AdamW: 0.001, Lion: 1e-4 };

function differences(found: ArrayLike<number>, wanted: Float64Array, tolerance: number): string[] {
  const scale = wanted.reduce((most, x) => Math.max(most, Math.abs(x)), 1);
  const wrong = [...wanted].findIndex((w, i) => !(Math.abs(found[i] - w) <= tolerance * scale));
  return wrong < 0 ? [] : [`element ${wrong} is ${found[wrong]}, not ${wanted[wrong]}`];
}

test('there is a case for each optimizer that is exported', () => {
  const exported = Object.keys(tf.train).filter((name) => /.Optimizer$/.test(name));
  expect(optimizers.map((name) => `${name}Optimizer`).sort()).toEqual(exported.sort());
});

describe.each(backends)('on %s', (backend) => {
  // A C compiler takes longer to start than to compile: there, all optimizers are one run.
  test.each(backend === 'native' ? [optimizers] : optimizers.map((name) => [name]))('%j', async (...names) => {
    const graph = new tf.Graph();
    const session = new tf.Session({ graph, backend });
    const all = graph.asDefault(() =>
      cases
        .filter((c) => names.includes(c.optimizer))
        .flatMap((c) => (['float32', 'float64'] as const).map((dtype) => ({ c, dtype, ...build(c, dtype) }))),
    );
    await session.run(graph.asDefault(() => tf.initializeAllVariables()));
    const step = graph.asDefault(() => tf.group(...all.map(({ train }) => train)));
    const problems: string[] = [];
    const check = async (what: string, fetches: Any[], wanted: (c: Case) => string) => {
      for (const [i, value] of (await session.run(fetches)).entries()) {
        const { c, dtype } = all[i];
        const found = differences(flat(value), unpacked(wanted(c)), tolerances[dtype]);
        const label = `${c.optimizer} ${JSON.stringify(c.options)} ${dtype} [${c.shape}] falls ${c.falls}`;
        problems.push(...found.map((text) => `${label}: ${what}: ${text}`));
      }
    };
    for (let t = 1; t <= Math.max(...kept); t++) {
      const feeds = all.flatMap(({ step, gradient, dtype, c }) => [
        ...(c.falls ? [[step, t]] : []),
        [gradient, tf.array(inDType(dtype, gradientOf(t, sizeOf(c.shape))), c.shape)],
      ]);
      await session.run(step, feeds as any);
      if (kept.includes(t)) {
        await check(
          `step ${t}`,
          all.map(({ variable }) => variable),
          (c) => c.steps[t],
        );
      }
    }
    for (const name of new Set(all.flatMap(({ c }) => Object.keys(c.slots)))) {
      const having = all.filter(({ c }) => name in c.slots);
      const values = await session.run(having.map(({ made, variable }) => made.getSlot(variable, name) as Any));
      for (const [i, value] of values.entries()) {
        const { c, dtype } = having[i];
        const found = differences(flat(value), unpacked(c.slots[name]), tolerances[dtype]);
        problems.push(
          ...found.map((text) => `${c.optimizer} ${JSON.stringify(c.options)} ${dtype}: slot ${name}: ${text}`),
        );
      }
    }
    expect(problems).toEqual([]);
    expect(all.length).toBeGreaterThan(3);
    await session.close();
  });
});
