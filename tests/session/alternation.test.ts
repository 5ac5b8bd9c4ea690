// Training and evaluation in turns: the same bits as training alone, and nothing compiled again.
import { afterEach, describe, expect, test, vi } from 'vitest';
import * as tf from '../../src/index.ts';
import { deepModel, hashOfVariables, softmaxModel } from '../models.ts';

afterEach(() => {
  vi.restoreAllMocks();
});

/** Counts the modules that are compiled, in any way that the engine has. */
function countModules(): () => number {
  const { compile, Module } = WebAssembly;
  let count = 0;
  vi.spyOn(WebAssembly, 'compile').mockImplementation((bytes) => {
    count++;
    return compile(bytes);
  });
  vi.spyOn(WebAssembly, 'Module').mockImplementation(function (this: unknown, bytes: Uint8Array<ArrayBuffer>) {
    count++;
    return new Module(bytes);
  } as any);
  return () => count;
}

describe.each([
  ['softmax', softmaxModel, 50],
  ['the second model', () => deepModel([8, 12, 64]), 10],
] as const)('%s', (_, build, batch) => {
  const steps = 20;
  const run = async (between: (session: tf.Session, i: number) => Promise<unknown>): Promise<string> => {
    const session = new tf.Session({ graph: model.graph, seed: 3, threads: 2 });
    await session.run(model.init);
    for (let i = 0; i < steps; i++) {
      await session.run(model.step, model.batch(batch, i));
      await between(session, i);
    }
    const hash = await hashOfVariables(session);
    await session.close();
    return hash;
  };
  const model = build();

  test('an evaluation after each step changes no bit of the variables', async () => {
    const alone = await run(async () => {});
    const accuracies: number[] = [];
    const alternating = await run(async (session) => {
      accuracies.push((await session.run(model.accuracy, model.evaluation(30))) as number);
    });
    expect(alternating).toBe(alone);
    expect(accuracies.length).toBe(steps);
    // Other steps do change them: the hash can tell.
    expect(
      await run((session, i) => (i === 7 ? session.run(model.step, model.batch(batch, i)) : Promise.resolve())),
    ).not.toBe(alone);
  });

  test('each is compiled once', async () => {
    const modules = countModules();
    const seen: number[] = [];
    await run(async (session) => {
      await session.run(model.accuracy, model.evaluation(30));
      seen.push(modules());
    });
    // The initial values, the step and the evaluation.
    expect(seen).toEqual(seen.map(() => 3));
  });
});

test('two sessions and other shapes compile their own programs, and each of them once', async () => {
  const modules = countModules();
  const model = softmaxModel();
  const sessions = [new tf.Session({ graph: model.graph }), new tf.Session({ graph: model.graph })];
  for (const session of sessions) await session.run(model.init);
  expect(modules()).toBe(2);
  for (let i = 0; i < 5; i++) {
    for (const session of sessions) for (const size of [3, 9]) await session.run(model.loss, model.batch(size, i));
  }
  expect(modules()).toBe(6);
  await Promise.all(sessions.map((s) => s.close()));
});
