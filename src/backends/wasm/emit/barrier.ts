// Where the threads of a run wait for each other: they look again and again for a while, then they sleep.
import { FunctionBody } from './encode.ts';

/**
 * Three words in lines of the cache of their own, in memory that nothing else uses: how many barriers have been
 * passed, how many threads have arrived at the next one, and how many of them sleep.
 */
const passed = 256;
const arrived = 320;
const asleep = 384;
/** The words, for the caller to clear before a run. */
export const barrierWords = { at: passed, bytes: asleep + 4 - passed };

/** Looks before a thread goes to sleep, about 60 µs: waking takes as long. */
const looks = 60_000;

/** The body of a function with the parameter `threads` that returns when all of them have called it. */
export function barrierBody(): FunctionBody {
  const body = new FunctionBody(1);
  const threads = 0;
  const before = body.local('i32');
  const left = body.local('i32');
  body.get(threads);
  body.i32(1);
  body.op('i32.eq');
  body.open('if');
  body.op('return');
  body.op('end');
  pushPassed(body);
  body.set(before);
  arrive(body, threads, before);
  lookForAWhile(body, before, left);
  sleepWhile(body, before);
  return body;
}

/** Pushes how many barriers have been passed. */
function pushPassed(body: FunctionBody): void {
  body.i32(0);
  body.atomic('i32.atomic.load', passed);
}

/** Adds to a word, and pushes what it was. */
function add(body: FunctionBody, word: number, count: number): void {
  body.i32(0);
  body.i32(count);
  body.atomic('i32.atomic.rmw.add', word);
}

function store(body: FunctionBody, word: number, push: () => void): void {
  body.i32(0);
  push();
  body.atomic('i32.atomic.store', word);
}

/** The last thread to arrive lets the others pass, wakes those that sleep, and returns. */
function arrive(body: FunctionBody, threads: number, before: number): void {
  add(body, arrived, 1);
  body.i32(1);
  body.op('i32.add');
  body.get(threads);
  body.op('i32.eq');
  body.open('if');
  store(body, arrived, () => body.i32(0));
  store(body, passed, () => {
    body.get(before);
    body.i32(1);
    body.op('i32.add');
  });
  body.i32(0);
  body.atomic('i32.atomic.load', asleep);
  body.open('if');
  body.i32(0);
  body.get(threads);
  body.atomic('memory.atomic.notify', passed);
  body.op('drop');
  body.op('end');
  body.op('return');
  body.op('end');
}

/** Returns as soon as the barrier has been passed, or goes on after so many looks. */
function lookForAWhile(body: FunctionBody, before: number, left: number): void {
  body.i32(looks);
  body.set(left);
  body.open('loop');
  pushPassed(body);
  body.get(before);
  body.op('i32.ne');
  body.open('if');
  body.op('return');
  body.op('end');
  body.get(left);
  body.i32(1);
  body.op('i32.sub');
  body.tee(left);
  body.branchIf(0);
  body.op('end');
}

function sleepWhile(body: FunctionBody, before: number): void {
  add(body, asleep, 1);
  body.op('drop');
  body.open('loop');
  body.i32(0);
  body.get(before);
  body.i64(-1);
  body.atomic('memory.atomic.wait32', passed);
  body.op('drop');
  pushPassed(body);
  body.get(before);
  body.op('i32.eq');
  body.branchIf(0);
  body.op('end');
  add(body, asleep, -1);
  body.op('drop');
}
