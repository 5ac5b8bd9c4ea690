// Both tutorial models in C: the same bits on any number of threads, and those of wasm where neither fuses; what explain
// and trace say of it; the event loop during long runs.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import * as tf from '../../../src/index.ts';
import { nativeMissing } from '../../backends.ts';
import { deepModel, hashOfVariables, type Model, softmaxModel } from '../../models.ts';
import { describeUnless } from '../../skipped.ts';
import './user-flags.ts';

async function train(model: Model, batch: number, options: tf.SessionOptions): Promise<string> {
  const session = new tf.Session({ graph: model.graph, seed: 5, ...options });
  await session.run(model.init);
  for (let i = 0; i < 3; i++) await session.run(model.step, model.batch(batch, i));
  const hash = await hashOfVariables(session);
  await session.close();
  return hash;
}

const models: [string, () => Model, number][] = [
  ['softmax', softmaxModel, 300],
  ['the second model, narrower', () => deepModel([8, 12, 64]), 10],
  ['the second model', () => deepModel(), 20],
];

describeUnless(nativeMissing, 'on native', () => {
  test.each(models)('%s: the same bits on 1, 2, 3 and 5 threads', async (_, build, batch) => {
    const hashes: string[] = [];
    for (const threads of [1, 2, 3, 5]) hashes.push(await train(build(), batch, { backend: 'native', threads }));
    expect(new Set(hashes).size).toBe(1);
  });

  test.each(models)('%s: portable, the same bits as on wasm', async (_, build, batch) => {
    const native = await train(build(), batch, { backend: 'native', portable: true });
    expect(await train(build(), batch, { backend: 'wasm', portable: true })).toBe(native);
  });

  test('a traced session computes the same bits and knows the time of each kernel', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'millrace-native-trace-'));
    const file = join(folder, 'trace.json');
    const model = deepModel([8, 12, 64]);
    const session = new tf.Session({ graph: model.graph, seed: 5, backend: 'native', threads: 2, trace: file });
    await session.run(model.init);
    for (let i = 0; i < 3; i++) await session.run(model.step, model.batch(10, i));
    const text = await session.explain(model.step, model.batch(10));
    expect(text).toMatch(/^native: /);
    expect(text).toMatch(/µs|ms/);
    const hash = await hashOfVariables(session);
    await session.close();
    expect(hash).toBe(await train(deepModel([8, 12, 64]), 10, { backend: 'native', threads: 2 }));
    const { traceEvents } = JSON.parse(readFileSync(file, 'utf8')) as { traceEvents: { ph: string; dur?: number }[] };
    const spans = traceEvents.filter((event) => event.ph === 'X');
    expect(spans.length).toBeGreaterThan(50);
    for (const { dur = 0 } of spans) expect(dur).toBeGreaterThanOrEqual(0);
    rmSync(folder, { recursive: true });
  });

  test('timers tick while long runs compute and compile', async () => {
    const model = deepModel();
    const session = new tf.Session({ graph: model.graph, backend: 'native' });
    let ticks = 0;
    const timer = setInterval(() => ticks++, 2);
    await session.run(model.init);
    for (let i = 0; i < 3; i++) await session.run(model.step, model.batch(50, i));
    clearInterval(timer);
    await session.close();
    expect(ticks).toBeGreaterThan(10);
  });
});
