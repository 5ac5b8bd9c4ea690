// Select: for each task the cheapest of what the kernels offer.

import { InternalError } from '../../base/errors.ts';
import { sumOfProducts, tiled } from '../../kernels/cpu/contract/contract.ts';
import { elementwise } from '../../kernels/cpu/elementwise.ts';
import { checking, gathering, scattering } from '../../kernels/cpu/move.ts';
import { argReduction } from '../../kernels/cpu/reduce/arg-reduce.ts';
import { reduction } from '../../kernels/cpu/reduce/reduce.ts';
import { winograd } from '../../kernels/cpu/winograd/winograd.ts';
import { skippingZeros } from '../../kernels/cpu/zeros/skip-zeros.ts';
import type { Offer, OfferFor } from '../../kernels/offer.ts';
import type { Machine } from '../../loops/machine.ts';
import type { Task } from '../../primitives/task.ts';

/** The kinds of kernels that there are for a kind of machine. */
const kindsFor: Readonly<Record<Machine['kind'], readonly OfferFor[]>> = {
  cpu: [
    elementwise,
    reduction,
    argReduction,
    tiled,
    skippingZeros,
    winograd,
    sumOfProducts,
    gathering,
    scattering,
    checking,
  ],
};

/** What the kernels offer for a task, the cheapest first. */
export function offersFor(task: Task, machine: Machine): readonly Offer[] {
  const offers = kindsFor[machine.kind].flatMap((kind) => kind(task, machine) ?? []);
  if (offers.length === 0) throw new InternalError(`no kernel for a task with root ${task.root?.kind}`);
  return offers.sort((a, b) => a.cost - b.cost);
}
