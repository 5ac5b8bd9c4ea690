// The pool of threads, by programs written for it: runs of which the calling thread is the first, beside long ones.
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { callStruct } from '../../../../src/backends/native/emit/prelude.ts';
import { Call } from '../../../../src/backends/native/run/call.ts';
import { HostMemory } from '../../../../src/backends/native/run/host-memory.ts';
import { load as loadProgram } from '../../../../src/backends/native/toolchain/compile.ts';
import * as tf from '../../../../src/index.ts';
import { nativeMissing } from '../../../backends.ts';
import { deepModel, hashOfVariables, type Model, softmaxModel } from '../../../models.ts';
import { describeUnless, skipped } from '../../../skipped.ts';
import { compilers, toolsFor } from '../run.ts';

/** A program of one function, and the numbers that it finds in its arena. */
async function load(body: string, most: number) {
  const { compiler, runtime } = await toolsFor(compilers[0], 'native');
  const source = `#define _GNU_SOURCE
#include <sched.h>
${callStruct}
__attribute__((visibility("default"))) i32 millrace_run(const struct call *call, i64 thread) {
  i64 *numbers = (i64 *)call->arena;
  ${body}
}
`;
  const { run } = await loadProgram(compiler, { source }, runtime.open);
  const storage = new HostMemory(runtime, 2 ** 30);
  const arena = storage.allocate(8 * 64);
  const call = new Call(storage, []);
  call.set({ run, most, arena: arena.address });
  return { runtime, call, numbers: new BigInt64Array(arena.buffer, arena.offset, 64) };
}

describeUnless(nativeMissing, 'on native', () => {
  test('a run that must not wait computes on its thread while another has the pool, then on all again', async () => {
    // Holds the pool until it is told to end; gives up after a long time.
    const long = await load(
      `if (thread > 0) return 0;
  f64 begin = call->now();
  __atomic_store_n(&numbers[0], 1, __ATOMIC_SEQ_CST);
  while (!__atomic_load_n(&numbers[1], __ATOMIC_SEQ_CST)) if (call->now() - begin > 20000) return 1;
  return 0;`,
      2,
    );
    const short = await load('numbers[thread]++; return 0;', 3);
    const code = long.runtime.executeAsync(long.call.address);
    while (Atomics.load(long.numbers, 0) === 0n) await sleep(1);
    expect(short.runtime.execute(short.call.address)).toBe(0);
    expect(short.call.threads).toBe(1);
    Atomics.store(long.numbers, 1, 1n);
    expect(await code).toBe(0);
    expect(long.call.threads).toBe(2);
    expect(short.runtime.execute(short.call.address)).toBe(0);
    expect(short.call.threads).toBe(3);
    expect([...short.numbers.subarray(0, 4)]).toEqual([2n, 1n, 1n, 0n]);
  });

  const afterSleep = 'all threads take part after they have slept, and may then be on any processor';
  if (process.platform !== 'linux') skipped(afterSleep, 'threads are placed on Linux only');
  else
    test(afterSleep, async () => {
      const most = 3;
      const { runtime, call, numbers } = await load(
        `cpu_set_t set;
  sched_getaffinity(0, sizeof set, &set);
  numbers[2 * thread] = CPU_COUNT(&set);
  numbers[2 * thread + 1]++;
  return 0;`,
        most,
      );
      let runs = 0n;
      for (let pause = 0; pause < 5; pause++) {
        for (let i = 0; i < 20; i++) {
          expect(runtime.execute(call.address)).toBe(0);
          runs++;
          const all = Array.from({ length: most }, () => [numbers[0], runs]).flat();
          expect([...numbers.subarray(0, 2 * most)]).toEqual(all);
        }
        await sleep(50);
      }
    });

  test('sessions that train in turns, one inline on two threads: the same bits as alone on one', async () => {
    const start = async (model: Model, threads: number) => {
      const session = new tf.Session({ graph: model.graph, seed: 5, backend: 'native', threads });
      await session.run(model.init);
      return session;
    };
    const models: [Model, number][] = [
      [deepModel([8, 12, 64]), 4],
      [softmaxModel(), 2000],
      [deepModel(), 20],
    ];
    const alone: string[] = [];
    for (const [model, batch] of models) {
      const session = await start(model, 1);
      for (let i = 0; i < 4; i++) await session.run(model.step, model.batch(batch, i));
      alone.push(await hashOfVariables(session));
      await session.close();
    }
    const sessions = await Promise.all(models.map(([model]) => start(model, 2)));
    for (let i = 0; i < 4; i++) {
      // Half of the time they are asked for together: the long run has the pool while others are inline.
      const runs = models.map(
        ([model, batch], k) =>
          () =>
            sessions[k].run(model.step, model.batch(batch, i)),
      );
      if (i % 2) await Promise.all(runs.reverse().map((run) => run()));
      else for (const run of runs) await run();
    }
    const where = await Promise.all(
      models.map(([model, batch], k) => sessions[k].explain(model.step, model.batch(batch))),
    );
    expect(where.map((text) => text.includes('runs on the calling thread'))).toEqual([true, true, false]);
    expect(await Promise.all(sessions.map(hashOfVariables))).toEqual(alone);
    await Promise.all(sessions.map((s) => s.close()));
  });
});
