// The same bits for any number of threads, in every run: both tutorial models, and random programs.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { fusedMultiplyAdd } from '../../src/backends/wasm/features.ts';
import * as tf from '../../src/index.ts';
import { buildProgram, recipes } from '../compiler/random-programs.ts';
import { deepModel, hashOfVariables, type Model, softmaxModel } from '../models.ts';

/** The hash of all variables after some steps, and whether the steps ran on the pool. */
async function train(model: Model, options: tf.SessionOptions, batch: number, steps: number) {
  const session = new tf.Session({ graph: model.graph, seed: 5, ...options });
  await session.run(model.init);
  const text = await session.explain(model.step, model.batch(batch));
  const batches = Array.from({ length: 10 }, (_, i) => model.batch(batch, i));
  for (let i = 0; i < steps; i++) await session.run(model.step, batches[i % 10]);
  const hash = await hashOfVariables(session);
  await session.close();
  return { hash, pool: text.includes('runs on the threads of the pool') };
}

interface Case {
  readonly name: string;
  readonly build: () => Model;
  readonly batch: number;
  readonly steps: number;
  readonly threads: readonly number[];
  readonly pool: boolean;
}
/** Each step begins where the last one ended: one bit that differs is in all that follow. */
const steps = Number(process.env.MILLRACE_TEST_STEPS ?? 40);
const cases: readonly Case[] = [
  { name: 'softmax, batch 50', build: softmaxModel, batch: 50, steps, threads: [1, 2, 3, 4, 7], pool: false },
  { name: 'softmax, batch 300', build: softmaxModel, batch: 300, steps, threads: [1, 2, 3, 4, 7], pool: true },
  {
    name: 'the second model, narrower, batch 10',
    build: () => deepModel([8, 12, 64]),
    batch: 10,
    steps,
    threads: [1, 2, 3, 4, 7],
    pool: true,
  },
  { name: 'the second model, batch 10', build: deepModel, batch: 10, steps: 4, threads: [1, 3], pool: true },
];

describe.each(cases)('$name', ({ build, batch, steps, threads, pool }) => {
  const hashes = new Map<boolean, string>();
  test.each([false, true])(
    `portable %s: the same variables after ${steps} steps on ${threads} threads, and again`,
    async (portable) => {
      const model = build();
      const results: { hash: string; pool: boolean }[] = [];
      for (const count of [...threads, 2]) results.push(await train(model, { threads: count, portable }, batch, steps));
      expect(results).toEqual(results.map(() => ({ hash: results[0].hash, pool })));
      const fresh = new tf.Session({ graph: model.graph, seed: 5 });
      await fresh.run(model.init);
      expect(await hashOfVariables(fresh)).not.toBe(results[0].hash);
      await fresh.close();
      hashes.set(portable, results[0].hash);
    },
  );

  test('a fused multiply-add is used where the engine has it, unless the session is portable', () => {
    expect(hashes.size).toBe(2);
    expect(hashes.get(true) !== hashes.get(false)).toBe(fusedMultiplyAdd());
  });
});

test('random programs that train: the same bits of all fetches and variables on 1, 2, 4 and 7 threads', async () => {
  await fc.assert(
    fc.asyncProperty(recipes, fc.boolean(), async (recipe, portable) => {
      const { graph, init, fetches, step, feeds } = buildProgram(recipe);
      // Something long in the run, so that it goes to the pool.
      const heavy = graph.asDefault(() => tf.reduceSum(tf.matmul(tf.ones([192, 192]), tf.ones([192, 192]))));
      const seen: tf.NDArray[][] = [];
      for (const threads of [1, 2, 4, 7]) {
        const session = new tf.Session({ graph, threads, portable });
        await session.run(init);
        await session.run([step, heavy], feeds);
        const [values] = await session.run([[...fetches], heavy, step] as const, feeds);
        const variables = (await session.run([...graph.variables])) as unknown[];
        await session.close();
        seen.push([...(values as unknown[]), ...variables].map((v) => v as tf.NDArray));
      }
      for (const other of seen.slice(1)) expect(other).toEqual(seen[0]);
    }),
    { numRuns: 8 },
  );
});
