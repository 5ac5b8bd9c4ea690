// Rewrite: the numerically dangerous is made safe, and equal nodes are shared. lower.ts asks for the nodes one by one, and
// rules are applied as each is made: one walk over the pruned graph is enough. The rules define values: they hold for
// every backend. Sharing only saves work: the oracle does without.

import { InternalError } from '../../base/errors.ts';
import { AddNOp, AddOp, DivOp, MulOp, NegOp } from '../../ops/arithmetic.ts';
import { defineOp, inferTypes, type OpDefinition } from '../../ops/define.ts';
import { IdentityOp } from '../../ops/logic.ts';
import { LogGradOp, LogOp } from '../../ops/math.ts';
import { LogSoftmaxOp, perRow, SoftmaxGradOp, SoftmaxOp } from '../../ops/softmax.ts';
import * as p from '../../primitives/primitives.ts';
import * as s from '../../primitives/scalar.ts';
import type { DType } from '../../tensor/dtype.ts';
import { isKnown, sameShape } from '../../tensor/shape.ts';

/** A node of the graph as the compiler sees it: inputs rewritten, all sizes known. */
export interface Node {
  readonly definition: OpDefinition;
  readonly inputs: readonly Value[];
  readonly attributes: object;
  readonly outputs: readonly { readonly dtype: DType; readonly shape: readonly number[] }[];
  /** Of the operation from which it came: for messages, and for the keys of random ops. */
  readonly name: string;
  readonly line: () => string;
}
/** One output of a node. */
export interface Value {
  readonly node: Node;
  readonly index: number;
}

/** Constants of more bytes are not compared: those of one number are what programs write twice. */
const mostCompared = 64;

/** JSON has one word for all numbers that are not finite, and one zero. */
const exact = (_: string, value: unknown): unknown =>
  typeof value === 'number' && (!Number.isFinite(value) || Object.is(value, -0))
    ? `number ${Object.is(value, -0) ? '-0' : value}`
    : value;

const typeOf = (v: Value) => v.node.outputs[v.index];

/** Makes nodes and applies the rules. */
export class Rewriter {
  readonly #known = new Map<string, Node>();
  /** Where equal nodes are not shared: of each the first that it equals. Rules must not see who shares. */
  readonly #first = new Map<Node, Node>();
  readonly #ids = new Map<object, number>();
  readonly #shares: boolean;
  readonly #sizesOf: (value: Value) => readonly number[];

  /**
   * @param shares Is a node that equals one made before that one?
   * @param sizesOf The numbers of a value that gives sizes.
   */
  constructor(shares: boolean, sizesOf: (value: Value) => readonly number[]) {
    this.#shares = shares;
    this.#sizesOf = sizesOf;
  }

  /** The outputs of such a node; if it is to be shared, those of an equal one that there is already. */
  make(wanted: Omit<Node, 'outputs'>, share: boolean): readonly Value[] {
    const { definition, inputs, attributes, name, line } = wanted;
    const rewritten = this.#apply(wanted);
    if (rewritten) return [rewritten];
    const key = share ? this.#key(wanted) : undefined;
    const known = key === undefined ? undefined : this.#known.get(key);
    if (known && this.#shares) return known.outputs.map((_, index) => ({ node: known, index }));
    const given = definition.takesSizes
      ? inputs.map((v) => ({ ...typeOf(v), value: () => this.#sizesOf(v) }))
      : inputs.map(typeOf);
    const types = inferTypes(definition, given, attributes, name, line);
    const outputs = types.map(({ dtype, shape }) => {
      if (!isKnown(shape)) throw new InternalError(`${name}: its shape is still unknown when compiling`);
      return { dtype, shape };
    });
    const node: Node = { ...wanted, outputs };
    if (known) this.#first.set(node, known);
    else if (key !== undefined) this.#known.set(key, node);
    return outputs.map((_, index) => ({ node, index }));
  }

  /** Equal keys mean equal values. Undefined for what is not compared. */
  #key({ definition, inputs, attributes }: Omit<Node, 'outputs'>): string | undefined {
    const values = Object.values(attributes);
    if (values.some((v) => ArrayBuffer.isView(v) && v.byteLength > mostCompared)) return undefined;
    const parts = inputs.map((v) => `${this.#id(this.#firstOf(v.node))}.${v.index}`);
    return `${this.#id(definition)}(${parts.join()})${values.length === 0 ? '' : JSON.stringify(attributes, exact)}`;
  }

  #firstOf(node: Node): Node {
    return this.#first.get(node) ?? node;
  }

  #equal(a: Value, b: Value): boolean {
    return this.#firstOf(a.node) === this.#firstOf(b.node) && a.index === b.index;
  }

  #id(object: object): number {
    let id = this.#ids.get(object);
    if (id === undefined) this.#ids.set(object, (id = this.#ids.size));
    return id;
  }

  #apply({ definition, inputs, name, line }: Omit<Node, 'outputs'>): Value | undefined {
    const one = (d: object, xs: readonly Value[], attributes: object = {}): Value =>
      this.make({ definition: d as OpDefinition, inputs: xs, attributes, name, line }, true)[0];
    // The other rules look through it.
    if (definition === IdentityOp) return inputs[0];
    if (definition === LogOp && inputs[0].node.definition === SoftmaxOp) {
      // log(softmax x) → logSoftmax x: finite where a probability underflows to 0.
      const { inputs: xs, attributes } = inputs[0].node;
      return one(LogSoftmaxOp, xs, attributes);
    }
    if (definition === SoftmaxGradOp && inputs[0].node.definition === SoftmaxOp) {
      // softmaxGrad(p, d/p + rest) → d − p·Σd + softmaxGrad(p, rest): nothing is divided by a probability of 0.
      const [probabilities, gradient] = inputs;
      const split = splitOver((v) => this.#equal(v, probabilities), gradient, one);
      if (!split.over) return undefined;
      const { attributes } = probabilities.node;
      const safe = one(LogSoftmaxBackOp, [probabilities, split.over], attributes);
      return split.rest ? one(AddOp, [safe, one(SoftmaxGradOp, [probabilities, split.rest], attributes)]) : safe;
    }
    return undefined;
  }
}

/** d − p·Σd over the axis of the softmax: the gradient of logSoftmax in terms of the probabilities p. */
const LogSoftmaxBackOp = defineOp<{ axis: number }>({
  name: 'LogSoftmaxBack',
  infer: ([, d]) => d,
  lower: ([probabilities, d], { attributes }) =>
    p.map([d, probabilities, perRow('sum', d, attributes)], (x, q, total) => s.sub(x, s.mul(q, total))),
});

interface Separated {
  /** d where the gradient is d/p + rest. */
  readonly over: Value | undefined;
  readonly rest: Value | undefined;
}
type Make = (definition: OpDefinition, inputs: readonly Value[]) => Value;

/** Writes a gradient as over/p + rest, looking through negation, sums, and products that keep the shape. */
function splitOver(isP: (v: Value) => boolean, g: Value, make: Make): Separated {
  const { definition, inputs } = g.node;
  const none: Separated = { over: undefined, rest: g };
  const sameSize = (v: Value) => sameShape(typeOf(v).shape, typeOf(g).shape);
  const through = (v: Value, rebuild: (part: Value) => Value): Separated => {
    const { over, rest } = splitOver(isP, v, make);
    return over && sameSize(v) ? { over: rebuild(over), rest: rest && rebuild(rest) } : none;
  };
  if (definition === LogGradOp) return isP(inputs[0]) ? { over: inputs[1], rest: undefined } : none;
  if (definition === NegOp) return through(inputs[0], (part) => make(NegOp, [part]));
  if (definition === DivOp) return through(inputs[0], (part) => make(DivOp, [part, inputs[1]]));
  if (definition === MulOp) {
    const left = through(inputs[0], (part) => make(MulOp, [part, inputs[1]]));
    return left.over ? left : through(inputs[1], (part) => make(MulOp, [inputs[0], part]));
  }
  if ((definition === AddOp || definition === AddNOp) && inputs.every(sameSize)) {
    const parts = inputs.map((v) => splitOver(isP, v, make));
    const add = (a: Value | undefined, b: Value | undefined) => (a && b ? make(AddOp, [a, b]) : (a ?? b));
    return parts.reduce((sum, part) => ({ over: add(sum.over, part.over), rest: add(sum.rest, part.rest) }));
  }
  return none;
}
