// Lower: the operations that a run needs, in primitives. State becomes explicit here: a variable is read once, and each
// assignment makes a new version of it, so the passes after this one know nothing of order or time.

import { FeedError } from '../../base/errors.ts';
import type { Sliced } from '../../base/turns.ts';
import type { Operation } from '../../graph/operation.ts';
import type { Tensor, Variable } from '../../graph/tensor.ts';
import { definitionOf } from '../../ops/define.ts';
import { PlaceholderOp } from '../../ops/placeholder.ts';
import { isAssign, VariableOp } from '../../ops/variable.ts';
import * as p from '../../primitives/primitives.ts';
import { isFloat } from '../../tensor/dtype.ts';
import { isKnown, showShape } from '../../tensor/shape.ts';
import type { CompileRequest, LoweredRun } from './request.ts';
import { type Node, Rewriter, type Value } from './rewrite.ts';
import { SizeValues } from './size-values.ts';
import type { VersionOf } from './versions.ts';

/** A leaf of the compiler's graph: fed, or a version of a variable. */
const LeafOp = { name: 'Leaf', infer: () => [], lower: () => [] };

/** What is lowered, and how. */
interface LowerInput {
  readonly request: CompileRequest;
  /** What prune left, in order. */
  readonly operations: readonly Operation[];
  readonly versionOf: VersionOf;
  /** Is an operation that equals another one computed with it? Else each is computed for itself. */
  readonly shareNodes: boolean;
}

/**
 * Everything that a run computes, in primitives.
 *
 * @throws FeedError when a placeholder that the run needs is not fed.
 */
export const lower = (input: LowerInput): Sliced<LoweredRun> => new Lowering(input).run();

/** A variable of the run. */
interface State {
  readonly variable: Variable;
  readonly state: p.VariableState;
  /** Its value from before the run, and the newest one. */
  readonly initial: Value;
  last: Value;
}

class Lowering {
  readonly #operations: readonly Operation[];
  readonly #request: CompileRequest;
  readonly #versionOf: VersionOf;
  readonly #rewriter: Rewriter;
  readonly #sizes: SizeValues;
  readonly #feeds: readonly p.Feed[];
  readonly #fed: ReadonlySet<Tensor>;
  readonly #states = new Map<Tensor, State>();
  readonly #values = new Map<Tensor, Value>();
  readonly #views = new Map<Node, readonly p.View[]>();
  readonly #checks: p.Check[] = [];
  readonly #prints: LoweredRun['prints'][number][] = [];

  constructor({ request, operations, versionOf, shareNodes }: LowerInput) {
    this.#request = request;
    this.#operations = operations;
    this.#versionOf = versionOf;
    this.#sizes = new SizeValues(request.feeds, (key) => this.#variableOf(key));
    this.#rewriter = new Rewriter(shareNodes, (value) => this.#sizes.of(this.#viewOf(value)));
    this.#fed = new Set(request.feeds.map((f) => f.tensor));
    this.#feeds = request.feeds.map(({ tensor, shape }, number) => {
      const view = p.feed(number, tensor.dtype, shape);
      this.#values.set(tensor, this.#leaf(view, tensor.name));
      return view.node as p.Feed;
    });
  }

  *run(): Sliced<LoweredRun> {
    for (const operation of this.#operations) {
      this.#take(operation);
      yield;
    }
    const asked = this.#request.fetches.map((t) => this.#viewOf(this.#valueFor(undefined, t)));
    const fetches = [...asked, ...this.#prints.flatMap(({ views }) => views)];
    const states = [...this.#states.values()];
    const written = states.filter((v) => v.last !== v.initial);
    const updates = written.map((v) => ({ variable: v.state, value: this.#viewOf(v.last) }));
    const checks = this.#checks;
    const nodes = yield* reachable([...fetches.map((v) => v.node), ...updates.map((u) => u.value.node), ...checks]);
    const read = new Set<number>();
    const counters = new Set<string>();
    for (const n of nodes) {
      if (n.kind === 'read') read.add(n.variable.key);
      else if (n.kind === 'counter') counters.add(n.name);
      yield;
    }
    return {
      nodes,
      feeds: this.#feeds,
      fetches,
      updates,
      checks,
      reads: states.filter((v) => read.has(v.state.key)).map((v) => v.variable),
      writes: written.map((v) => v.variable),
      counters: [...counters],
      prints: this.#prints,
      sizeFeeds: this.#sizes.feeds.map((i) => this.#request.feeds[i].tensor),
    };
  }

  /** Makes a node of an operation, and values of its outputs. */
  #take(operation: Operation): void {
    const { inputs, outputs, attributes, name } = operation;
    const definition = definitionOf(operation);
    if (definition === VariableOp) return;
    if (outputs.length > 0 && outputs.every((t) => this.#values.has(t))) return;
    if (definition === PlaceholderOp) throw missingFeed(operation);
    const state = isAssign(operation) ? this.#stateOf(inputs[0]) : undefined;
    if (state && this.#fed.has(inputs[0])) throw assignedAndFed(operation);
    const values = inputs.map((t, i) => (state && i === 0 ? state.last : this.#valueFor(operation, t)));
    const share = !state && !definition.random && !definition.prints && outputs.length > 0;
    const made = this.#rewriter.make(
      { definition, inputs: values, attributes, name, line: () => operation.line },
      share,
    );
    outputs.forEach((t, i) => {
      if (!this.#values.has(t)) this.#values.set(t, made[i]);
    });
    // Checks hold for every operation of the run, also those whose values turn out not to be needed.
    if (made.length > 0) this.#viewOf(made[0]);
    if (state) state.last = made[0];
  }

  #leaf(view: p.View, name: string): Value {
    const outputs = [{ dtype: view.node.dtype, shape: view.shape }];
    const node: Node = { definition: LeafOp, inputs: [], attributes: {}, outputs, name, line: () => name };
    this.#views.set(node, [view]);
    return { node, index: 0 };
  }

  #stateOf(variable: Tensor): State {
    let known = this.#states.get(variable);
    if (!known) {
      const state = stateFor(variable);
      const initial = this.#leaf(p.read(state), variable.name);
      known = { variable: variable as Variable, state, initial, last: initial };
      this.#states.set(variable, known);
    }
    return known;
  }

  #variableOf(key: number): Variable {
    const found = [...this.#states.values()].find(({ state }) => state.key === key) as State;
    return found.variable;
  }

  /** The value of a tensor as an operation sees it. */
  #valueFor(operation: Operation | undefined, t: Tensor): Value {
    const known = this.#values.get(t);
    if (known) return known;
    const assignment = operation && this.#versionOf(operation, t);
    return assignment ? (this.#values.get(assignment.outputs[0]) as Value) : this.#stateOf(t).initial;
  }

  /** The primitives of a value, made only for what is used. Inputs first, without recursion: graphs are deep. */
  #viewOf({ node, index }: Value): p.View {
    const open = [node];
    while (open.length > 0) {
      const top = open[open.length - 1];
      const missing = this.#views.has(top) ? undefined : top.inputs.find((v) => !this.#views.has(v.node));
      if (missing) open.push(missing.node);
      else {
        open.pop();
        if (!this.#views.has(top)) this.#views.set(top, this.#lowered(top));
      }
    }
    return this.#views.get(node)![index];
  }

  #lowered({ definition, inputs, attributes, outputs, name, line }: Node): readonly p.View[] {
    const views = inputs.map((v) => this.#views.get(v.node)![v.index]);
    const result = definition.lower(views, {
      attributes,
      outputs,
      name,
      seed: this.#request.seed,
      value: (input) => this.#sizes.of(views[input]),
      print: (printed) => this.#prints.push({ ...printed, name }),
      require: (check) =>
        this.#checks.push({ ...check, message: `${check.message}\n    at ${name}, made at ${line()}` }),
    });
    return Array.isArray(result) ? result : [result as p.View];
  }
}

/** The primitives from which the given ones are computed, with them, in order of dependence. */
function* reachable(roots: readonly p.Primitive[]): Sliced<p.Primitive[]> {
  const found = new Set<p.Primitive>(roots);
  let first = Infinity;
  let last = 0;
  for (const node of found) {
    for (const v of p.operands(node)) found.add(v.node);
    first = Math.min(first, node.id);
    last = Math.max(last, node.id);
    yield;
  }
  // Their numbers are close together, so that each can be put in its place; to sort them takes long in one piece.
  const places = new Array<p.Primitive | undefined>(Math.max(0, last - first + 1));
  for (const node of found) places[node.id - first] = node;
  yield;
  return places.filter((node) => node !== undefined);
}

/** A variable as the compiler and backends see it. */
export function stateFor({ dtype, operation, shape }: Tensor): p.VariableState {
  return { key: operation.id, name: operation.name, dtype, shape: shape as readonly number[] };
}

function assignedAndFed(operation: Operation): FeedError {
  const [variable] = operation.inputs;
  return new FeedError(
    `${variable.name}, made at ${variable.operation.line}, is fed in a run that assigns to it (${operation.name}, made at ${operation.line}). ` +
      'Feed it in a run of its own, or set it with tf.assign.',
  );
}

function missingFeed(operation: Operation): FeedError {
  const { dtype, shape } = operation.outputs[0];
  const scalar = dtype === 'bool' ? 'true' : isFloat(dtype) ? '0.5' : '1';
  const example = isKnown(shape) && shape.length === 0 ? scalar : 'value';
  return new FeedError(
    `The placeholder ${operation.name} (${dtype}, ${showShape(shape)}), made at ${operation.line}, is needed but not fed: ` +
      `add a pair [${operation.name}, ${example}] to the feeds, as in run([[${operation.name}, ${example}], …]).`,
  );
}
