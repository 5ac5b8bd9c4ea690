// The kernels of a program as functions: many that differ in their buffers only are one function, which is called with
// the addresses.

import type { Sliced } from '../../../base/turns.ts';
import type { Kernel } from '../../../loops/ir.ts';
import { ownBuffer } from '../../../loops/patterns.ts';
import { groupsOf, type KernelGroup, type Sharing } from '../../emit/kernel-groups.ts';
import { FunctionBody } from './encode.ts';
import { emitBases, kernelParameters } from './function-parameters.ts';
import { emitKernel, type KernelTarget, type Outline } from './kernel.ts';

/** Few kernels are functions of their own: constant addresses leave more registers to the rest. Engines allow 1,000 parameters. */
const sharing: Sharing = { fewest: 8, mostGiven: 900 };

type Target = Pick<KernelTarget, 'originOf' | 'fusedMultiplyAdd'>;

/** Gives the bodies of the kernels' functions in order to `add`; others that they call, before them, to `outline`. */
export function* emitKernels(
  kernels: readonly Kernel[],
  target: Target,
  outline: Outline,
  add: (body: FunctionBody) => void,
): Sliced<void> {
  const { originOf, fusedMultiplyAdd } = target;
  const groups = yield* groupsOf(kernels, originOf, sharing);
  const functions = new Map<KernelGroup, number>();
  for (const kernel of kernels) {
    const group = groups.get(kernel);
    if (!group) {
      add(yield* emitKernel(kernel, { originOf, fusedMultiplyAdd, given: 0 }, outline));
    } else {
      if (!functions.has(group)) functions.set(group, yield* outlineGroup(group, fusedMultiplyAdd, outline));
      add(emitCall(kernel, group, functions.get(group) as number, target));
    }
    yield;
  }
}

function* outlineGroup({ pattern, given, originOf }: KernelGroup, fused: boolean, outline: Outline): Sliced<number> {
  const target: KernelTarget = { originOf, fusedMultiplyAdd: fused, given: given.length };
  return outline(yield* emitKernel(pattern, target, outline), kernelParameters.length + given.length);
}

/** A function with the parameters of a kernel that calls the shared one with this kernel's addresses. */
function emitCall(kernel: Kernel, { given }: KernelGroup, number: number, { originOf }: Target): FunctionBody {
  const body = new FunctionBody(kernelParameters.length);
  const origins = given.map((b) => originOf(ownBuffer(kernel, b)));
  const bases = emitBases(
    body,
    origins.map((o) => o.base),
    kernelParameters.length,
  );
  for (const parameter of kernelParameters.keys()) body.get(parameter);
  for (const { base, offset } of origins) {
    const from = bases.get(base);
    if (from === undefined) body.i32(offset);
    else {
      body.get(from);
      body.i32(offset);
      body.op('i32.add');
    }
  }
  body.call(number);
  return body;
}
