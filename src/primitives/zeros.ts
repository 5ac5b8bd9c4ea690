// How much of an array is likely to be zero, from how it is computed: relu and dropout leave zeros.
import type { Primitive, View } from './primitives.ts';
import type { Scalar } from './scalar.ts';

/** What a choice between zero and something else is expected to be: one or the other, as often. */
const even = 0.5;
/** So many primitives before an array are looked at. */
const mostSteps = 8;

/** The share of elements that are not zero, as expected: 1 where nothing is known. */
export function nonZeroShare(node: Primitive, steps: number = mostSteps): number {
  if (node.kind === 'constant') return node.data.some((x) => x !== 0) ? 1 : 0;
  if (node.kind !== 'map' || steps === 0) return 1;
  return shareOf(node.body, node.inputs, steps);
}

function shareOf(x: Scalar, inputs: readonly View[], steps: number): number {
  const share = (i: number): number => shareOf(x.args[i], inputs, steps);
  switch (x.op) {
    case 'constant':
      return x.value === 0 ? 0 : 1;
    case 'input':
      return nonZeroShare(inputs[x.value].node, steps - 1);
    case 'select':
      return (share(1) + share(2)) / 2;
    case 'max':
    case 'min':
      return share(0) === 0 || share(1) === 0 ? even : 1;
    case 'mul':
      return share(0) * share(1);
    case 'div':
    case 'neg':
    case 'abs':
    case 'sign':
    case 'sqrt':
    case 'tanh':
    case 'sin':
    case 'expm1':
    case 'log1p':
    case 'erf':
      return share(0);
    case 'add':
    case 'sub':
      return Math.min(1, share(0) + share(1));
    case 'cast':
      return x.args[0].dtype === 'bool' ? even : share(0);
    default:
      return 1;
  }
}
