// Whatever is given to whatever is public: what comes out is a result or an error of millrace's own, soon, and without
// much memory; and nothing that was given is dropped. The walk is in calls.ts.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import * as mnist from '../../src/data/mnist.ts';
import * as tf from '../../src/index.ts';
import {
  attempt,
  type Callable,
  callables,
  goodArguments,
  makeWorld,
  type Opened,
  prepare,
  randomFrom,
  show,
  someArguments,
} from './calls.ts';

/** How many calls with random arguments; `npm run soak -- calls` asks for 100,000. */
const many = Number(process.env.MILLRACE_CALLS ?? 4000);
const seed = Number(process.env.MILLRACE_SEED ?? 1);

const folder = mkdtempSync(join(tmpdir(), 'millrace-calls-'));
const before = process.cwd();
let opened: Opened;

beforeAll(async () => {
  prepare(folder);
  process.chdir(folder);
  vi.stubGlobal('fetch', () => Promise.reject(new Error('there is no network in this test')));
  vi.spyOn(console, 'warn').mockImplementation(() => {});
  vi.spyOn(console, 'error').mockImplementation(() => {});
  const dataSets = await mnist.readDataSets(join(folder, 'data'), { validationSize: 5, seed: 1 });
  const graph = new tf.Graph();
  const init = graph.asDefault(() => tf.variable(1).initializer);
  await using session = new tf.Session({ graph });
  await session.run(init);
  const reader = await tf.train.loadCheckpoint(await new tf.train.Saver().save(session, join(folder, 'model')));
  opened = { dataSets, reader };
});
afterAll(() => {
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
  process.chdir(before);
  rmSync(folder, { recursive: true, force: true });
});

const all = callables();
/** These take any number of arguments, which are looked at one by one or later. */
const takesAny = ['feeds', 'group', 'print'];

test('the walk finds functions, constructors and methods, and each has a signature', () => {
  const paths = all.map((c) => c.path);
  for (const path of ['add', 'nn.conv2d', 'new Session', 'new train.AdamOptimizer', 'Tensor.reduceSum', 'Session.run'])
    expect(paths).toContain(path);
  expect(paths).toEqual(expect.arrayContaining(['readDataSets', 'DataSet.nextBatch', 'Graph.asDefault']));
  expect(paths.length).toBeGreaterThan(130);
  // Feeds are looked at by `run`; these classes are not made with new.
  const none = [
    'feeds',
    'new Operation',
    'new Placeholder',
    'new Tensor',
    'new Variable',
    'new DataSet',
    'new train.CheckpointReader',
  ];
  const optimizer = 'new train.Optimizer';
  expect(paths.filter((path, i) => !all[i].form && path !== optimizer).sort()).toEqual(none.sort());
});

test('one argument too many, and an option that does not exist, are refused by all, with the right form', async () => {
  const dropped: string[] = [];
  for (const callable of all) {
    if (!callable.form || takesAny.includes(callable.path)) continue;
    const world = makeWorld(folder, opened);
    const good = goodArguments(callable, world);
    for (const given of [
      [...good, ...new Array(12).fill('surplus')],
      [...good, { unknownOption: 1 }],
    ]) {
      const { error, problem } = await attempt(callable, world, given);
      if (problem || !(error instanceof tf.MillraceError))
        dropped.push(`${show(callable, given)}: ${problem ?? 'no error'}`);
      // An object in the place of feeds is refused as feeds, where there is a session.
      else if (
        !(error instanceof tf.FeedError || error instanceof tf.FailedPreconditionError) &&
        !/Write .*\(/.test(error.message)
      )
        dropped.push(`${show(callable, given)}: ${error.message}`);
    }
  }
  expect(dropped).toEqual([]);
});

/** Makes the calls, a new world for every hundred. */
async function walk(calls: Iterable<readonly [Callable, (world: ReturnType<typeof makeWorld>) => unknown[]]>) {
  const problems: string[] = [];
  let count = 0;
  let world = makeWorld(folder, opened);
  for (const [callable, make] of calls) {
    if (count++ % 100 === 99) world = makeWorld(folder, opened);
    const given = make(world);
    const { problem } = await attempt(callable, world, given);
    if (problem) problems.push(`${show(callable, given)}: ${problem}`);
  }
  return { problems: problems.slice(0, 20), count };
}

test('each value of all kinds, in each place', async () => {
  const { length } = makeWorld(folder, opened).odd;
  const { problems, count } = await walk(
    all.flatMap((callable) => {
      const places = Math.min(3, 1 + Object.keys(callable.form?.required ?? {}).length);
      return Array.from(
        { length: places * length },
        (_, n) =>
          [
            callable,
            (world: ReturnType<typeof makeWorld>) => {
              const given = goodArguments(callable, world);
              given[Math.floor(n / length)] = world.odd[n % length];
              return given;
            },
          ] as const,
      );
    }),
  );
  expect(problems).toEqual([]);
  expect(count).toBeGreaterThan(10_000);
});

test(`${many} calls with arguments of all kinds, mixed`, { timeout: 60_000 + 10 * many }, async () => {
  const random = randomFrom(seed);
  const { problems } = await walk(
    (function* () {
      for (let i = 0; i < many; i++) {
        const callable = all[Math.floor(random() * all.length)];
        yield [callable, (world) => someArguments(callable, world, random)] as const;
      }
    })(),
  );
  // MILLRACE_SEED asks for the same calls again.
  expect(problems, `seed ${seed}`).toEqual([]);
});
