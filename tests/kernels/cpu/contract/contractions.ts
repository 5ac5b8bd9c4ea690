// Small contractions of every kind, as tasks and as runs in primitives.
import fc from 'fast-check';
import { atOnce } from '../../../../src/base/turns.ts';
import { fuse } from '../../../../src/compiler/tasks/fuse.ts';
import type { View } from '../../../../src/primitives/primitives.ts';
import * as p from '../../../../src/primitives/primitives.ts';
import type { Task } from '../../../../src/primitives/task.ts';
import type { DType } from '../../../../src/tensor/dtype.ts';
import { lowered } from '../../../primitives/lowered.ts';
import { Inputs, valuesOf } from '../../run.ts';

/** An axis of the result: which of the operands varies along it. */
type Along = 'row' | 'column' | 'both';
export interface Contraction {
  readonly dtype: DType;
  readonly result: readonly { readonly along: Along; readonly size: number }[];
  readonly sums: readonly number[];
  /** The order in which the axes of each operand lie in memory, as numbers to sort by. */
  readonly orders: readonly [readonly number[], readonly number[]];
}

const order = fc.oneof(
  fc.constant([0, 1, 2, 3, 4, 5]),
  fc.shuffledSubarray([0, 1, 2, 3, 4, 5], { minLength: 6, maxLength: 6 }),
);
const few = fc.integer({ min: 1, max: 4 });
const some = fc.oneof(fc.integer({ min: 1, max: 12 }), fc.constantFrom(16, 17, 21, 24));
const axes = (rows: fc.Arbitrary<number>, columns: fc.Arbitrary<number>) =>
  fc
    .tuple(
      fc.option(few, { nil: undefined, freq: 2 }),
      fc.option(few, { nil: undefined, freq: 2 }),
      rows,
      columns,
      fc.shuffledSubarray([0, 1, 2, 3], { minLength: 4, maxLength: 4 }),
      fc.boolean(),
    )
    .map(([batch, more, row, column, shuffled, asItComes]) => {
      const all: { along: Along; size: number }[] = [
        ...(batch ? [{ along: 'both' as const, size: batch }] : []),
        ...(more ? [{ along: 'row' as const, size: more }] : []),
        { along: 'row', size: row },
        { along: 'column', size: column },
      ];
      return asItComes ? all : shuffled.flatMap((i) => all[i] ?? []);
    });
const sums = fc.oneof(
  fc.tuple(fc.oneof(some, fc.constantFrom(40, 60))),
  fc.tuple(few, some),
  fc.tuple(few, few, few),
  fc.constant([]),
);

/** So many products take too long for a test. */
const most = 6000;
export const contractions: fc.Arbitrary<Contraction> = fc
  .record({
    dtype: fc.oneof(
      { weight: 5, arbitrary: fc.constant<DType>('float32') },
      { weight: 1, arbitrary: fc.constantFrom<DType>('float64', 'int32') },
    ),
    result: axes(some, some),
    sums,
    orders: fc.tuple(order, order),
  })
  .filter(({ result, sums: all }) => [...result.map((x) => x.size), ...all].reduce((a, b) => a * b, 1) <= most);

/** The operands, fed, and the contraction of them. */
export function viewsOf({ dtype, result, sums: all, orders }: Contraction): { inputs: Inputs; result: View } {
  const inputs = new Inputs();
  const shape = [...result.map((x) => x.size), ...all];
  const operand = (which: 0 | 1) =>
    inputs.view(dtype, shape, valuesOf(dtype, which), {
      order: shape.map((_, i) => i).sort((a, b) => orders[which][a] - orders[which][b]),
      kinds: shape.map((_, i) => (result[i]?.along === (which === 0 ? 'column' : 'row') ? 'repeated' : 'plain')),
      lead: which,
    });
  return { inputs, result: p.contract(operand(0), operand(1), result.length) };
}

/** The task of a contraction, or of what is computed from it. */
export function taskOf(fetch: View): Task {
  const { tasks } = atOnce(fuse(lowered({ fetches: [fetch] })));
  const task = tasks.find((t) => t.root?.kind === 'contract');
  if (!task || tasks.length !== 1) throw new Error(`a contraction became ${tasks.length} tasks`);
  return task;
}
