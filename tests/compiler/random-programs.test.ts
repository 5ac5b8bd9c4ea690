// Random programs that train: fused and compiled in every way, against primitives evaluated one by one in float64.
import { readdirSync, readFileSync } from 'node:fs';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { machineFor } from '../../src/backends/wasm/machine.ts';
import * as tf from '../../src/index.ts';
import { verifyProgram } from '../../src/loops/check/verify.ts';
import { compile } from './compile.ts';
import { buildProgram, everyStep, recipes, steps } from './random-programs.ts';

type Any = tf.Tensor<any, any>;
const modes = [
  { portable: true, threads: 1 },
  { portable: true, threads: 3 },
  { portable: false, threads: 1 },
  { portable: false, threads: 3 },
];
/** A product that makes a run so long that it goes to the pool of threads. */
const ballast = () => {
  const v = tf.fill([192, 192], 0.01) as Any;
  const x = tf.randomUniform([192, 192], { seed: 1 }) as Any;
  return tf.reduceSum(tf.matmul(x, v) as Any) as Any;
};

const seenOps = new Set<string>();
const seenKernels = new Set<string>();
const seenSteps = new Set<string>();
const kindOf = (offer: string) =>
  offer
    .replace(/ \d+×\d+/, '')
    .replace(/ ×.*|, across/, '')
    .replace(/^winograd.*/, 'winograd');

test('two training steps of random programs: 1 and 3 threads, portable and not, within 2e-4 of the reference', async () => {
  await fc.assert(
    fc.asyncProperty(recipes, async (recipe) => {
      const { graph, init, fetches, step, feeds, shapes } = buildProgram(recipe);
      const heavy = graph.asDefault(ballast);
      for (const { type } of graph.operations) seenOps.add(type);
      for (const [name] of recipe.steps) seenSteps.add(name);
      const machine = machineFor(false);
      const { program } = compile({ fetches, targets: [step], feeds: shapes }, machine);
      verifyProgram(program, machine);
      for (const { task, offers } of program.tasks) {
        seenKernels.add(task.root?.kind ?? 'map');
        seenKernels.add(kindOf(offers[0].name));
      }
      const compute = async (options: tf.SessionOptions): Promise<tf.NDArray[]> => {
        const session = new tf.Session({ graph, print: () => {}, ...options });
        await session.run(init);
        const values: unknown[] = [];
        for (let i = 0; i < 2; i++) {
          const long = options.backend === 'reference' ? [] : [heavy];
          const [all] = await session.run([fetches, long, step], feeds);
          values.push(...(all as unknown[]));
        }
        values.push(...((await session.run([...graph.variables])) as unknown[]));
        await session.close();
        return values.map((v) => (typeof v === 'number' ? tf.array([v]) : v) as tf.NDArray);
      };
      const wanted = await compute({ backend: 'reference' });
      const first: tf.NDArray[][] = [];
      for (const [m, mode] of modes.entries()) {
        const found = await compute(mode);
        first.push(found);
        const where = `portable ${mode.portable}, ${mode.threads} threads`;
        // The number of threads changes no bit.
        if (mode.threads > 1) {
          for (const [k, { data }] of found.entries())
            expect([where, k, data]).toEqual([where, k, first[m - 1][k].data]);
          continue;
        }
        for (const [k, w] of wanted.entries()) {
          expect(found[k].shape).toEqual(w.shape);
          // What cancels leaves the rounding of what it was made of.
          const scale = Math.max(1e-2, ...Array.from(w.data, (v) => (Number.isFinite(v) ? Math.abs(v) : 0)));
          for (const [i, v] of w.data.entries()) {
            const f = found[k].data[i];
            if (!(Object.is(f, v) || f === v || Math.abs(f - v) <= 2e-4 * scale)) {
              throw new Error(`${where}: result ${k}, element ${i}: ${f}, expected ${v}`);
            }
          }
        }
      }
    }),
    {
      numRuns: everyStep.length + 14,
      examples: everyStep.map((recipe) => [recipe]),
    },
  );
});

test('… with every kind of step, task and kernel', () => {
  expect(Object.keys(steps).filter((name) => !seenSteps.has(name))).toEqual([]);
  const tasks = ['map', 'reduce', 'argReduce', 'contract', 'gather', 'scatter', 'check'];
  const kernels = ['elementwise', 'sum of products', 'tiles, packed', 'tiles', 'winograd'];
  expect([...tasks, ...kernels].filter((kind) => !seenKernels.has(kind))).toEqual([]);
});

test('… and with every op of the package', () => {
  const folder = new URL('../../src/ops/', import.meta.url);
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.ts'));
  const texts = files.map((file) => readFileSync(new URL(file, folder), 'utf8'));
  const names = /^ +name: '([A-Z]\w+)',$|define(?:Op\(\{ name: |\w+\(\s*)'(\w+)'/gm;
  const defined = texts.flatMap((text) => [...text.matchAll(names)].map(([, a, b]) => a ?? b));
  expect(defined.length).toBeGreaterThan(80);
  const seen = new Set([...seenOps].map((name) => name.toLowerCase()));
  expect(defined.filter((name) => !seen.has(name.toLowerCase()))).toEqual([]);
});
