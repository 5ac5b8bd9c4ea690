// The everyday operations as methods, and running through the default session. Importing this file installs them.
import { Operation } from '../graph/operation.ts';
import { Tensor, Variable } from '../graph/tensor.ts';
import * as arithmetic from '../ops/arithmetic.ts';
import * as comparison from '../ops/comparison.ts';
import type { Named } from '../ops/define.ts';
import * as logic from '../ops/logic.ts';
import * as math from '../ops/math.ts';
import * as matrix from '../ops/matmul.ts';
import * as reductions from '../ops/reduce.ts';
import * as shapes from '../ops/shape.ts';
import type { ShapeOfSizes, Sizes } from '../ops/sizes.ts';
import type { Assigned } from '../ops/variable.ts';
import * as variables from '../ops/variable.ts';
import { defaultSession } from '../session/interactive.ts';
import { Session } from '../session/session.ts';
import type { FeedPairs, Fetched } from '../session/types.ts';
import type { AxisError, Reduce, Reshape, ReshapeError, Transpose } from '../tensor/axis-rules.ts';
import type { DType, Elem, FloatDType, NumericDType } from '../tensor/dtype.ts';
import { anything, kind } from '../tensor/kinds.ts';
import type { FeedValue } from '../tensor/ndarray.ts';
import type { Shape } from '../tensor/shape.ts';
import type { Broadcast, BroadcastError, MatMul, MatMulError } from '../tensor/shape-rules.ts';
import type { Given, ShapeError } from '../tensor/shape-types.ts';
import { signature } from '../tensor/signature.ts';

declare module '../graph/tensor.ts' {
  interface TensorMethods {
    /** a + b, with broadcasting. */
    add<T extends NumericDType, A extends Shape, B extends Shape = [], N extends number = number>(
      this: Tensor<T, A>,
      b: (Tensor<NoInfer<T>, B> & ShapeError<BroadcastError<A, B, 'add'>>) | N,
      name?: Named,
    ): Tensor<T, Given<N, Broadcast<A, B>>>;
    /** a − b, with broadcasting. */
    sub<T extends NumericDType, A extends Shape, B extends Shape = [], N extends number = number>(
      this: Tensor<T, A>,
      b: (Tensor<NoInfer<T>, B> & ShapeError<BroadcastError<A, B, 'sub'>>) | N,
      name?: Named,
    ): Tensor<T, Given<N, Broadcast<A, B>>>;
    /** a · b elementwise, with broadcasting. */
    mul<T extends NumericDType, A extends Shape, B extends Shape = [], N extends number = number>(
      this: Tensor<T, A>,
      b: (Tensor<NoInfer<T>, B> & ShapeError<BroadcastError<A, B, 'mul'>>) | N,
      name?: Named,
    ): Tensor<T, Given<N, Broadcast<A, B>>>;
    /** a / b, with broadcasting; integers truncate toward zero. */
    div<T extends NumericDType, A extends Shape, B extends Shape = [], N extends number = number>(
      this: Tensor<T, A>,
      b: (Tensor<NoInfer<T>, B> & ShapeError<BroadcastError<A, B, 'div'>>) | N,
      name?: Named,
    ): Tensor<T, Given<N, Broadcast<A, B>>>;
    /** −x. */
    neg<T extends NumericDType, A extends Shape>(this: Tensor<T, A>, name?: Named): Tensor<T, A>;
    /** x². */
    square<T extends NumericDType, A extends Shape>(this: Tensor<T, A>, name?: Named): Tensor<T, A>;
    /** √x. */
    sqrt<T extends FloatDType, A extends Shape>(this: Tensor<T, A>, name?: Named): Tensor<T, A>;
    /** eˣ. */
    exp<T extends FloatDType, A extends Shape>(this: Tensor<T, A>, name?: Named): Tensor<T, A>;
    /** ln x. */
    log<T extends FloatDType, A extends Shape>(this: Tensor<T, A>, name?: Named): Tensor<T, A>;
    /** The matrix product. */
    matmul<T extends NumericDType, A extends Shape, B extends Shape>(
      this: Tensor<T, A>,
      b: Tensor<NoInfer<T>, B> & ShapeError<MatMulError<A, B>>,
      options?: { readonly name?: string },
    ): Tensor<T, MatMul<A, B>>;
    /** The same elements in another shape. */
    reshape<T extends DType, A extends Shape, const B extends Sizes>(
      this: Tensor<T, A> & ShapeError<ReshapeError<A, ShapeOfSizes<B>>>,
      shape: B,
      name?: Named,
    ): Tensor<T, Reshape<A, ShapeOfSizes<B>>>;
    /** Axes in another order. */
    transpose<T extends DType, A extends Shape, const P extends readonly number[] | undefined = undefined>(
      this: Tensor<T, A>,
      perm?: P,
      name?: Named,
    ): Tensor<T, Transpose<A, P>>;
    /** a = b, elementwise. */
    equal<T extends DType, A extends Shape, B extends Shape = [], E extends Elem<T> = Elem<T>>(
      this: Tensor<T, A>,
      b: (Tensor<NoInfer<T>, B> & ShapeError<BroadcastError<A, B, 'equal'>>) | E,
      name?: Named,
    ): Tensor<'bool', Given<E, Broadcast<A, B>>>;
    /** a < b, elementwise. */
    less<T extends DType, A extends Shape, B extends Shape = [], E extends Elem<T> = Elem<T>>(
      this: Tensor<T, A>,
      b: (Tensor<NoInfer<T>, B> & ShapeError<BroadcastError<A, B, 'less'>>) | E,
      name?: Named,
    ): Tensor<'bool', Given<E, Broadcast<A, B>>>;
    /** a > b, elementwise. */
    greater<T extends DType, A extends Shape, B extends Shape = [], E extends Elem<T> = Elem<T>>(
      this: Tensor<T, A>,
      b: (Tensor<NoInfer<T>, B> & ShapeError<BroadcastError<A, B, 'greater'>>) | E,
      name?: Named,
    ): Tensor<'bool', Given<E, Broadcast<A, B>>>;
    /** In another element type. */
    cast<T extends DType, A extends Shape>(this: Tensor<DType, A>, dtype: T, name?: Named): Tensor<T, A>;
    /** Σ over some axes, or all. */
    reduceSum<T extends NumericDType, A extends Shape, const Ax extends number | readonly number[], K extends boolean>(
      this: Tensor<T, A> & ShapeError<AxisError<A, Ax, 'reduceSum'>>,
      axis: Ax,
      keepDims: K,
      name?: Named,
    ): Tensor<T, Reduce<A, Ax, K>>;
    reduceSum<
      T extends NumericDType,
      A extends Shape,
      const Ax extends number | readonly number[] | undefined = undefined,
      K extends boolean = false,
    >(
      this: Tensor<T, A> & ShapeError<AxisError<A, Ax, 'reduceSum'>>,
      axis?: Ax,
      options?: { readonly keepDims?: K; readonly name?: string },
    ): Tensor<T, Reduce<A, Ax, K>>;
    /** The mean over some axes, or all. */
    reduceMean<T extends NumericDType, A extends Shape, const Ax extends number | readonly number[], K extends boolean>(
      this: Tensor<T, A> & ShapeError<AxisError<A, Ax, 'reduceMean'>>,
      axis: Ax,
      keepDims: K,
      name?: Named,
    ): Tensor<T, Reduce<A, Ax, K>>;
    reduceMean<
      T extends NumericDType,
      A extends Shape,
      const Ax extends number | readonly number[] | undefined = undefined,
      K extends boolean = false,
    >(
      this: Tensor<T, A> & ShapeError<AxisError<A, Ax, 'reduceMean'>>,
      axis?: Ax,
      options?: { readonly keepDims?: K; readonly name?: string },
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
      options?: { readonly name?: string },
    ): Tensor<T, A>;
    /** Adds to the variable; the result is its new value. */
    assignAdd<T extends NumericDType, A extends Shape>(
      this: Variable<T, A>,
      value: Assigned<NoInfer<T>, NoInfer<A>>,
      options?: { readonly name?: string },
    ): Tensor<T, A>;
    /**
     * Gives the variable a value in a session: after the runs that were asked for before, and without an operation for it
     * in the graph, which may be finalized. It is initialized then. The value is copied when this is called.
     *
     * @param value what may be fed for it.
     * @param session by default the InteractiveSession that is open.
     * @throws FeedError for a value of another shape or dtype, FetchError when the session has another graph,
     * FailedPreconditionError when there is no session or it is closed (as rejections): the variable is as it was.
     *
     * ```ts
     * await learningRate.load(0.001, sess);
     * ```
     */
    load<T extends DType, A extends Shape>(
      this: Variable<T, A>,
      value: FeedValue<NoInfer<T>, NoInfer<A>>,
      session?: Session,
    ): Promise<void>;
    /** Subtracts from the variable; the result is its new value. */
    assignSub<T extends NumericDType, A extends Shape>(
      this: Variable<T, A>,
      value: Assigned<NoInfer<T>, NoInfer<A>>,
      options?: { readonly name?: string },
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

/** Looked at when they are read. */
const feedPairs = anything<readonly []>('an array of pairs');
const evalForm = signature('tensor.eval', {}, { feeds: feedPairs }, ['feeds']);
const runForm = signature('operation.run', {}, { feeds: feedPairs }, ['feeds']);
const loadForm = signature(
  'variable.load',
  { value: anything<unknown>('values') },
  { session: kind<Session>('a session', (v) => v instanceof Session) },
  ['session'],
);

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
  eval: async (t: Tensor, ...given: unknown[]) => {
    if (given.length > 1) evalForm.take(given);
    return defaultSession(`${t.name}.eval()`).run(t, given[0] as []);
  },
});
install(Variable.prototype, {
  assign: variables.assign,
  assignAdd: variables.assignAdd,
  assignSub: variables.assignSub,
  load: async (v: Variable, ...given: unknown[]) => {
    const { value, session = defaultSession(`${v.name}.load()`) } = loadForm.take(given);
    await session.resume(new Map([[v, value]]));
  },
});
install(Operation.prototype, {
  run: async (operation: Operation, ...given: unknown[]) => {
    if (given.length > 1) runForm.take(given);
    await defaultSession(`${operation.name}.run()`).run(operation, given[0] as []);
  },
});
