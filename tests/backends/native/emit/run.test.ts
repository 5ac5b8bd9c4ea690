// The C of a run, read as JavaScript, does what `actionsOf` says.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type Action, actionsOf, type Step } from '../../../../src/backends/emit/steps.ts';
import { writeRun } from '../../../../src/backends/native/emit/run.ts';
import { atOnce } from '../../../../src/base/turns.ts';

/** What the text does when it is called: its actions in order, how often it took the time, and what it returns. */
function perform(text: string, threads: number, failed: boolean): { actions: Action[]; times: number; code: number } {
  const actions: Action[] = [];
  const code = text
    .replace(/^.*i32 (\w+)\(.*\) \{$/gm, 'function $1() {')
    .replace(/^(?:i64|f64 \*|char \*const) ?(?:start|times|own) =.*$/gm, '')
    .replace(/^\*times\+\+ = call->now\(\);$/gm, 'taken++;')
    .replace(/^times \+= (\d+);$/gm, 'moved += $1;')
    .replaceAll('call->wait()', "actions.push('barrier')")
    .replace(/^if \(AT\(.*\) != 0\)/gm, "actions.push('failed'); if (failed)")
    .replaceAll('call->', '')
    .replace(/steps(\d+)\(own, thread, threads, times\)/g, 'steps$1()')
    .replace(/steps(\d+)\(call, .*?\)\)/g, 'steps$1())');
  const run = new Function(
    ...['actions', 'threads', 'failed'],
    `let start = 0, taken = 0, moved = 0;\nconst kernel = (k) => actions.push([k, start]);\n${code}\nconst code = millrace_run();\nreturn { code, times: taken, moved };`,
  ) as (...given: unknown[]) => { code: number; times: number; moved: number };
  const result = run(actions, threads, failed);
  if (result.code === 0) expect(result.moved).toBe(result.times);
  return { actions, times: result.times, code: result.code };
}

const once: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: fc.nat({ max: 9 }) },
  { weight: 2, arbitrary: fc.constant('barrier' as const) },
);
const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.oneof(
    { weight: 20, arbitrary: once },
    { weight: 1, arbitrary: fc.constant('failed' as const) },
    {
      weight: 3,
      arbitrary: fc
        .tuple(
          fc.integer({ min: 1, max: 9 }),
          fc.integer({ min: 1, max: 9 }),
          fc.array(once, { minLength: 1, maxLength: 3 }),
        )
        .map(([items, block, inside]) => ({ items, block: Math.min(items, block), steps: inside })),
    },
  ),
  // More than one function holds.
  { maxLength: 450, size: 'max' },
);
const calls = Array.from({ length: 10 }, (_, k) => `kernel(${k});`);

test.each([true, false])('with the time taken: %s', (profile) => {
  fc.assert(
    fc.property(steps, fc.boolean(), (all, failed) => {
      const text = atOnce(writeRun(all, { status: 64, profile, calls })).join('\n');
      const expected = actionsOf(all);
      const at = expected.indexOf('failed');
      const ended = failed && at >= 0;
      if (ended) expected.splice(at + 1);
      const kernels = expected.filter((a) => typeof a !== 'string').length;
      const { actions, times, code } = perform(text, 2, failed);
      expect(actions).toEqual(expected);
      expect(times).toBe(profile ? 2 * kernels : 0);
      expect(code).toBe(ended ? 1 : 0);
      expect(perform(text, 1, failed).actions).toEqual(expected.filter((a) => a !== 'barrier'));
    }),
    { numRuns: 40 },
  );
});
