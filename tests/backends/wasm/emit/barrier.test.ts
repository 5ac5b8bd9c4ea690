// The barrier of a module, on real threads: nobody goes on before all have come, again and again.
import { expect, test } from 'vitest';
import { barrierBody, barrierWords } from '../../../../src/backends/wasm/emit/barrier.ts';
import { encodeModule, FunctionBody } from '../../../../src/backends/wasm/emit/encode.ts';
import { pool } from '../../../../src/backends/wasm/run/pool.ts';
import { atOnce } from '../../../../src/base/turns.ts';

/** Words that nothing else uses: how often threads came, and how often one went on too early. */
const [came, early] = [1024, 1088];
const limits = { shared: true, minimum: 1, maximum: 1 };

/**
 * run(arena, own, thread, threads): `rounds` times each thread counts itself, waits, and looks whether all have been
 * counted; then all wait before the next round. The first thread takes `pause` steps before it comes.
 */
function moduleOf(rounds: number, pause: number): WebAssembly.Module {
  const body = new FunctionBody(4);
  const [thread, threads] = [2, 3];
  const [round, left] = [body.local('i32'), body.local('i32')];
  const add = (word: number) => {
    body.i32(0);
    body.i32(1);
    body.atomic('i32.atomic.rmw.add', word);
    body.op('drop');
  };
  const wait = () => {
    body.get(threads);
    body.call(0);
  };
  const count = (local: number, by: number) => {
    body.get(local);
    body.i32(by);
    body.op('i32.add');
    body.tee(local);
  };
  body.open('loop');
  body.get(thread);
  body.op('i32.eqz');
  body.open('if');
  body.i32(pause);
  body.set(left);
  body.open('loop');
  count(left, -1);
  body.branchIf(0);
  body.op('end');
  body.op('end');
  add(came);
  wait();
  body.i32(0);
  body.atomic('i32.atomic.load', came);
  count(round, 1);
  body.get(threads);
  body.op('i32.mul');
  body.op('i32.ne');
  body.open('if');
  add(early);
  body.op('end');
  wait();
  body.get(round);
  body.i32(rounds);
  body.op('i32.lt_s');
  body.branchIf(0);
  body.op('end');
  body.i32(0);
  const bytes = atOnce(
    encodeModule(limits, [
      { parameters: 1, results: 0, body: barrierBody(), exported: undefined },
      { parameters: 4, results: 1, body, exported: 'run' },
    ]),
  );
  return new WebAssembly.Module(bytes);
}

test.each([
  // Threads look for the others, or, where one takes long, sleep until they are woken.
  [1, 50, 1],
  [2, 500, 1],
  [3, 500, 1],
  [3, 5, 20_000_000],
])('%i threads, %i rounds, the first %i steps late', async (threads, rounds, pause) => {
  const memory = new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true });
  const job = { module: moduleOf(rounds, pause), memory, codeBytes: 1000, measure: undefined };
  const word = (at: number) => new Int32Array(memory.buffer)[at / 4];
  for (let run = 1; run <= 3; run++) {
    new Uint8Array(memory.buffer, barrierWords.at, barrierWords.bytes).fill(0);
    new Int32Array(memory.buffer)[came / 4] = 0;
    expect((await pool.run(job, { arena: 0, own: new Array(threads).fill(0) })).code).toBe(0);
    expect([word(came), word(early)]).toEqual([threads * rounds, 0]);
  }
  pool.forget(job);
});
