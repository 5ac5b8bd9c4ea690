// What a reduction does with two values, and how the partial results of several registers become one number.

import type { BinaryOp, Body, Expression, Local, Statement, ValueType } from '../../../loops/ir.ts';
import * as ir from '../../../loops/ir.ts';
import { identityOf, type Reduce } from '../../../primitives/primitives.ts';

const combineOps: Record<Reduce['op'], BinaryOp> = {
  sum: 'add',
  prod: 'mul',
  max: 'max',
  min: 'min',
  any: 'or',
  all: 'and',
};

export const combine = (op: Reduce['op'], a: Expression, b: Expression): Expression => ir.binary(combineOps[op], a, b);

/** The value to begin with. */
export const beginning = ({ op, dtype }: Reduce, type: ValueType): Expression =>
  ir.constant(identityOf(op, dtype), type);

/** A register with partial results in its first lanes. */
export interface Accumulator {
  readonly local: Local;
  readonly count: number;
}

/**
 * Partial results as one number. Full vectors are added first, lane by lane. Then the upper half of a register's lanes
 * is added to the lower half, until one lane is left. Then these are added. Two full vectors a and b on four lanes, and
 * three lanes of c:
 *
 *     a = a + b,  (a₀ + a₂) + (a₁ + a₃),  (c₀ + c₂) + c₁,  and the sum of both
 */
export function allInOne(root: Reduce, accumulators: readonly Accumulator[]): { statements: Body; value: Expression } {
  const { op, dtype } = root;
  const isFull = ({ local, count }: Accumulator) => local.type.lanes === count && count > 1;
  const [first, ...others] = accumulators.filter(isFull);
  const together: Body = others.map(({ local }) => ({
    kind: 'set',
    local: first.local,
    value: combine(op, ir.local(first.local), ir.local(local)),
  }));
  const left = [...(first ? [first] : []), ...accumulators.filter((s) => !isFull(s))];
  const statements = [...together, ...left.flatMap((accumulator) => inFirstLane(root, accumulator))];
  const totals = left.map(({ local }) => (local.type.lanes === 1 ? ir.local(local) : ir.lane(ir.local(local), 0)));
  const nothing = beginning(root, ir.valueType(dtype, 1));
  return { statements, value: totals.length === 0 ? nothing : totals.reduce((a, b) => combine(op, a, b)) };
}

/** The upper half of the lanes is added to the lower one until all is in the first. */
function inFirstLane(root: Reduce, { local, count }: Accumulator): Statement[] {
  const { lanes } = local.type;
  const nothing = beginning(root, local.type);
  const statements: Statement[] = [];
  for (let left = count; left > 1; ) {
    const half = 2 ** (Math.ceil(Math.log2(left)) - 1);
    // Only the lower half matters from here on; a lane without a partner meets the value to begin with.
    const from = (l: number) => (l >= half ? l : l + half < left ? l + half : lanes);
    const order = Array.from({ length: lanes }, (_, l) => from(l));
    const upper = ir.shuffle(ir.local(local), nothing, order);
    statements.push({ kind: 'set', local, value: combine(root.op, ir.local(local), upper) });
    left = half;
  }
  return statements;
}
