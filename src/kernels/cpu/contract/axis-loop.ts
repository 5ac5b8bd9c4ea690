// Loops along the axes of a contraction's result, and along its summed axes.
import type { Affine, Body, LoopKind } from '../../../loops/ir.ts';
import * as ir from '../../../loops/ir.ts';
import type { Span } from '../../body/long-sums.ts';
import { type AxisPlace, nested, type Stretch, variable } from '../../body/nest.ts';

/** A loop along an axis, from its position `begin` on. */
export interface AxisLoop<Axis> extends AxisPlace {
  readonly axis: Axis;
}

/** Along all of an axis, or a stretch of it. */
export function axisLoop<A extends { readonly size: number }>(axis: A, name: string, stretch?: Stretch): AxisLoop<A> {
  const { begin, extent, step } = stretch ?? { begin: 0, extent: axis.size, step: 1 };
  return { axis, v: variable(name, extent, step), begin };
}

export const around = (loops: readonly AxisLoop<unknown>[], body: Body, kind: LoopKind = 'serial'): Body =>
  nested(
    loops.map(({ v }) => v),
    body,
    kind,
  );

/** How far loops move an index that has such a stride along each axis. */
export const indexAlong = <A>(loops: readonly AxisLoop<A>[], stride: (axis: A) => number): Affine =>
  ir.at(
    loops.reduce((sum, { axis, begin }) => sum + begin * stride(axis), 0),
    ...loops.flatMap(({ axis, v, outside = [] }) =>
      [[v, 1] as const, ...outside].map(([by, n]) => [by, n * stride(axis)] as const),
    ),
  );

/** Along a part of an axis. */
export const alongSpan = <A>(axis: A, name: string, { size, ...place }: Span): AxisLoop<A> => ({
  axis,
  v: variable(name, size),
  ...place,
});
