// What all optimizers share: minimize = computeGradients + applyGradients, as graph code over public ops.
import { gradients } from '../autodiff/gradients.ts';
import { GraphError, InvalidArgumentError } from '../base/errors.ts';
import { controlDependencies, type Graph, getDefaultGraph } from '../graph/graph.ts';
import type { Operation } from '../graph/operation.ts';
import { Tensor, type Variable } from '../graph/tensor.ts';
import { tensor, variableKind } from '../ops/define.ts';
import { group } from '../ops/group.ts';
import { assignAdd } from '../ops/variable.ts';
import type { FloatDType } from '../tensor/dtype.ts';
import { anything, text } from '../tensor/kinds.ts';
import type { Shape } from '../tensor/shape.ts';
import { type Kind, signature } from '../tensor/signature.ts';
import { type GradientAndVariable, globalStep, pairsOf, type UsedPair, variablesOf } from './arguments.ts';
import { inDType } from './rate.ts';
import { isRule, type Rule } from './rule.ts';
import { Slots } from './slot.ts';

const loss = tensor as Kind<Tensor<FloatDType, Shape>>;
const varList = anything<readonly Variable[]>('an array of variables');
const gradLoss = loss;
const minimizeForm = signature('optimizer.minimize', { loss }, { globalStep, varList, gradLoss, name: text }, [
  'globalStep',
  'varList',
]);
const computeForm = signature('optimizer.computeGradients', { loss }, { varList, gradLoss }, ['varList']);
const applyForm = signature(
  'optimizer.applyGradients',
  { pairs: anything('an array of pairs') },
  { globalStep, name: text },
  ['globalStep', 'name'],
);
const getSlotForm = signature('optimizer.getSlot', { variable: variableKind, name: text }, {});
const getSlotNamesForm = signature('optimizer.getSlotNames', {}, {});
const variablesForm = signature('optimizer.variables', {}, {});
const getNameForm = signature('optimizer.getName', {}, {});

/** What all constructors take by name. */
export interface OptimizerOptions {
  /** Begins the names of operations and ends those of slots; by default that of the optimizer: `Adam`. */
  readonly name?: string | undefined;
  /** Tensors, which have names too, are no options. */
  readonly operation?: never;
}
/** How gradients are computed. */
export interface GradientOptions {
  /** The variables to change; by default all trainable ones of the loss's graph. */
  readonly varList?: readonly Variable<any, any>[] | undefined;
  /** The gradient of what is wanted with respect to the loss, of the loss's shape; by default 1. */
  readonly gradLoss?: Tensor<FloatDType, any> | undefined;
}
/** How gradients are applied. */
export interface ApplyOptions {
  /** A scalar variable to which 1 is added after the variables have changed. */
  readonly globalStep?: Variable<any, any> | undefined;
  /** The name of the operation; by default that of the optimizer. */
  readonly name?: string | undefined;
}

/** The base of all optimizers. */
export abstract class Optimizer {
  readonly #rule: Rule;
  readonly #name: string;
  readonly #values: Readonly<Record<string, unknown>>;
  readonly #slots = new Slots();

  /** @internal */
  constructor(rule: Rule, given: readonly unknown[]) {
    if (!isRule(rule)) {
      throw new InvalidArgumentError('Optimizer is a base: write new tf.train.AdamOptimizer(1e-3), say.');
    }
    const { name = rule.name, ...values } = rule.form.take(given);
    this.#rule = rule;
    this.#name = name as string;
    this.#values = { ...rule.presets, ...values };
  }

  /**
   * An operation that, when run, changes the variables by one step that makes the loss smaller, and then adds 1 to
   * `globalStep`. A loss that is not a scalar is summed. The first call makes the slots.
   *
   * ```ts
   * const globalStep = tf.variable(0, { trainable: false });
   * const trainStep = new tf.train.AdamOptimizer(1e-4).minimize(loss, { globalStep });
   * ```
   *
   * @throws InvalidArgumentError when there is nothing to train.
   */
  minimize(
    loss: Tensor<FloatDType, Shape>,
    globalStep: Variable<any, any> | undefined,
    varList?: readonly Variable<any, any>[],
    options?: Omit<GradientOptions & ApplyOptions, 'globalStep'>,
  ): Operation;
  minimize(loss: Tensor<FloatDType, Shape>, options?: GradientOptions & ApplyOptions): Operation;
  minimize(...given: unknown[]): Operation {
    const { loss, varList, gradLoss, ...options } = minimizeForm.take(given);
    const pairs = gradientsOf(loss, varList, gradLoss);
    if (pairs.every(([gradient]) => gradient === null)) {
      const names = pairs.map(([, v]) => v.operation.name).join(', ');
      throw new InvalidArgumentError(
        `minimize: the loss ${loss.name} does not depend on any of the variables to train (${names}) through ` +
          'differentiable operations. Is the model built from tf.variable(…), and not cut by argmax, cast or stopGradient?',
      );
    }
    return this.applyGradients(pairs, options);
  }

  /** The gradient of the loss for each variable; null where the loss does not depend on it. */
  computeGradients(
    loss: Tensor<FloatDType, Shape>,
    varList: readonly Variable<any, any>[],
    options?: Omit<GradientOptions, 'varList'>,
  ): GradientAndVariable[];
  computeGradients(loss: Tensor<FloatDType, Shape>, options?: GradientOptions): GradientAndVariable[];
  computeGradients(...given: unknown[]): GradientAndVariable[] {
    const { loss, varList, gradLoss } = computeForm.take(given);
    return gradientsOf(loss, varList, gradLoss);
  }

  /**
   * An operation that changes each variable by its gradient, and then adds 1 to `globalStep`; variables with a null
   * gradient stay.
   */
  applyGradients(pairs: readonly GradientAndVariable[], globalStep: Variable<any, any>, name?: string): Operation;
  applyGradients(pairs: readonly GradientAndVariable[], options?: ApplyOptions): Operation;
  applyGradients(...given: unknown[]): Operation {
    const { pairs, globalStep, name = this.#name } = applyForm.take(given);
    const used = pairsOf(pairs).filter((pair): pair is UsedPair => pair[0] !== null);
    if (used.length === 0) throw new InvalidArgumentError('applyGradients: no gradient was given for any variable.');
    const { graph } = used[0][1];
    if (globalStep) checkGraph('applyGradients: globalStep', globalStep, graph);
    const { scope } = graph;
    return graph.asDefault(() =>
      graph.withScope(name, () => {
        const updates = this.#updates(used, scope);
        const options = { name: graph.scope };
        if (!globalStep) return group(...updates, options);
        return controlDependencies(updates, () => assignAdd(globalStep, 1, options)).operation;
      }),
    );
  }

  /** The slot that the optimizer keeps for a variable, under TensorFlow's name for it (`m`); null if there is none. */
  getSlot<T extends FloatDType, S extends Shape>(variable: Variable<T, S>, name: string): Variable<T, S> | null;
  getSlot(...given: unknown[]): Variable | null {
    const { variable, name } = getSlotForm.take(given);
    return this.#slots.find(variable, name) ?? null;
  }

  /** The names of the slots that there are: `['m', 'v']` once Adam has been applied. */
  getSlotNames(): string[];
  getSlotNames(...given: unknown[]): string[] {
    getSlotNamesForm.take(given);
    return this.#slots.names;
  }

  /** The slots and other variables of the optimizer in the default graph, sorted by their names. */
  variables(): Variable[];
  variables(...given: unknown[]): Variable[] {
    variablesForm.take(given);
    return this.#slots.variablesOf(getDefaultGraph());
  }

  /** What its operations and slots are called after. */
  getName(): string;
  getName(...given: unknown[]): string {
    getNameForm.take(given);
    return this.#name;
  }

  /** The assignments of one step. */
  #updates(pairs: readonly UsedPair[], scope: string): Tensor[] {
    const rule = this.#rule;
    const updates: Tensor[] = [];
    const prepared = new Map<FloatDType, { readonly values: any; readonly shared: unknown }>();
    for (const [, variable] of pairs) {
      const { dtype } = variable;
      if (prepared.has(dtype)) continue;
      const values = this.#valuesIn(variable);
      const scalar = (name: string, initial: any) => this.#slots.scalar(scope, name, initial, variable);
      const made = rule.prepare?.(values, scalar);
      prepared.set(dtype, { values, shared: made?.shared });
      updates.push(...(made?.updates ?? []));
    }
    for (const [gradient, variable] of pairs as readonly (readonly [any, Variable<any, any>])[]) {
      const { values, shared } = prepared.get(variable.dtype) as { values: any; shared: unknown };
      const slot = ([name, initial]: [string, number]) =>
        [name, this.#slots.slot(variable, name, { suffix: this.#name, initial })] as const;
      const slots = Object.fromEntries(Object.entries(rule.slots(values)).map(slot));
      updates.push(...rule.update(values, { gradient, variable, slots, shared }));
    }
    return updates;
  }

  /** The hyperparameters for the variables of a dtype: rates that are tensors are in it. */
  #valuesIn({ graph, dtype }: Variable<FloatDType, any>): Record<string, unknown> {
    const { name: op, form } = this.#rule;
    const inIt = ([name, value]: [string, unknown]) => {
      if (!(value instanceof Tensor)) return [name, value];
      checkGraph(`${op}Optimizer: ${name}`, value, graph);
      return [name, 'isRate' in form.optional[name] ? inDType(`${op}Optimizer`, name, value, dtype) : value];
    };
    return Object.fromEntries(Object.entries(this.#values).map(inIt));
  }
}

function checkGraph(what: string, value: Tensor, graph: Graph): void {
  if (value.graph === graph) return;
  throw new GraphError(`${what} belongs to another graph.`);
}

/** Pairs of what is to be trained. */
function gradientsOf(
  loss: Tensor<FloatDType, Shape>,
  varList: unknown,
  gradLoss: Tensor | undefined,
): GradientAndVariable[] {
  const variables = variablesOf(loss, varList);
  const found = gradients(loss, variables as readonly Tensor[], gradLoss ? { gradYs: [gradLoss] } : {});
  return variables.map((v, i) => [found[i] as Tensor<FloatDType> | null, v as Variable<FloatDType, any>]);
}
