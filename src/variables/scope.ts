// Scopes of variables: what stands before the names that getVariable gives, and what holds for the variables in them.
import { InvalidArgumentError } from '../base/errors.ts';
import { type Graph, getDefaultGraph } from '../graph/graph.ts';
import type { Tensor, Variable } from '../graph/tensor.ts';
import { describe } from '../tensor/describe.ts';
import type { DType } from '../tensor/dtype.ts';
import { callback, dtype as dtypeKind, kind, text } from '../tensor/kinds.ts';
import { type Kind, signature } from '../tensor/signature.ts';
import type { Initializer } from './initializers.ts';

/** Takes a variable that is there, or makes it: `tf.variableScope('net', { reuse: tf.AUTO_REUSE }, …)`. */
export const AUTO_REUSE = 'AUTO_REUSE';
/** false: variables are made. true: they are there already. AUTO_REUSE: either. */
export type Reuse = boolean | typeof AUTO_REUSE;
/** A penalty for the values of a variable, as a scalar; null for none. */
export type Regularizer = (variable: Tensor<any, any>) => Tensor<any, []> | null;

/** What holds for the variables of a scope, and of those inside it, unless they are told otherwise. */
export interface VariableScopeOptions {
  /** Default: that of the scope around. What is true around is true inside. */
  readonly reuse?: Reuse | undefined;
  /** Gives the initial values. */
  readonly initializer?: Initializer | undefined;
  /** Its penalties go to `tf.GraphKeys.REGULARIZATION_LOSSES`. */
  readonly regularizer?: Regularizer | undefined;
  /** The element type of variables; default float32. */
  readonly dtype?: DType | undefined;
  /** The name where none is given, made unique among the scopes around: `conv`, `conv_1`. */
  readonly defaultName?: string | undefined;
}

interface ScopeFields extends Omit<VariableScopeOptions, 'reuse' | 'defaultName'> {
  readonly name: string;
  readonly originalNameScope: string;
  readonly reuse: Reuse;
}

const reuseVariablesForm = signature('variableScope.reuseVariables', {}, {});

/** A scope of variables, as `tf.variableScope` hands it to its callback: `tf.variableScope(scope, …)` opens it again. */
export class VariableScope {
  /** What stands before the names of variables: `net/layer1`; nothing outside of all scopes. */
  readonly name: string;
  /** What stands before the names of operations where the scope was opened first: `net/layer1/`. */
  readonly originalNameScope: string;
  /** @internal */
  readonly initializer: Initializer | undefined;
  /** @internal */
  readonly regularizer: Regularizer | undefined;
  /** @internal */
  readonly dtype: DType | undefined;
  #reuse: Reuse;

  /** @internal */
  constructor(fields: ScopeFields) {
    this.name = fields.name;
    this.originalNameScope = fields.originalNameScope;
    this.initializer = fields.initializer;
    this.regularizer = fields.regularizer;
    this.dtype = fields.dtype;
    this.#reuse = fields.reuse;
  }

  /** Are its variables there already? */
  get reuse(): Reuse {
    return this.#reuse;
  }

  /**
   * From now on, as long as the scope is open, its variables are those that there are.
   *
   * ```ts
   * tf.variableScope('d', (scope) => {
   *   const real = discriminator(images);
   *   scope.reuseVariables();
   *   const fake = discriminator(generated);      // with the same weights
   * });
   * ```
   */
  reuseVariables(): void;
  reuseVariables(...given: unknown[]): void {
    reuseVariablesForm.take(given);
    this.#reuse = true;
  }
}

/** @internal What a graph knows of its scopes, and of the variables made in them. */
export interface VariableStore {
  /** By their whole names. */
  readonly variables: Map<string, Variable<any, any>>;
  scope: VariableScope;
  /** How often scopes were opened inside the ones around; forgotten when these are left. */
  counts: Map<string, number>;
}
const stores = new WeakMap<Graph, VariableStore>();

/** @internal */
export function storeOf(graph: Graph): VariableStore {
  const known = stores.get(graph);
  if (known) return known;
  const scope = new VariableScope({ name: '', originalNameScope: '', reuse: false });
  const made: VariableStore = { variables: new Map(), scope, counts: new Map() };
  stores.set(graph, made);
  return made;
}

const getForm = signature('tf.getVariableScope', {}, {});
/**
 * The scope of variables that is open.
 *
 * ```ts
 * tf.getVariableScope().reuseVariables();
 * ```
 */
export function getVariableScope(): VariableScope;
export function getVariableScope(...given: unknown[]): VariableScope {
  getForm.take(given);
  return storeOf(getDefaultGraph()).scope;
}

/** @internal */
export const reuseKind = kind<Reuse>('true, false or tf.AUTO_REUSE', (v) => typeof v === 'boolean' || v === AUTO_REUSE);
/** @internal */
export const functionOf = <F>(): Kind<F> => kind<F>('a function', (v) => typeof v === 'function');

const form = signature(
  'tf.variableScope',
  {
    name: kind<string | VariableScope | null>(
      'a text, a scope or null',
      (v) => text.fits(v) || v === null || v instanceof VariableScope,
    ),
    build: callback as Kind<(scope: VariableScope) => unknown>,
  },
  {
    reuse: reuseKind,
    initializer: functionOf<Initializer>(),
    regularizer: functionOf<Regularizer>(),
    dtype: dtypeKind,
    defaultName: text,
  },
);
/**
 * Opens a scope for the variables that `tf.getVariable` makes, or takes, in the (synchronous) callback: `name/` stands
 * before their names. A scope of the same name may be opened again: its variables have the same names, its operations
 * get new ones, `name_1/`. `tf.nameScope` changes the names of operations alone.
 *
 * @param name a text; a scope, which is opened again wherever this stands; or null, for `options.defaultName`.
 * @param options.reuse false: variables are made; true: they are there already; `tf.AUTO_REUSE`: either. What is true
 * around is true inside.
 * @param options.initializer gives initial values, and `options.regularizer` penalties, where a variable has none of its
 * own; both hold for the scopes inside, too.
 * @throws InvalidArgumentError for null without a default name, or with `reuse: true`.
 *
 * ```ts
 * const network = (x: tf.Tensor<'float32', [null, 784]>) =>
 *   tf.variableScope('network', { reuse: tf.AUTO_REUSE }, () => {
 *     const W = tf.getVariable('W', [784, 10]);      // network/W, the same one in each call
 *     return tf.matmul(x, W);
 *   });
 * ```
 *
 * Reference: tf.variable_scope of TensorFlow 1.
 */
export function variableScope<R>(name: string | VariableScope, build: (scope: VariableScope) => R): R;
export function variableScope<R>(
  name: string | VariableScope | null,
  options: VariableScopeOptions,
  build: (scope: VariableScope) => R,
): R;
export function variableScope(...given: unknown[]): unknown {
  const { name, build, ...options } = form.take(given);
  const graph = getDefaultGraph();
  const store = storeOf(graph);
  if (name instanceof VariableScope) return reopened(graph, name, { options, build });
  const own = name ?? uniqueName(store, options);
  checkName('variableScope', own);
  const before = store.scope;
  return graph.withScope(
    name ?? (options.defaultName as string),
    () => {
      const scope = new VariableScope({
        name: before.name === '' ? own : `${before.name}/${own}`,
        originalNameScope: graph.scope,
        ...inherited(options, before),
      });
      return opened(store, scope, () => build(scope));
    },
    'variableScope',
  );
}

/** @internal Slashes stand between names. */
export function checkName(op: string, name: string): void {
  if (!/^\/|\/$/.test(name)) return;
  throw new InvalidArgumentError(
    `${op}: the name must not begin or end with '/', but ${describe(name)} came. To open a scope again, give tf.variableScope the scope itself.`,
  );
}

/** What a scope has from its options, else from the one before. */
const inherited = (options: VariableScopeOptions, before: VariableScope) => ({
  reuse: options.reuse || before.reuse,
  initializer: options.initializer ?? before.initializer,
  regularizer: options.regularizer ?? before.regularizer,
  dtype: options.dtype ?? before.dtype,
});

/** `conv`, or `conv_1` where there is one in the scope around. */
function uniqueName({ scope, counts }: VariableStore, { defaultName, reuse }: VariableScopeOptions): string {
  if (defaultName === undefined) {
    throw new InvalidArgumentError(
      "variableScope: a name, or options.defaultName for null, is missing. Write tf.variableScope('layer', () => …).",
    );
  }
  if (reuse === true) {
    throw new InvalidArgumentError(
      'variableScope: reuse: true needs a name: a default name is that of a new scope. Give the name, or the scope itself.',
    );
  }
  const whole = (name: string) => (scope.name === '' ? name : `${scope.name}/${name}`);
  if (!counts.get(whole(defaultName))) return defaultName;
  let n = 1;
  while (counts.get(whole(`${defaultName}_${n}`))) n++;
  return `${defaultName}_${n}`;
}

/** The scope is the one of getVariable in the callback. Scopes inside are counted anew when it is left. */
function opened<R>(store: VariableStore, scope: VariableScope, build: () => R): R {
  const before = store.scope;
  store.counts.set(scope.name, (store.counts.get(scope.name) ?? 0) + 1);
  store.scope = scope;
  try {
    return build();
  } finally {
    store.scope = before;
    for (const name of store.counts.keys()) if (name.startsWith(`${scope.name}/`)) store.counts.delete(name);
  }
}

/** Opens a scope from anywhere: a copy of it, with other options. */
function reopened(
  graph: Graph,
  scope: VariableScope,
  { options, build }: { options: VariableScopeOptions; build: (scope: VariableScope) => unknown },
): unknown {
  const store = storeOf(graph);
  const { name, originalNameScope } = scope;
  const copy = new VariableScope({ name, originalNameScope, ...inherited(options, scope) });
  const before = store.counts;
  const inside = () => {
    store.counts = new Map(before);
    try {
      return opened(store, copy, () => build(copy));
    } finally {
      store.counts = before;
    }
  };
  const last = name.slice(name.lastIndexOf('/') + 1);
  return last === '' ? inside() : graph.withScope(last, inside, 'variableScope');
}
