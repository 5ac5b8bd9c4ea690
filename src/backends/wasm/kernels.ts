// The kernels of a program as functions: many that differ in their buffers only are one function, which is called with
// the addresses.
import { type Buffer, type Kernel, type Statement, touchedBy } from '../../loops/ir.ts';
import { ownBuffer, sharedBody } from '../../loops/shared.ts';
import type { Steps } from '../../tensor/turns.ts';
import type { Origin } from '../addresses.ts';
import { overlapping } from '../segments.ts';
import { FunctionBody } from './encode.ts';
import { emitKernel, type KernelTarget, type Outline } from './kernel.ts';
import { emitBases, kernelParameters } from './parameters.ts';

/** Fewer kernels of one structure are functions of their own: constant addresses leave more registers to the rest. */
const fewestShared = 8;
/** Engines allow 1,000 parameters. */
const mostGiven = 900;

type Target = Pick<KernelTarget, 'originOf' | 'fusedMultiplyAdd'>;

/** Gives the bodies of the kernels' functions to `add`, in order, and others, which they call, to `outline` before. */
export function* emitKernels(
  kernels: readonly Kernel[],
  target: Target,
  outline: Outline,
  add: (body: FunctionBody) => void,
): Steps<void> {
  const alike = new Map<readonly Statement[], Kernel[]>();
  for (const kernel of kernels) {
    const known = alike.get(sharedBody(kernel));
    if (known) known.push(kernel);
    else alike.set(sharedBody(kernel), [kernel]);
  }
  const shared = new Map<readonly Statement[], SharedFunction | undefined>();
  for (const kernel of kernels) {
    const body = sharedBody(kernel);
    if (!shared.has(body)) shared.set(body, yield* sharedFunction(alike.get(body) as Kernel[], target, outline));
    const known = shared.get(body);
    add(known ? emitCall(kernel, known, target) : emitOwn(kernel, target, outline));
    yield;
  }
}

function emitOwn(kernel: Kernel, { originOf, fusedMultiplyAdd }: Target, outline: Outline): FunctionBody {
  return emitKernel(kernel.body, { originOf, fusedMultiplyAdd, overlap: overlapping(originOf), given: 0 }, outline);
}

/** A function for kernels of one structure. */
interface SharedFunction {
  readonly number: number;
  /** The buffers, as the shared statements know them, whose addresses are its last parameters. */
  readonly given: readonly Buffer[];
}

function* sharedFunction(
  kernels: readonly Kernel[],
  { originOf, fusedMultiplyAdd }: Target,
  outline: Outline,
): Steps<SharedFunction | undefined> {
  if (kernels.length < fewestShared) return undefined;
  const body = sharedBody(kernels[0]);
  const { read, written } = touchedBy(body);
  const given = new Map<Buffer, Origin>();
  for (const buffer of new Set([...read, ...written])) {
    // What lies at one place for all of them needs no parameter.
    const first = originOf(ownBuffer(kernels[0], buffer));
    const same = kernels.every((k) => sameOrigin(originOf(ownBuffer(k, buffer)), first));
    if (!same) given.set(buffer, { base: `given ${given.size}`, offset: 0 });
    yield;
  }
  if (given.size > mostGiven) return undefined;
  const shared: KernelTarget = {
    originOf: (b) => given.get(b) ?? originOf(ownBuffer(kernels[0], b)),
    fusedMultiplyAdd,
    overlap: (a, b) => kernels.some((k) => overlapping(originOf)(ownBuffer(k, a), ownBuffer(k, b))),
    given: given.size,
  };
  const parameters = kernelParameters.length + given.size;
  return { number: outline(emitKernel(body, shared, outline), parameters), given: [...given.keys()] };
}

const sameOrigin = (a: Origin, b: Origin): boolean => a.base === b.base && a.offset === b.offset;

/** A function with the parameters of a kernel that calls the shared one with this kernel's addresses. */
function emitCall(kernel: Kernel, { number, given }: SharedFunction, { originOf }: Target): FunctionBody {
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
