// The everyday operations as methods, and running through the default session. Importing this file installs them.
import { Operation } from '../graph/operation.ts';
import { Tensor, Variable } from '../graph/tensor.ts';
import * as arithmetic from '../ops/arithmetic.ts';
import * as comparison from '../ops/comparison.ts';
import * as logic from '../ops/logic.ts';
import * as math from '../ops/math.ts';
import * as matrix from '../ops/matmul.ts';
import * as reductions from '../ops/reduce.ts';
import * as shapes from '../ops/shape.ts';
import type { Assigned } from '../ops/variable.ts';
import * as variables from '../ops/variable.ts';
import { defaultSession } from '../session/session.ts';
import type { FeedPairs, Fetched } from '../session/types.ts';
import type { AxisError, Reduce, Reshape, ReshapeError, Transpose } from '../tensor/axis-rules.ts';
import type { DType, Elem, FloatDType, NumericDType } from '../tensor/dtype.ts';
import type { Shape } from '../tensor/shape.ts';
import type { Broadcast, BroadcastError, MatMul, MatMulError } from '../tensor/shape-rules.ts';
import type { Given, ShapeError } from '../tensor/shape-types.ts';

declare module '../graph/tensor.ts' {
  interface TensorMethods {
    /** a + b, with broadcasting. */
    add<T extends NumericDType, A extends Shape, B extends Shape = [], N extends number = number>(
      this: Tensor<T, A>,
      b: (Tensor<NoInfer<T>, B> & ShapeError<BroadcastError<A, B, 'add'>>) | N,
    ): Tensor<T, Given<N, Broadcast<A, B>>>;
    /** a − b, with broadcasting. */
    sub<T extends NumericDType, A extends Shape, B extends Shape = [], N extends number = number>(
      this: Tensor<T, A>,
      b: (Tensor<NoInfer<T>, B> & ShapeError<BroadcastError<A, B, 'sub'>>) | N,
    ): Tensor<T, Given<N, Broadcast<A, B>>>;
    /** a · b elementwise, with broadcasting. */
    mul<T extends NumericDType, A extends Shape, B extends Shape = [], N extends number = number>(
      this: Tensor<T, A>,
      b: (Tensor<NoInfer<T>, B> & ShapeError<BroadcastError<A, B, 'mul'>>) | N,
    ): Tensor<T, Given<N, Broadcast<A, B>>>;
    /** a / b, with broadcasting; integers truncate toward zero. */
    div<T extends NumericDType, A extends Shape, B extends Shape = [], N extends number = number>(
      this: Tensor<T, A>,
      b: (Tensor<NoInfer<T>, B> & ShapeError<BroadcastError<A, B, 'div'>>) | N,
    ): Tensor<T, Given<N, Broadcast<A, B>>>;
    /** −x. */
    neg<T extends NumericDType, A extends Shape>(this: Tensor<T, A>): Tensor<T, A>;
    /** x². */
    square<T extends NumericDType, A extends Shape>(this: Tensor<T, A>): Tensor<T, A>;
    /** √x. */
    sqrt<T extends FloatDType, A extends Shape>(this: Tensor<T, A>): Tensor<T, A>;
    /** eˣ. */
    exp<T extends FloatDType, A extends Shape>(this: Tensor<T, A>): Tensor<T, A>;
    /** ln x. */
    log<T extends FloatDType, A extends Shape>(this: Tensor<T, A>): Tensor<T, A>;
    /** The matrix product. */
    matmul<T extends NumericDType, A extends Shape, B extends Shape>(
      this: Tensor<T, A>,
      b: Tensor<NoInfer<T>, B> & ShapeError<MatMulError<A, B>>,
    ): Tensor<T, MatMul<A, B>>;
    /** The same elements in another shape. */
    reshape<T extends DType, A extends Shape, const B extends readonly number[]>(
      this: Tensor<T, A> & ShapeError<ReshapeError<A, B>>,
      shape: B,
    ): Tensor<T, Reshape<A, B>>;
    /** Axes in another order. */
    transpose<T extends DType, A extends Shape, const P extends readonly number[] | undefined = undefined>(
      this: Tensor<T, A>,
      perm?: P,
    ): Tensor<T, Transpose<A, P>>;
    /** a = b, elementwise. */
    equal<T extends DType, A extends Shape, B extends Shape = [], E extends Elem<T> = Elem<T>>(
      this: Tensor<T, A>,
      b: (Tensor<NoInfer<T>, B> & ShapeError<BroadcastError<A, B, 'equal'>>) | E,
    ): Tensor<'bool', Given<E, Broadcast<A, B>>>;
    /** a < b, elementwise. */
    less<T extends DType, A extends Shape, B extends Shape = [], E extends Elem<T> = Elem<T>>(
      this: Tensor<T, A>,
      b: (Tensor<NoInfer<T>, B> & ShapeError<BroadcastError<A, B, 'less'>>) | E,
    ): Tensor<'bool', Given<E, Broadcast<A, B>>>;
    /** a > b, elementwise. */
    greater<T extends DType, A extends Shape, B extends Shape = [], E extends Elem<T> = Elem<T>>(
      this: Tensor<T, A>,
      b: (Tensor<NoInfer<T>, B> & ShapeError<BroadcastError<A, B, 'greater'>>) | E,
    ): Tensor<'bool', Given<E, Broadcast<A, B>>>;
    /** In another element type. */
    cast<T extends DType, A extends Shape>(this: Tensor<DType, A>, dtype: T): Tensor<T, A>;
    /** Σ over some axes, or all. */
    reduceSum<
      T extends NumericDType,
      A extends Shape,
      const Ax extends number | readonly number[] | undefined = undefined,
      K extends boolean = false,
    >(
      this: Tensor<T, A> & ShapeError<AxisError<A, Ax, 'reduceSum'>>,
      axis?: Ax,
      options?: { keepDims?: K },
    ): Tensor<T, Reduce<A, Ax, K>>;
    /** The mean over some axes, or all. */
    reduceMean<
      T extends NumericDType,
      A extends Shape,
      const Ax extends number | readonly number[] | undefined = undefined,
      K extends boolean = false,
    >(
      this: Tensor<T, A> & ShapeError<AxisError<A, Ax, 'reduceMean'>>,
      axis?: Ax,
      options?: { keepDims?: K },
    ): Tensor<T, Reduce<A, Ax, K>>;
    /**
     * The value, computed in the default session.
     *
     * @throws FailedPreconditionError when no InteractiveSession is open.
     */
    eval<T extends DType, A extends Shape, const P extends readonly Tensor<any, any>[] = []>(
      this: Tensor<T, A>,
      feeds?: FeedPairs<P>,
    ): Promise<Fetched<Tensor<T, A>>>;
  }
  interface VariableMethods {
    /** Sets the variable; the result is its new value. */
    assign<T extends DType, A extends Shape>(
      this: Variable<T, A>,
      value: Assigned<NoInfer<T>, NoInfer<A>>,
    ): Tensor<T, A>;
    /** Adds to the variable; the result is its new value. */
    assignAdd<T extends NumericDType, A extends Shape>(
      this: Variable<T, A>,
      value: Assigned<NoInfer<T>, NoInfer<A>>,
    ): Tensor<T, A>;
    /** Subtracts from the variable; the result is its new value. */
    assignSub<T extends NumericDType, A extends Shape>(
      this: Variable<T, A>,
      value: Assigned<NoInfer<T>, NoInfer<A>>,
    ): Tensor<T, A>;
  }
}
declare module '../graph/operation.ts' {
  interface OperationMethods {
    /**
     * Runs it in the default session.
     *
     * @throws FailedPreconditionError when no InteractiveSession is open.
     */
    run<const P extends readonly Tensor<any, any>[] = []>(feeds?: FeedPairs<P>): Promise<void>;
  }
}

/** A method that calls a function with `this` as its first argument. */
const method = (f: (...args: any[]) => unknown) =>
  function (this: unknown, ...args: unknown[]) {
    return f(this, ...args);
  };
const install = (prototype: object, functions: Record<string, (...args: any[]) => unknown>) => {
  for (const [name, f] of Object.entries(functions)) {
    Object.defineProperty(prototype, name, { value: method(f), writable: true, configurable: true });
  }
};

const { add, sub, mul, div, neg } = arithmetic;
const { square, sqrt, exp, log } = math;
const { equal, less, greater } = comparison;
const { reduceSum, reduceMean } = reductions;
const { reshape, transpose } = shapes;
install(Tensor.prototype, {
  add,
  sub,
  mul,
  div,
  neg,
  square,
  sqrt,
  exp,
  log,
  equal,
  less,
  greater,
  reduceSum,
  reduceMean,
  reshape,
  transpose,
  matmul: matrix.matmul,
  cast: logic.cast,
  eval: async (t: Tensor, feeds?: readonly []) => defaultSession(`${t.name}.eval()`).run(t, feeds),
});
install(Variable.prototype, {
  assign: variables.assign,
  assignAdd: variables.assignAdd,
  assignSub: variables.assignSub,
});
install(Operation.prototype, {
  run: async (operation: Operation, feeds?: readonly []) => {
    await defaultSession(`${operation.name}.run()`).run(operation, feeds);
  },
});
