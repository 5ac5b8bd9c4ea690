// The order of a run: every kernel as often as it must, with the threads waiting for each other where they have to.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type Action, actionsOf, kernelsCalled, stepsOf } from '../../../src/backends/emit/steps.ts';
import * as ir from '../../../src/loops/ir.ts';
import type { Program, Repeat } from '../../../src/loops/program.ts';
import { buffer, loop, store, type, variable } from '../../loops/build.ts';

interface Made {
  readonly divided: readonly boolean[];
  readonly checks: number;
  readonly repeats: readonly Repeat[];
  readonly status: boolean;
}

function programOf({ divided, checks, repeats, status }: Made): Program {
  const a = buffer('a', 'float32', 4);
  return {
    kernels: divided.map((parallel) => {
      const i = variable('i', 4);
      const body = [store(a, ir.at(0, [i, 1]), ir.constant(1, type('float32')))];
      return { name: 'k', body: [loop(i, body, parallel ? 'parallel' : 'serial')], flops: 0, bytes: 0 };
    }),
    checks,
    repeats,
    status: status ? buffer('status', 'float64', 3) : undefined,
    ...{
      places: new Map(),
      arenaBytes: 0,
      threadBytes: 0,
      feeds: [],
      fetches: [],
      counters: [],
      messages: [],
      variables: [],
    },
  };
}

/** Programs whose checks are over before or after a repeat, never within. */
const made: fc.Arbitrary<Made> = fc
  .array(
    fc.record({
      divided: fc.array(fc.boolean(), { minLength: 1, maxLength: 3 }),
      repeated: fc.option(
        fc.record({ items: fc.integer({ min: 1, max: 20 }), block: fc.integer({ min: 1, max: 20 }) }),
      ),
    }),
    { minLength: 1, maxLength: 5 },
  )
  .chain((parts) => {
    const firsts: number[] = [];
    const repeats: Repeat[] = [];
    const divided: boolean[] = [];
    for (const { divided: own, repeated } of parts) {
      const first = divided.length;
      firsts.push(first);
      divided.push(...own);
      if (repeated) {
        const { items, block } = repeated;
        repeats.push({ first, end: divided.length, items, block: Math.min(items, block) });
      }
    }
    return fc.record({
      divided: fc.constant(divided),
      checks: fc.constantFrom(...firsts, divided.length),
      repeats: fc.constant(repeats),
      status: fc.boolean(),
    });
  });

const actionsFor = (m: Made, shared: boolean): Action[] => actionsOf(stepsOf(programOf(m), shared));

test('each kernel runs once, or once for each block of its repeat, together with those beside it', () => {
  fc.assert(
    fc.property(made, (m) => {
      const expected: [number, number][] = [];
      for (let k = 0; k < m.divided.length; ) {
        const repeat = m.repeats.find((r) => r.first === k);
        const [end, items, block] = repeat ? [repeat.end, repeat.items, repeat.block] : [k + 1, 1, 1];
        // Every item is in a block, and no block goes beyond the last.
        for (let start = 0; ; start = Math.min(start + block, items - block)) {
          for (let i = k; i < end; i++) expected.push([i, start]);
          if (start + block >= items) break;
        }
        k = end;
      }
      const actions = actionsFor(m, true);
      expect(actions.filter((a) => typeof a !== 'string')).toEqual(expected);
      expect(kernelsCalled(actions)).toEqual(expected.map(([k]) => k));
    }),
    { numRuns: 300 },
  );
});

test('threads wait between two kernels unless the first thread does both', () => {
  fc.assert(
    fc.property(made, (m) => {
      let before: number | undefined;
      let waited = false;
      for (const action of actionsFor(m, true)) {
        if (action === 'barrier') waited = true;
        else if (action !== 'failed') {
          const [k] = action;
          if (before !== undefined && (m.divided[before] || m.divided[k]))
            expect([before, k, waited]).toEqual([before, k, true]);
          before = k;
          waited = false;
        }
      }
    }),
    { numRuns: 300 },
  );
});

test('where memory is not shared nobody waits', () => {
  fc.assert(
    fc.property(made, (m) => {
      expect(actionsFor(m, false)).toEqual(actionsFor(m, true).filter((a) => a !== 'barrier'));
    }),
    { numRuns: 100 },
  );
});

test('a run ends early after all its checks, which all threads have waited for, and before anything else', () => {
  fc.assert(
    fc.property(made, (m) => {
      const actions = actionsFor(m, true);
      const at = actions.indexOf('failed');
      // Without checks there is nothing to look at.
      if (!m.status || m.checks === 0) {
        expect(at).toBe(-1);
        return;
      }
      expect(actions.lastIndexOf('failed')).toBe(at);
      expect(actions[at - 1]).toBe('barrier');
      expect(kernelsCalled(actions.slice(0, at)).every((k) => k < m.checks)).toBe(true);
      expect(kernelsCalled(actions.slice(at)).every((k) => k >= m.checks)).toBe(true);
    }),
    { numRuns: 300 },
  );
});
