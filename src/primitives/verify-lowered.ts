// Refuses runs in primitives that are not well formed, before other passes and backends take them at their word.

import { InternalError } from '../base/errors.ts';
import { isFloat } from '../tensor/dtype.ts';
import { elements, sameShape } from '../tensor/shape.ts';
import { type Lowered, operands, type Primitive, type View } from './primitives.ts';
import { printPrimitive, printView } from './print.ts';
import { scalarFault } from './scalar-types.ts';

/**
 * Throws InternalError unless every primitive comes before its use, every view stays inside its node's elements, and
 * shapes and element types fit each other. The message quotes the primitive and says what is wrong with it.
 */
export function verifyLowered({ nodes, feeds, fetches, updates, checks }: Lowered): void {
  const known = new Set<Primitive>();
  for (const node of nodes) {
    const twice = known.has(node) ? 'it is listed twice' : undefined;
    const fault = twice ?? first(operands(node), (v) => viewFault(v, known)) ?? primitiveFault(node);
    if (fault) refuse(`Primitive "${printPrimitive(node)}"`, fault);
    if (node.kind === 'feed' && feeds[node.feed] !== node)
      refuse(`Feed ${node.feed}`, 'it is not in the list of feeds');
    if (node.kind === 'check' && !checks.includes(node)) refuse(`Check ${node.id}`, 'it is not in the list of checks');
    known.add(node);
  }
  feeds.forEach(({ feed }, i) => {
    if (feed !== i) refuse(`Feed ${feed}`, `it stands at position ${i} of the feeds`);
  });
  for (const c of checks) if (!known.has(c)) refuse(`Check ${c.id}`, 'it is not among the primitives');
  for (const v of fetches) {
    const fault = viewFault(v, known);
    if (fault) refuse(`Fetch "${printView(v)}"`, fault);
  }
  const written = new Set<number>();
  for (const { variable, value } of updates) {
    const { dtype, shape } = variable;
    const twice = written.has(variable.key) ? 'the variable is updated twice' : undefined;
    const fault = twice ?? viewFault(value, known) ?? sameType(value, { dtype, shape }, 'the variable');
    if (fault) refuse(`The update of ${variable.name} to "${printView(value)}"`, fault);
    written.add(variable.key);
  }
}

function refuse(what: string, fault: string): never {
  throw new InternalError(`${what}: ${fault}.`);
}

type Fault = string | undefined;
type Typed = Pick<Primitive, 'dtype' | 'shape'>;

/** The first fault that one of the items has. */
function first<T>(items: readonly T[], faultOf: (item: T, i: number) => Fault): Fault {
  for (const [i, item] of items.entries()) {
    const fault = faultOf(item, i);
    if (fault) return fault;
  }
  return undefined;
}

const isSize = (n: number): boolean => Number.isSafeInteger(n) && n >= 0;

function viewFault(v: View, known: ReadonlySet<Primitive>): Fault {
  const { node, shape, strides, offset } = v;
  if (!known.has(node)) return `${printView(v)} is used before it is computed`;
  if (node.kind === 'check') return `${printView(v)} reads a check, which has no result`;
  if (shape.length !== strides.length) return `${printView(v)} has ${shape.length} sizes and ${strides.length} strides`;
  if (!shape.every(isSize)) return `${printView(v)} has a size that is not a whole number from 0`;
  if (![...strides, offset].every(Number.isSafeInteger)) return `${printView(v)} has a stride that is not whole`;
  if (elements(shape) === 0) return undefined;
  const reach = shape.map((d, i) => (d - 1) * strides[i]);
  const low = reach.reduce((sum, n) => sum + Math.min(0, n), offset);
  const high = reach.reduce((sum, n) => sum + Math.max(0, n), offset);
  const count = elements(node.shape);
  return low >= 0 && high < count ? undefined : `${printView(v)} reaches elements ${low} to ${high} of ${count}`;
}

const shapeFault = (found: readonly number[], wanted: readonly number[], what: string): Fault =>
  sameShape(found, wanted) ? undefined : `${what} has the shape [${found}], not [${wanted}]`;

const typeFault = (found: string, wanted: string, what: string): Fault =>
  found === wanted ? undefined : `${what} is ${found}, not ${wanted}`;

const sameType = (v: View, { dtype, shape }: Typed, what: string): Fault =>
  typeFault(v.node.dtype, dtype, what) ?? shapeFault(v.shape, shape, what);

/** The sizes before the reduced axes must be those of the result. */
const reducesTo = (x: View, shape: readonly number[]): Fault =>
  shapeFault(x.shape.slice(0, shape.length), shape, 'what is left of its operand');

/** What is wrong with a primitive whose views are sound. */
function primitiveFault(node: Primitive): Fault {
  const { dtype, shape } = node;
  if (!shape.every(isSize)) return `its shape [${shape}] has a size that is not a whole number from 0`;
  switch (node.kind) {
    case 'feed':
      return undefined;
    case 'constant': {
      const { length } = node.data;
      return length === 1 || length === elements(shape) ? undefined : `it has ${length} of ${elements(shape)} elements`;
    }
    case 'read':
      return (
        typeFault(node.variable.dtype, dtype, 'the variable') ?? shapeFault(node.variable.shape, shape, 'the variable')
      );
    case 'counter':
      return typeFault(dtype, 'int32', 'a counter') ?? shapeFault(shape, [], 'a counter');
    case 'map':
    case 'check':
      return (
        first(node.inputs, (v, i) => shapeFault(v.shape, shape, `input ${i}`)) ??
        scalarFault(node.body, { inputs: node.inputs.map((v) => v.node.dtype), rank: shape.length }) ??
        typeFault(node.body.dtype, dtype, 'the body')
      );
    case 'reduce': {
      const logical = node.op === 'any' || node.op === 'all';
      if (logical !== (dtype === 'bool')) return `${node.op} does not work on ${dtype}`;
      return typeFault(node.x.node.dtype, dtype, 'its operand') ?? reducesTo(node.x, shape);
    }
    case 'argReduce':
      return typeFault(dtype, 'int32', 'its result') ?? reducesTo(node.x, shape);
    case 'contract':
      if (dtype === 'bool') return 'there are no products of bool';
      return (
        typeFault(node.a.node.dtype, dtype, 'its first operand') ??
        sameType(node.b, { dtype, shape: node.a.shape }, 'its second operand') ??
        reducesTo(node.a, shape)
      );
    case 'pad':
      return typeFault(node.x.node.dtype, dtype, 'its operand') ?? padFault(node);
    case 'concat':
      return concatFault(node);
    case 'gather':
    case 'scatter':
      return indexFault(node);
  }
}

function padFault({ x, low, step, shape, value, dtype }: Primitive & { kind: 'pad' }): Fault {
  const rank = x.shape.length;
  if (![low, step, shape].every((a) => a.length === rank)) return `low, step and its shape need ${rank} entries each`;
  if (!low.every(isSize)) return `low ${low} is not made of whole numbers from 0`;
  if (!step.every((n) => isSize(n) && n > 0)) return `step ${step} is not made of whole numbers from 1`;
  if (!isFloat(dtype) && !Number.isInteger(value)) return `the value ${value} is not ${dtype}`;
  return first(shape, (size, axis) => {
    const need = low[axis] + (x.shape[axis] === 0 ? 0 : (x.shape[axis] - 1) * step[axis] + 1);
    return size >= need ? undefined : `axis ${axis} has the size ${size}, and its operand needs ${need}`;
  });
}

function concatFault({ inputs, axis, dtype, shape }: Primitive & { kind: 'concat' }): Fault {
  if (!(isSize(axis) && axis < shape.length)) return `there is no axis ${axis}`;
  const total = inputs.reduce((sum, v) => sum + (v.shape[axis] ?? 0), 0);
  if (total !== shape[axis]) return `its inputs have ${total} of ${shape[axis]} along axis ${axis}`;
  return first(inputs, (v, i) => {
    const wanted = shape.map((d, k) => (k === axis ? v.shape[k] : d));
    return sameType(v, { dtype, shape: wanted }, `input ${i}`);
  });
}

/** Gather's operand is scatter's result and the other way round. */
function indexFault(node: Primitive & { kind: 'gather' | 'scatter' }): Fault {
  const { x, indices, axis, dtype, shape } = node;
  const [indexed, spread] = node.kind === 'gather' ? [x.shape, shape] : [shape, x.shape];
  if (!(isSize(axis) && axis < indexed.length)) return `there is no axis ${axis}`;
  const wanted = [...indexed.slice(0, axis), ...indices.shape, ...indexed.slice(axis + 1)];
  return (
    typeFault(x.node.dtype, dtype, 'its operand') ??
    typeFault(indices.node.dtype, 'int32', 'the operand of indices') ??
    shapeFault(spread, wanted, node.kind === 'gather' ? 'its result' : 'its operand')
  );
}
