// Runs on the calling thread leave the event loop its turns.
import { expect, test } from 'vitest';
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
