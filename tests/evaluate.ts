// Evaluates tensors at once on the reference backend, for tests of ops: no session, no promise.

import { InternalError } from '../src/base/errors.ts';
import { compile } from '../src/compiler/compile.ts';
import type { Tensor } from '../src/graph/tensor.ts';
import { evaluate as evaluatePrimitives } from '../src/primitives/evaluate/evaluate.ts';
import { array } from '../src/tensor/array.ts';
import { HostArray, hostArray, type NDArray } from '../src/tensor/ndarray.ts';

type FeedPair = readonly [Tensor, unknown];

/** The values of the tensors; variables may be read only where the same evaluation assigns them before. */
export function evaluate(tensor: Tensor, feeds?: readonly FeedPair[]): NDArray;
export function evaluate(tensors: readonly Tensor[], feeds?: readonly FeedPair[]): NDArray[];
export function evaluate(tensors: Tensor | readonly Tensor[], feeds: readonly FeedPair[] = []): NDArray | NDArray[] {
  const fetches = Array.isArray(tensors) ? (tensors as readonly Tensor[]) : [tensors as Tensor];
  const given = feeds.map(([tensor, value]) => ({ tensor, array: hostValue(tensor, value) }));
  const feedShapes = given.map((f) => ({ tensor: f.tensor, shape: f.array.shape }));
  const request = { graph: fetches[0].graph, fetches, targets: [], feeds: feedShapes, seed: 0 };
  const { run: lowered } = compile(request);
  const result = evaluatePrimitives(lowered, {
    feeds: given.map((f) => f.array.data),
    variable: (key) => {
      throw new InternalError(`variable ${key} has no value here`);
    },
    counter: () => 0,
  });
  const arrays = fetches.map((t, i) => hostArray(t.dtype, lowered.fetches[i].shape, result.fetches[i]));
  return Array.isArray(tensors) ? arrays : arrays[0];
}

function hostValue(tensor: Tensor, value: unknown): NDArray {
  if (HostArray.is(value)) return value as unknown as NDArray;
  return array(value as number[], undefined, tensor.dtype) as unknown as NDArray;
}
