// Select: for each task the cheapest of what the kernels offer.

import { InternalError } from '../../base/errors.ts';
import type { Sliced } from '../../base/turns.ts';
import { checking } from '../../kernels/cpu/check.ts';
import { sumOfProducts, tiled } from '../../kernels/cpu/contract/contract.ts';
import { elementwise } from '../../kernels/cpu/elementwise.ts';
import { gathering, scattering } from '../../kernels/cpu/move.ts';
import { argReduction } from '../../kernels/cpu/reduce/arg-reduce.ts';
import { reduction } from '../../kernels/cpu/reduce/reduce.ts';
import { winograd } from '../../kernels/cpu/winograd/winograd.ts';
import { skippingZeros } from '../../kernels/cpu/zeros/skip-zeros.ts';
import type { Offer, OfferFor } from '../../kernels/offer.ts';
import type { Machine } from '../../loops/machine.ts';
import type { Task } from '../../primitives/task.ts';

/** The kinds of kernels that there are for a kind of machine. */
interface Kinds {
  /** They compute the products and sums of the task, and nothing else. */
  readonly exact: readonly OfferFor[];
  /** They may mix values that have nothing to do with each other, or leave some out: what `fastMath` allows. */
  readonly fast: readonly OfferFor[];
}
const kindsFor: Readonly<Record<Machine['kind'], Kinds>> = {
  cpu: {
    exact: [elementwise, reduction, argReduction, tiled, sumOfProducts, gathering, scattering, checking],
    fast: [skippingZeros, winograd],
  },
};

/** What the kernels offer for a task, the cheapest first. */
export function* offersFor(task: Task, machine: Machine): Sliced<readonly Offer[]> {
  const { exact, fast } = kindsFor[machine.kind];
  const kinds = machine.fastMath ? [...exact, ...fast] : exact;
  const offers: Offer[] = [];
  for (const kind of kinds) {
    const offer = kind(task, machine);
    if (offer) offers.push(offer);
    yield;
  }
  if (offers.length === 0) throw new InternalError(`no kernel for a task with root ${task.root?.kind}`);
  return offers.sort((a, b) => a.cost - b.cost);
}
