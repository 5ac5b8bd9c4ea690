// Pass 3, lower: the pruned and rewritten graph in primitives. State becomes explicit here: a variable is read once,
// and each assignment makes a new version of it, so the passes after this one know nothing of order or time.

import { FeedError } from '../../base/errors.ts';
import { atOnce, type Steps } from '../../base/turns.ts';
import type { Operation } from '../../graph/operation.ts';
import type { Tensor, Variable } from '../../graph/tensor.ts';
import { definitionOf } from '../../ops/define.ts';
import { PlaceholderOp } from '../../ops/placeholder.ts';
import { isAssign, VariableOp } from '../../ops/variable.ts';
import * as p from '../../primitives/primitives.ts';
import { isKnown, showShape } from '../../tensor/shape.ts';
import { prune } from './prune.ts';
import type { CompileRequest, LoweredRun } from './request.ts';
import { type Node, Rewriter, type Value } from './rewrite.ts';
import { assignmentsBefore } from './versions.ts';

/** A leaf of the compiler's graph: fed, or a version of a variable. */
const LeafOp = { name: 'Leaf', infer: () => [], lower: () => [] };

/** Without sharing, equal operations are computed each for itself. */
interface LowerOptions {
  readonly share: boolean;
}

/**
 * Everything that a run computes, in primitives.
 *
 * @throws FeedError when a placeholder that the run needs is not fed.
 */
export const lower = (request: CompileRequest, options?: LowerOptions): LoweredRun =>
  atOnce(lowering(request, options));

/** The same, step by step. */
export function* lowering(request: CompileRequest, options: LowerOptions = { share: true }): Steps<LoweredRun> {
  const operations = yield* prune(request);
  const before = yield* assignmentsBefore(operations);
  const rewriter = new Rewriter(options.share);
  const values = new Map<Tensor, Value>();
  const views = new Map<Node, readonly p.View[]>();
  const checks: p.Check[] = [];

  const leaf = (view: p.View, name: string): Value => {
    const outputs = [{ dtype: view.node.dtype, shape: view.shape }];
    const node: Node = { definition: LeafOp, inputs: [], attributes: {}, outputs, name, line: () => name };
    views.set(node, [view]);
    return { node, index: 0 };
  };

  const fed = new Set(request.feeds.map((f) => f.tensor));
  const feeds = request.feeds.map(({ tensor, shape }, number) => {
    const view = p.feed(number, tensor.dtype, shape);
    values.set(tensor, leaf(view, tensor.name));
    return view.node as p.Feed;
  });

  // ---- variables
  const states = new Map<Tensor, { variable: Variable; state: p.VariableState; initial: Value; last: Value }>();
  const stateOf = (variable: Tensor) => {
    let known = states.get(variable);
    if (!known) {
      const state = stateFor(variable);
      const initial = leaf(p.read(state), variable.name);
      known = { variable: variable as Variable, state, initial, last: initial };
      states.set(variable, known);
    }
    return known;
  };
  const valueFor = (operation: Operation | undefined, t: Tensor): Value => {
    const known = values.get(t);
    if (known) return known;
    const assignment = operation && before(operation, t);
    return assignment ? (values.get(assignment.outputs[0]) as Value) : stateOf(t).initial;
  };

  // ---- views, made only for what is used
  const viewOf = ({ node, index }: Value): p.View => {
    const open = [node];
    while (open.length > 0) {
      const top = open[open.length - 1];
      const missing = views.has(top) ? undefined : top.inputs.find((v) => !views.has(v.node));
      if (missing) open.push(missing.node);
      else {
        open.pop();
        if (!views.has(top))
          views.set(
            top,
            lowerNode(top, (v) => views.get(v.node)![v.index], request.seed, checks),
          );
      }
    }
    return views.get(node)![index];
  };

  for (const operation of operations) {
    const definition = definitionOf(operation);
    if (definition === VariableOp) continue;
    if (operation.outputs.length > 0 && operation.outputs.every((t) => values.has(t))) continue;
    if (definition === PlaceholderOp) throw missingFeed(operation);
    const state = isAssign(operation) ? stateOf(operation.inputs[0]) : undefined;
    if (state && fed.has(operation.inputs[0])) throw assignedAndFed(operation);
    const inputs = operation.inputs.map((t, i) => (state && i === 0 ? state.last : valueFor(operation, t)));
    const line = () => operation.line;
    const share = !state && !definition.random && operation.outputs.length > 0;
    const outputs = rewriter.make(definition, inputs, operation.attributes, operation.name, line, share);
    operation.outputs.forEach((t, i) => {
      if (!values.has(t)) values.set(t, outputs[i]);
    });
    // Checks hold for every operation of the run, also those whose values turn out not to be needed.
    if (outputs.length > 0) viewOf(outputs[0]);
    if (state) state.last = outputs[0];
    yield;
  }

  const fetches = request.fetches.map((t) => viewOf(valueFor(undefined, t)));
  const written = [...states.values()].filter((v) => v.last !== v.initial);
  const updates = written.map((v) => ({ variable: v.state, value: viewOf(v.last) }));
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
    feeds,
    fetches,
    updates,
    checks,
    reads: [...states.values()].filter((v) => read.has(v.state.key)).map((v) => v.variable),
    writes: written.map((v) => v.variable),
    counters: [...counters],
  };
}

function stateFor(variable: Tensor): p.VariableState {
  const { dtype, operation, shape } = variable;
  return { key: operation.id, name: operation.name, dtype, shape: shape as readonly number[] };
}

function lowerNode(node: Node, view: (v: Value) => p.View, seed: number, checks: p.Check[]): readonly p.View[] {
  const result = node.definition.lower(node.inputs.map(view), {
    attributes: node.attributes,
    outputs: node.outputs,
    name: node.name,
    seed,
    require: (check) =>
      checks.push({ ...check, message: `${check.message}\n    at ${node.name}, made at ${node.line()}` }),
  });
  return Array.isArray(result) ? result : [result as p.View];
}

/** The primitives from which the given ones are computed, with them, in order of dependence. */
function* reachable(roots: readonly p.Primitive[]): Steps<p.Primitive[]> {
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

function assignedAndFed(operation: Operation): FeedError {
  const [variable] = operation.inputs;
  return new FeedError(
    `${variable.name}, made at ${variable.operation.line}, is fed in a run that assigns to it (${operation.name}, made at ${operation.line}). ` +
      'Feed it in a run of its own, or set it with tf.assign.',
  );
}

function missingFeed(operation: Operation): FeedError {
  const { dtype, shape } = operation.outputs[0];
  const example = isKnown(shape) && shape.length === 0 ? '0.5' : 'value';
  return new FeedError(
    `The placeholder ${operation.name} (${dtype}, ${showShape(shape)}), made at ${operation.line}, is needed but not fed: ` +
      `add a pair [${operation.name}, ${example}] to the feeds, as in run([[${operation.name}, ${example}], …]).`,
  );
}
