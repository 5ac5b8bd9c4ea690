// Arithmetic on indices: loop variables with their coefficients.
import type { Affine, LoopVariable, ValueType } from '../../loops/ir.ts';
import * as ir from '../../loops/ir.ts';

/** Part of an index: a loop variable with its coefficient. */
export type IndexTerm = Affine['terms'][number];

/** The type of an index as a value. */
export const int32: ValueType = ir.valueType('int32', 1);

/** What loop variables add to an index, each with its own stride. */
export const termsAlong = (along: readonly LoopVariable[], strides: readonly number[]): IndexTerm[] =>
  along.map((v, i) => [v, strides[i]]);

/** The sum of indices that have no variable in common. */
export const added = (...indices: readonly Affine[]): Affine =>
  ir.at(
    indices.reduce((sum, { constant }) => sum + constant, 0),
    ...indices.flatMap(({ terms }) => terms),
  );

/** A multiple of an index. */
export const times = ({ constant, terms }: Affine, factor: number): Affine =>
  ir.at(constant * factor, ...terms.map(([v, n]): IndexTerm => [v, n * factor]));
