// Runs on the calling thread leave the event loop its turns; others wait in order, so many of them.
import { expect, test } from 'vitest';
import { FailedPreconditionError } from '../../src/base/errors.ts';
import { nextTurn, sliceMs } from '../../src/base/turns.ts';
import { RunQueue } from '../../src/session/queue.ts';

test('a run that does not fit into what is left of a slice begins with the next turn, and has it for itself', async () => {
  const queue = new RunQueue();
  const long = sliceMs + 1;
  expect(queue.free(long)).toBe(true);
  expect(queue.free(long)).toBe(false);
  await nextTurn();
  expect(queue.free(long)).toBe(true);
});

test('waiting runs as long as a slice have a turn between them', async () => {
  const queue = new RunQueue();
  await nextTurn();
  const order: string[] = [];
  const turns = (async () => {
    for (let i = 0; i < 3; i++) {
      await nextTurn();
      order.push('turn');
    }
  })();
  const runs = ['a', 'b', 'c'].map((name) => queue.add(() => order.push(name), 0, sliceMs + 1));
  await Promise.all([...runs, turns]);
  expect(order.join(' ')).toBe('a turn b turn c turn');
});

/** A run that ends when it is told to. */
function held() {
  let end = () => {};
  const run = new Promise<void>((resolve) => {
    end = resolve;
  });
  return { run: () => run, end: () => end() };
}

test('a thousand runs may wait, and one more when one is done', async () => {
  const queue = new RunQueue();
  const first = held();
  const order: number[] = [];
  const all: Promise<unknown>[] = [queue.add(first.run, 0)];
  for (let i = 1; i < 1000; i++) all.push(queue.add(() => order.push(i), 0));
  const last = queue.add(() => order.push(-1), 0).catch((error) => error);
  first.end();
  const refused = await last;
  expect(refused).toBeInstanceOf(FailedPreconditionError);
  expect(refused.message).toMatch(
    /^1000 runs of the session are waiting, with 0 MB of feeds: an await is probably missing/,
  );
  await all[0];
  all.push(queue.add(() => order.push(1000), 0));
  await Promise.all(all);
  expect(order).toEqual(Array.from({ length: 1000 }, (_, i) => i + 1));
});

test('what waits may hold 2³⁰ bytes, not one more, until something is done; a run that waits alone may hold any', async () => {
  const queue = new RunQueue();
  const [small, large] = [held(), held()];
  const all = [queue.add(small.run, 1), queue.add(large.run, 2 ** 30 - 1)];
  const refused = [queue.add(() => {}, 1).catch((error) => error)];
  all.push(queue.add(() => {}, 0));
  small.end();
  await all[0];
  all.push(queue.add(() => {}, 1));
  refused.push(queue.add(() => {}, 1).catch((error) => error));
  large.end();
  for (const error of await Promise.all(refused))
    expect(error?.message).toMatch(/runs of the session are waiting, with 1024 MB of feeds/);
  await Promise.all(all);
  await queue.add(() => {}, 2 ** 31);
  await queue.add(() => {}, 2 ** 31);
});

test('a run that fails gives its place and bytes back, and those after it run', async () => {
  const queue = new RunQueue();
  for (let i = 0; i < 3; i++) {
    const failing = queue.add(() => Promise.reject(new Error(`no ${i}`)), 2 ** 30);
    await expect(failing).rejects.toThrow(`no ${i}`);
  }
  const failing = queue.add(() => {
    throw new Error('at once');
  }, 2 ** 30);
  const after = queue.add(() => 'after', 0);
  await expect(failing).rejects.toThrow('at once');
  expect(await after).toBe('after');
  await nextTurn();
  expect(queue.free(0)).toBe(true);
});

test('while anything waits the thread is not free, however short the run is', async () => {
  const queue = new RunQueue();
  const run = held();
  const waiting = queue.add(run.run, 0);
  await nextTurn();
  expect(queue.free(0)).toBe(false);
  let drained = false;
  const drain = queue.drain().then(() => {
    drained = true;
  });
  await nextTurn();
  expect(drained).toBe(false);
  run.end();
  await Promise.all([waiting, drain]);
  await nextTurn();
  expect(queue.free(0)).toBe(true);
});
