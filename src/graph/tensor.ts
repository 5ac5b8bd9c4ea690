// Tensors: the values that flow between operations. Symbolic; a session computes them.

import { GraphError } from '../base/errors.ts';
import type { DType } from '../tensor/dtype.ts';
import { wholeNumber } from '../tensor/kinds.ts';
import { type Dim, type Shape, showShape } from '../tensor/shape.ts';
import type { Checkable, Shaped } from '../tensor/shape-types.ts';
import { signature } from '../tensor/signature.ts';
import type { Graph } from './graph.ts';
import { Operation } from './operation.ts';

const getShapeForm = signature('tensor.getShape', {}, {});
const dimForm = signature('tensor.dim', { axis: wholeNumber }, {});

/** Methods of tensors, added by src/api/methods.ts. Generic in `this`, so that comparing tensor types stays cheap. */
export interface TensorMethods {}

export interface Tensor<out T extends DType = DType, S extends Shape = Shape>
  extends Checkable,
    Shaped<S>,
    TensorMethods {}

/**
 * A value that the graph computes: an output of an operation. `Tensor<'float32', [null, 784]>` is a matrix of 784
 * columns whose number of rows is known only when the graph runs.
 */
export class Tensor<out T extends DType = DType, S extends Shape = Shape> {
  /** The operation that produces it. */
  readonly operation: Operation;
  /** Which of the operation's outputs it is. */
  readonly index: number;
  /** The type of its elements. */
  readonly dtype: T;
  /** The sizes; `null` for one not known until the graph runs, undefined where even the rank is not known. */
  readonly shape: readonly Dim[] | undefined;

  /** @internal */
  constructor(operation: Operation, index: number, dtype: T, shape: Shape | undefined) {
    if (!(operation instanceof Operation) || typeof index !== 'number') {
      throw new GraphError(
        `Tensors are made by functions, not with new: write tf.variable(…), tf.placeholder(…) or tf.constant(…) instead of new tf.${new.target.name}(…).`,
      );
    }
    this.operation = operation;
    this.index = index;
    this.dtype = dtype;
    // Feeds are measured by it, and what was inferred from it must stay true.
    this.shape = shape && Object.freeze(shape);
  }

  /** `MatMul:0`: the operation's name and the number of the output. */
  get name(): string {
    return `${this.operation.name}:${this.index}`;
  }

  /** The graph to which it belongs. */
  get graph(): Graph {
    return this.operation.graph;
  }

  /** The shape with its literal type. */
  getShape<A extends Shape>(this: Tensor<DType, A>): A;
  getShape(...given: unknown[]): unknown {
    getShapeForm.take(given);
    return this.shape;
  }

  /** The size along an axis, with its literal type; `null` where it is not known until the graph runs. */
  dim<A extends Shape, const K extends number>(this: Tensor<DType, A>, axis: K): A[K];
  dim(...given: unknown[]): Dim {
    return this.shape?.at(dimForm.take(given).axis) ?? null;
  }

  toString(): string {
    return `Tensor(${this.name}, ${this.dtype}, ${showShape(this.shape)})`;
  }

  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return this.toString();
  }

  /** `a + b` and `${a}` cannot mean anything: they throw, and name the method to use. */
  [Symbol.toPrimitive](): never {
    throw new GraphError(
      `${this.toString()} was used as a number or text. A tensor has no value until a session runs it: ` +
        'write a.add(b), a.sub(b), a.mul(b), a.div(b) for arithmetic, await t.eval() for its value, t.name for its name.',
    );
  }
}

/** A tensor whose value is fed. */
export class Placeholder<out T extends DType = DType, S extends Shape = Shape> extends Tensor<T, S> {
  /** @internal */
  readonly feedable = true;
}

/** Methods of variables, added by src/api/methods.ts. */
export interface VariableMethods {}

export interface Variable<out T extends DType = DType, S extends Shape = Shape> extends VariableMethods {}
/** A value that stays in a session from run to run. Used as a tensor it is the value at that point of the run. */
export class Variable<out T extends DType = DType, S extends Shape = Shape> extends Tensor<T, S> {
  /** Gives the variable its initial value; `tf.globalVariablesInitializer()` groups those of all global ones. */
  declare readonly initializer: Operation;

  /** Do optimizers change it unless told otherwise? It is then in the collection `tf.GraphKeys.TRAINABLE_VARIABLES`. */
  get trainable(): boolean {
    return this.graph.isCollected('trainable_variables', this);
  }
}

/** The shape of a tensor type. */
export type ShapeOf<X> = X extends Tensor<any, infer A> ? A : never;
/** The shapes of a list of tensor types. */
export type Shapes<X extends readonly unknown[]> = { -readonly [I in keyof X]: ShapeOf<X[I]> };
