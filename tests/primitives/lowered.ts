// Runs in primitives written by hand, without a graph.
import type { Check, Lowered, Primitive, VariableState, View } from '../../src/primitives/primitives.ts';
import * as p from '../../src/primitives/primitives.ts';
import { allocate, type DType } from '../../src/tensor/dtype.ts';

/** A constant of that dtype; the shape is one axis unless it is given. */
export function values(dtype: DType, data: readonly number[], shape: readonly number[] = [data.length]): View {
  const array = allocate(dtype, data.length);
  array.set(data);
  return p.constant(array, dtype, shape);
}

export interface Wanted {
  readonly fetches?: readonly View[];
  readonly updates?: readonly { readonly variable: VariableState; readonly value: View }[];
  readonly checks?: readonly Check[];
}

/** The run that computes what is wanted, its nodes in order of use. */
export function lowered({ fetches = [], updates = [], checks = [] }: Wanted): Lowered {
  const found = new Set<Primitive>([...checks, ...fetches.map((v) => v.node), ...updates.map((u) => u.value.node)]);
  for (const node of found) for (const v of p.operands(node)) found.add(v.node);
  const nodes = [...found].sort((a, b) => a.id - b.id);
  const feeds = nodes.flatMap((n) => (n.kind === 'feed' ? [n] : [])).sort((a, b) => a.feed - b.feed);
  return { nodes, feeds, fetches, updates, checks };
}
