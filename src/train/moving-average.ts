// Moving averages of variables and tensors.
import { DTypeError, InvalidArgumentError } from '../base/errors.ts';
import { controlDependencies, type Graph, getDefaultGraph } from '../graph/graph.ts';
import { GraphKeys } from '../graph/graph-keys.ts';
import type { Operation } from '../graph/operation.ts';
import { Tensor, Variable } from '../graph/tensor.ts';
import { add, div, mul, sub } from '../ops/arithmetic.ts';
import { type AnyTensor, tensor } from '../ops/define.ts';
import { zeros } from '../ops/fill.ts';
import { group } from '../ops/group.ts';
import { minimum, pow } from '../ops/math.ts';
import { assign, assignAdd, assignSub, variable } from '../ops/variable.ts';
import { describe } from '../tensor/describe.ts';
import { type FloatDType, isFloat } from '../tensor/dtype.ts';
import { anything, needed, text, trueOrFalse } from '../tensor/kinds.ts';
import { isKnown, type Shape, showShape } from '../tensor/shape.ts';
import { signature } from '../tensor/signature.ts';
import { readList } from '../tensor/sizes.ts';
import { fraction, inDType, type ScalarValue, scalar } from './scalar.ts';

/** How averages are kept. */
export interface MovingAverageOptions {
  /** The number of updates so far, such as the global step: the decay is then at most (1 + n) / (10 + n). */
  readonly numUpdates?: ScalarValue | undefined;
  /** Averages of tensors that are no variables begin at 0: `true` makes good for that (Kingma and Ba). Default false. */
  readonly zeroDebias?: boolean | undefined;
  /** Ends the names of the averages; default `ExponentialMovingAverage`. */
  readonly name?: string | undefined;
}

const form = signature(
  'new tf.train.ExponentialMovingAverage',
  {},
  { decay: needed(fraction), numUpdates: scalar, zeroDebias: trueOrFalse, name: text },
  ['decay', 'numUpdates', 'zeroDebias', 'name'],
);
const varList = anything<unknown>('an array of variables');
const applyForm = signature('exponentialMovingAverage.apply', {}, { varList }, ['varList']);
const averageForm = signature('exponentialMovingAverage.average', { variable: tensor }, {});
const averageNameForm = signature('exponentialMovingAverage.averageName', { variable: tensor }, {});
const restoreForm = signature('exponentialMovingAverage.variablesToRestore', {}, { movingAvgVariables: varList }, [
  'movingAvgVariables',
]);

/** What is kept of one variable or tensor. */
interface Shadow {
  readonly average: Variable<any, any>;
  /** Of what begins at 0: the average as it is, and how many updates it has had. */
  readonly biased: { readonly sum: Variable<any, any>; readonly count: Variable<any, []> } | undefined;
}

/**
 * Averages of variables over the steps of training: average ← average − (1 − decay) · (average − variable). Evaluated with
 * them, a model is often better than with the last values.
 *
 * The average of `W` is a variable `W/ExponentialMovingAverage`, which begins with W's initial value and is not trained.
 *
 * ```ts
 * const ema = new tf.train.ExponentialMovingAverage(0.999, { numUpdates: globalStep });
 * const trainStep = optimizer.minimize(loss, { globalStep });
 * const step = tf.controlDependencies([trainStep], () => ema.apply());      // averages, after the step
 *
 * const saver = new tf.train.Saver({ varList: ema.variablesToRestore() });  // in another program: averages for variables
 * ```
 *
 * Reference: tf.train.ExponentialMovingAverage of TensorFlow 1. Source: Polyak and Juditsky, "Acceleration of stochastic
 * approximation by averaging", 1992.
 */
export class ExponentialMovingAverage {
  readonly #decay: ScalarValue;
  readonly #numUpdates: ScalarValue | undefined;
  readonly #zeroDebias: boolean;
  readonly #name: string;
  readonly #shadows = new Map<Tensor, Shadow>();

  /** @param decay how much of an average stays in a step: 0.99 or more. */
  constructor(decay: ScalarValue, numUpdates: ScalarValue | undefined, zeroDebias?: boolean, name?: string);
  constructor(options: MovingAverageOptions & { readonly decay: ScalarValue });
  constructor(decay: ScalarValue, options?: MovingAverageOptions);
  constructor(...given: unknown[]) {
    const { decay, numUpdates, zeroDebias = false, name = 'ExponentialMovingAverage' } = form.take(given);
    this.#decay = decay;
    this.#numUpdates = numUpdates;
    this.#zeroDebias = zeroDebias;
    this.#name = name;
  }

  /**
   * An operation that brings the averages up to date. What has none yet gets one: call it before
   * `tf.globalVariablesInitializer`.
   *
   * @param varList variables, or tensors of known shape, whose averages begin at 0; by default all trainable variables.
   * @throws DTypeError for what is no float; InvalidArgumentError for a tensor whose shape is not fully known.
   */
  apply(varList?: readonly Tensor<FloatDType, any>[]): Operation;
  apply(...given: unknown[]): Operation {
    const { varList } = applyForm.take(given);
    const list = varList === undefined ? undefined : tensorsOf('apply', varList);
    const graph = list?.[0]?.graph ?? getDefaultGraph();
    const averaged = list ?? averagedIn(graph, GraphKeys.TRAINABLE_VARIABLES);
    if (averaged.length === 0) {
      throw new InvalidArgumentError(
        'apply: there is nothing to average; make parameters with tf.variable(…), or name some.',
      );
    }
    for (const x of averaged) checkAveraged(x);
    return graph.asDefault(() => {
      const shadows = averaged.map((x) => this.#shadowOf(x));
      return graph.withScope(this.#name, () => group(...averaged.flatMap((x, i) => this.#update(x, shadows[i]))));
    });
  }

  /** The variable that holds the average; null where `apply` made none. */
  average<T extends FloatDType, S extends Shape>(variable: Tensor<T, S>): Variable<T, S> | null;
  average(...given: unknown[]): Variable<any, any> | null {
    return this.#shadows.get(averageForm.take(given).variable)?.average ?? null;
  }

  /** The name of that variable; where there is none yet, the name that it would have, which it has in checkpoints. */
  averageName(variable: Tensor<any, any>): string;
  averageName(...given: unknown[]): string {
    const { variable } = averageNameForm.take(given);
    return this.#shadows.get(variable)?.average.operation.name ?? `${variable.operation.name}/${this.#name}`;
  }

  /**
   * The global variables by the names under which a checkpoint has what they should be: those that are averaged by the names
   * of their averages, others by their own. It is for the option `varList` of a Saver.
   *
   * @param movingAvgVariables those that are averaged; by default all trainable ones, and those of the collection
   * `tf.GraphKeys.MOVING_AVERAGE_VARIABLES`.
   */
  variablesToRestore(movingAvgVariables?: readonly Variable<any, any>[]): Record<string, Variable<any, any>>;
  variablesToRestore(...given: unknown[]): Record<string, Variable<any, any>> {
    const { movingAvgVariables: wanted } = restoreForm.take(given);
    const list = wanted === undefined ? undefined : tensorsOf('variablesToRestore', wanted);
    const graph = list?.[0]?.graph ?? getDefaultGraph();
    const { TRAINABLE_VARIABLES, MOVING_AVERAGE_VARIABLES } = GraphKeys;
    const averaged = new Set<Tensor>(
      list ?? [...averagedIn(graph, TRAINABLE_VARIABLES), ...averagedIn(graph, MOVING_AVERAGE_VARIABLES)],
    );
    const others = graph.variables.filter((v) => !averaged.has(v)).map((v) => [v.operation.name, v] as const);
    const averages = [...averaged].map((v) => [this.averageName(v), v as Variable<any, any>] as const);
    return Object.fromEntries([...others, ...averages]);
  }

  #shadowOf(x: Tensor): Shadow {
    const known = this.#shadows.get(x);
    if (known) return known;
    const name = `${x.operation.name}/${this.#name}`;
    const isVariable = x instanceof Variable;
    const zero = () => zeros(x.shape as number[], x.dtype);
    const of = (initial: Tensor, called: string) => variable(initial, { name: called, trainable: false });
    // Whatever an update depends on: the variables are initialized without it, and named without the scope around.
    const make = (): Shadow => {
      const average = of(isVariable ? x : zero(), name);
      if (isVariable || !this.#zeroDebias) return { average, biased: undefined };
      const own = average.operation.name;
      return {
        average,
        biased: { sum: of(zero(), `${own}/biased`), count: of(zeros([], x.dtype), `${own}/local_step`) },
      };
    };
    const shadow = controlDependencies(null, () => x.graph.withScope('', make));
    this.#shadows.set(x, shadow);
    if (isVariable) x.graph.addToCollection(GraphKeys.MOVING_AVERAGE_VARIABLES, x);
    return shadow;
  }

  #update(value: AnyTensor, { average, biased }: Shadow): AnyTensor[] {
    const decay = this.#decayFor(value.dtype);
    const toward = (v: Variable<any, any>) => assignSub(v, mul(sub(v, value), decay.rest));
    if (!biased) return [toward(average)];
    const sum = toward(biased.sum);
    const count = assignAdd(biased.count, 1);
    return [sum, count, assign(average, div(sum, sub(1, pow(decay.stays, count))))];
  }

  /** The part of an average that stays in a step, and the rest. */
  #decayFor(dtype: FloatDType): { readonly stays: AnyTensor; readonly rest: AnyTensor } {
    const given = inDType(this.#decay, dtype);
    if (this.#numUpdates === undefined) {
      const rest = typeof this.#decay === 'number' ? inDType(1 - this.#decay, dtype) : sub(1, given);
      return { stays: given, rest };
    }
    const n = inDType(this.#numUpdates, dtype);
    const stays = minimum(given, div(add(n, 1), add(n, 10)));
    return { stays, rest: sub(1, stays) };
  }
}

const averagedIn = (graph: Graph, key: 'trainable_variables' | 'moving_average_variables'): Variable<any, any>[] =>
  graph.getCollection(key).filter((v) => isFloat(v.dtype));

function checkAveraged(x: Tensor): void {
  if (!isFloat(x.dtype)) {
    throw new DTypeError(`apply: ${x.name} has dtype ${x.dtype}, but only floats have averages; use tf.cast.`);
  }
  if (isKnown(x.shape)) return;
  throw new InvalidArgumentError(
    `apply: the shape of ${x.name} is ${showShape(x.shape)}, but that of an average must be known; use tf.reshape, or tf.reduceMean for a scalar.`,
  );
}

function tensorsOf(op: string, given: unknown): Tensor[] {
  const refuse = (came: string): never => {
    throw new InvalidArgumentError(`${op}: expected an array of variables, but ${came} came.`);
  };
  if (!Array.isArray(given)) return refuse(describe(given));
  return [...new Set(readList(given, (x) => (x instanceof Tensor ? x : refuse(`one with ${describe(x)}`))))];
}
