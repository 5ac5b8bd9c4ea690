// What an optimizer is: a table of hyperparameters, the slots that it keeps beside a variable, and its step.
import type { Tensor, Variable } from '../graph/tensor.ts';
import { text } from '../tensor/kinds.ts';
import { type Kind, type Signature, signature } from '../tensor/signature.ts';
import type { Scalar } from './rate.ts';

/** A kind of hyperparameter with the value that it has where none is given. */
export const preset = <T, const V extends T>(of: Kind<T>, value: V): Kind<T> & { readonly preset: V } => ({
  ...of,
  preset: value,
});
type Table = Readonly<Record<string, Kind<any> & { readonly preset?: unknown }>>;
/** As a step sees them: tensors have the dtype of the variable. */
export type Values<H extends Table> = {
  readonly [N in keyof H]: H[N] extends Kind<infer T> ? SeenAs<T> : never;
};
type SeenAs<T> = T extends Variable ? T : T extends Tensor ? Extract<Scalar, Tensor> : T;

/** A variable, its gradient and its slots. */
export interface Parts<S extends string, P> {
  readonly gradient: Tensor<'float32', any>;
  readonly variable: Variable<'float32', any>;
  readonly slots: Readonly<Record<S, Variable<'float32', any>>>;
  readonly shared: P;
}

/** Makes, or finds, a scalar of the optimizer itself, such as Adam's `beta1_power`. */
export type MakeScalar = (name: string, initial: Scalar) => Variable<'float32', []>;

interface Step<H extends Table, S extends string, P> {
  /** How many of the hyperparameters, which the table has in the order of TensorFlow, may stand in places. */
  readonly places: number;
  /** The slots by TensorFlow's names, in the order in which they are made, and what each begins with. */
  readonly slots: (values: Values<H>) => Readonly<Record<S, number>>;
  /** What all variables of a dtype share in a step, and assignments that belong to it. */
  readonly prepare?: (
    values: Values<H>,
    scalar: MakeScalar,
  ) => { readonly shared: P; readonly updates: readonly Tensor[] };
  /** The assignments to one variable and its slots. */
  readonly update: (values: Values<H>, parts: Parts<S, P>) => readonly Tensor[];
}

/** An optimizer, as `Optimizer` uses it. */
export interface Rule extends Omit<Step<any, string, any>, 'places'> {
  /** Begins the names of operations, and ends those of slots: `W/Adam`. */
  readonly name: string;
  readonly form: Signature<{}, Readonly<Record<string, Kind<any>>>>;
  readonly presets: Readonly<Record<string, unknown>>;
}

const rules = new WeakSet<object>();
/** Asks nothing of what it is given. */
export const isRule = (value: Rule): boolean => rules.has(value);

/** The rule of the optimizer that is made by `new tf.train.${name}Optimizer(…)`. */
export function rule<H extends Table, S extends string, P = undefined>(
  name: string,
  table: H,
  { places, ...step }: Step<H, S, P>,
): Rule {
  const form = signature(
    `new tf.train.${name}Optimizer`,
    {},
    { ...table, name: text },
    Object.keys(table).slice(0, places),
  );
  const presets = Object.entries(table).flatMap(([key, kind]) => ('preset' in kind ? [[key, kind.preset]] : []));
  const made: Rule = { name, form: form as Rule['form'], presets: Object.fromEntries(presets), ...step };
  rules.add(made);
  return made;
}
