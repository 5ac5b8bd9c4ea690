// Fuse: primitives → tasks. Maps are computed where they are read when that is cheaper than storing them, and
// join the task that produces what they read. All by size and cost; no shape of a particular model is looked for.

import { addTo } from '../../base/multimap.ts';
import type { Sliced } from '../../base/turns.ts';
import { taskCost } from '../../kernels/body/cost.ts';
import {
  isDense,
  isStored,
  type Lowered,
  type MapPrimitive,
  map as mapPrimitive,
  operands as operandsOf,
  type Primitive,
  reshapedStrides,
  type View,
} from '../../primitives/primitives.ts';
import type { Scalar } from '../../primitives/scalar.ts';
import * as s from '../../primitives/scalar.ts';
import type { Output, Root, Task } from '../../primitives/task.ts';
import { elements, rowMajor } from '../../tensor/shape.ts';
import { compose, decompose } from './compose.ts';

/** A task being built: outputs are added as maps join it. */
class Group {
  readonly id: number;
  readonly shape: readonly number[];
  readonly root: Root | undefined;
  operands: readonly View[] = [];
  operandBody: Scalar | undefined;
  readonly inputs: View[] = [];
  readonly outputs: Output[] = [];
  /** Nodes computed here, with their value in terms of `inputs`. */
  readonly values = new Map<Primitive, Scalar>();
  /** Groups that read what it computes. */
  readonly readers = new Set<Group>();
  /** How many maps follow each other in it, at most. */
  steps = 0;

  constructor(id: number, shape: readonly number[], root: Root | undefined) {
    this.id = id;
    this.shape = shape;
    this.root = root;
  }
}

/** The tasks of a run, and the views to fetch and assign, each now a whole stored array. */
export interface Fused {
  readonly tasks: readonly Task[];
  readonly fetches: readonly View[];
  readonly updates: Lowered['updates'];
}

export function* fuse(lowered: Lowered): Sliced<Fused> {
  const made: Primitive[] = [];
  const copyOf = (v: View): View => {
    const copy = mapPrimitive([v], (x) => x);
    made.push(copy.node);
    return copy;
  };
  const wholeCopy = (v: View): View =>
    isStored(v.node) && isDense(v) && v.offset === 0 && elements(v.shape) === elements(v.node.shape) ? v : copyOf(v);
  const copied = new Map<View, View>();
  const copyOnce = (v: View) => {
    const copy = copied.get(v) ?? wholeCopy(v);
    copied.set(v, copy);
    return copy;
  };
  const fetches = lowered.fetches.map(copyOnce);
  const taken = new Set<Primitive>();
  const updates = lowered.updates.map(({ variable, value }) => {
    // Two variables cannot lie in one place.
    const result = taken.has(value.node) ? copyOf(value) : copyOnce(value);
    taken.add(result.node);
    return { variable, value: result };
  });
  const roots = new Set([...fetches, ...updates.map((u) => u.value)].map((v) => v.node));
  return { tasks: yield* new Fusion([...lowered.nodes, ...made], roots).run(), fetches, updates };
}

const isOne = (n: Primitive) => n.kind === 'constant' && n.data.length === 1;

/** Is the expression a constant where its inputs are? */
const isFolded = (body: Scalar) =>
  s.substitute(body, (e) => (e.op === 'input' ? s.constant(1, e.dtype) : e)).op === 'constant';

/** Has a view one element for each row, or for all? Whoever walks along rows reads it once for each. */
const isOnePerRow = (v: View) => elements(v.node.shape) === 1 || (v.strides.at(-1) === 0 && v.shape.at(-1) !== 1);

class Fusion {
  readonly #nodes: readonly Primitive[];
  readonly #keep: ReadonlySet<Primitive>;
  readonly #uses = new Map<Primitive, { by: Primitive; view: View }[]>();
  /** Maps that are computed where they are read, with the length of the chain of such maps that ends in them, and its cost. */
  readonly #inline = new Map<Primitive, { readonly steps: number; readonly cost: number }>();
  /** Those of them that are one constant. */
  readonly #known = new Set<Primitive>();
  readonly #group = new Map<Primitive, Group>();
  readonly #groups: Group[] = [];
  /** The last task of maps alone that reads a node. */
  readonly #latestReader = new Map<Primitive, Group>();

  constructor(nodes: readonly Primitive[], keep: ReadonlySet<Primitive>) {
    this.#nodes = nodes;
    this.#keep = keep;
  }

  *run(): Sliced<Task[]> {
    for (const by of this.#nodes) {
      for (const view of operandsOf(by)) addTo(this.#uses, view.node, { by, view });
      yield;
    }
    for (const n of this.#nodes) {
      if (n.kind === 'map') this.#decideInline(n);
      yield;
    }
    for (const n of this.#nodes) {
      this.#place(n);
      yield;
    }
    const used = new Set<Primitive>(this.#keep);
    for (const g of this.#groups) {
      for (const v of [...g.inputs, ...g.operands]) used.add(v.node);
      yield;
    }
    const tasks: Task[] = [];
    for (const g of this.#groups) {
      tasks.push(finish(g, used));
      yield;
    }
    return tasks;
  }

  /** Notes the map as inline if it is cheaper to compute at each of its uses than to store. */
  #decideInline(n: MapPrimitive): void {
    const uses = this.#uses.get(n) ?? [];
    const steps = this.#stepsOf(n);
    if (this.#keep.has(n) || uses.length === 0 || steps > mostSteps) return;
    if (!uses.every(({ by, view }) => readsMaps.has(by.kind) && this.#composes(view, n))) return;
    const isKnown = (v: View) => isOne(v.node) || this.#known.has(v.node);
    if (n.inputs.length > 0 && n.inputs.every(isKnown) && isFolded(n.body)) {
      this.#known.add(n);
      this.#inline.set(n, { steps, cost: 0 });
      return;
    }
    const arrays = n.inputs.filter((v) => !isKnown(v) && !isOnePerRow(v)).length;
    const once = uses.length === 1 && elements(uses[0].view.shape) <= elements(n.shape);
    const cost = n.inputs.reduce((sum, v) => sum + (this.#inline.get(v.node)?.cost ?? 0), taskCost([n.body]));
    if (once || (cost <= 2 && arrays <= 1)) this.#inline.set(n, { steps, cost });
  }

  /** The length of the chain of inlined maps that ends in this one. */
  #stepsOf(n: MapPrimitive): number {
    return 1 + Math.max(0, ...n.inputs.map((v) => this.#inline.get(v.node)?.steps ?? 0));
  }

  /** Can the map's inputs be read directly through a view of its result, and theirs where they are computed there too? */
  #composes(view: View, n: MapPrimitive): boolean {
    if (s.usesIndex(n.body) && !decompose(view)) return false;
    return n.inputs.every((inner) => {
      const through = compose(view, inner);
      if (!through) return false;
      const inlined = inner.node.kind === 'map' && this.#inline.has(inner.node);
      return !inlined || this.#composes(through, inner.node as MapPrimitive);
    });
  }

  #place(n: Primitive): void {
    if (!isStored(n) || this.#inline.has(n)) return;
    if (n.kind === 'map') this.#placeMap(n);
    else if (n.kind === 'pad') {
      const strides = rowMajor(n.shape);
      const store = {
        strides: n.step.map((k, i) => k * strides[i]),
        offset: n.low.reduce((sum, low, i) => sum + low * strides[i], 0),
        fill: n.value,
      };
      this.#store(n, n.x, store);
    } else if (n.kind === 'concat') {
      const strides = rowMajor(n.shape);
      let offset = 0;
      for (const v of n.inputs) {
        this.#store(n, v, { strides, offset, fill: undefined });
        offset += v.shape[n.axis] * strides[n.axis];
      }
    } else this.#placeRoot(n as Root);
  }

  #newGroup(shape: readonly number[], root: Root | undefined): Group {
    const group = new Group(this.#groups.length, shape, root);
    this.#groups.push(group);
    return group;
  }

  /** A task that stores a view's elements at a part of the node's array. */
  #store(n: Primitive, v: View, store: Pick<Output, 'strides' | 'offset' | 'fill'>): void {
    const group = this.#newGroup(v.shape, undefined);
    const body = this.#read(group, v, group.inputs);
    group.outputs.push({ node: n, body, ...store });
    const others = this.#group.get(n);
    others?.readers.add(group);
    this.#group.set(n, group);
  }

  #placeRoot(n: Root): void {
    const group = this.#newGroup(n.shape, n);
    if (n.kind === 'reduce' || n.kind === 'argReduce') {
      const operands: View[] = [];
      group.operandBody = this.#read(group, n.x, operands);
      group.operands = operands;
    } else if (n.kind === 'check') {
      const operands: View[] = [];
      const parts = n.inputs.map((v) => this.#read(group, v, operands));
      group.operandBody = s.substitute(n.body, (e) => (e.op === 'input' ? parts[e.value] : e));
      // The value to report comes last.
      group.outputs.push({ node: n, body: parts[0], strides: [], offset: 0, fill: undefined });
      group.operands = operands;
    } else {
      // One repeated element is stored once.
      group.operands = operandsOf(n).map((v) =>
        isOne(v.node) ? { ...v, strides: v.shape.map(() => 0), offset: 0 } : v,
      );
      for (const v of group.operands) this.#depend(group, v.node);
    }
    this.#group.set(n, group);
    if (n.kind !== 'check') this.#define(group, n, s.input(-1, n.dtype));
  }

  #define(group: Group, n: Primitive, body: Scalar): void {
    group.values.set(n, body);
    group.outputs.push({ node: n, body, strides: rowMajor(group.shape), offset: 0, fill: undefined });
    this.#group.set(n, group);
  }

  /** Into the task that produces its latest input, if every element lines up, or beside it; else a task of its own. */
  #placeMap(n: MapPrimitive): void {
    const sources = new Set<Primitive>();
    for (const v of n.inputs) this.#sources(v.node, sources);
    const host = this.#hostFor(n, sources) ?? this.#siblingFor(n, sources);
    const group = host ?? this.#newGroup(n.shape, undefined);
    const views = n.inputs.map((v) => (host ? this.#reshaped(v, group) : v) as View);
    group.steps += this.#stepsOf(n);
    const parts = views.map((v) => this.#read(group, v, group.inputs));
    this.#define(
      group,
      n,
      s.substitute(n.body, (e) => (e.op === 'input' ? parts[e.value] : e)),
    );
    if (!group.root) for (const { node } of group.inputs) this.#latestReader.set(node, group);
  }

  #hostFor(n: MapPrimitive, sources: ReadonlySet<Primitive>): Group | undefined {
    const groups = new Set([...sources].flatMap((source) => this.#group.get(source) ?? []));
    for (const host of [...groups].sort((a, b) => b.id - a.id)) {
      if (!this.#fits(n, host)) continue;
      const others = [...groups].filter((g) => g !== host);
      if (others.length > 0 && leadsTo(host, others)) continue;
      return host;
    }
    return undefined;
  }

  /**
   * A task that reads an array which the map reads too: it is fetched once for both, as a gradient for the means of Adam.
   * Only of results that are kept in any case, so that nothing lives longer for it, and before anything waits for them.
   */
  #siblingFor(n: MapPrimitive, sources: ReadonlySet<Primitive>): Group | undefined {
    if (!this.#keep.has(n)) return undefined;
    for (const source of sources) {
      const group = elements(source.shape) > 1 ? this.#latestReader.get(source) : undefined;
      if (!group || group.readers.size > 0 || !group.outputs.every((o) => this.#keep.has(o.node))) continue;
      if (this.#fits(n, group)) return group;
    }
    return undefined;
  }

  /** Does every element of the map line up with one of the task? */
  #fits(n: MapPrimitive, host: Group): boolean {
    if (!welcomes(host) || elements(host.shape) !== elements(n.shape)) return false;
    const same = host.shape.length === n.shape.length && host.shape.every((d, i) => d === n.shape[i]);
    if (s.usesIndex(n.body) && !same) return false;
    return n.inputs.every((v) => {
      const r = this.#reshaped(v, host);
      return r !== undefined && this.#readable(r, host);
    });
  }

  /** The stored nodes from which a node is computed where it is read: itself, if it is stored. */
  #sources(n: Primitive, into: Set<Primitive>): void {
    if (this.#inline.has(n)) for (const v of operandsOf(n)) this.#sources(v.node, into);
    else into.add(n);
  }

  #reshaped(v: View, host: Group): View | undefined {
    const strides = reshapedStrides(v, host.shape);
    return strides && { ...v, shape: host.shape, strides };
  }

  /** May a task read this view while it computes? What it produces itself only element by element, in place. */
  #readable(v: View, host: Group): boolean {
    if (host.values.has(v.node)) return isDense(v) && v.offset === 0;
    if (!this.#inline.has(v.node)) return true;
    const n = v.node as MapPrimitive;
    return (
      n.inputs.every((inner) => {
        const through = compose(v, inner);
        return through !== undefined && this.#readable(through, host);
      }) && this.#composes(v, n)
    );
  }

  /** The value at a view as an expression over `inputs`, to which the arrays that it reads are added. */
  #read(group: Group, v: View, inputs: View[]): Scalar {
    const { node } = v;
    if (isOne(node) && node.kind === 'constant') return s.constant(node.data[0], node.dtype);
    const own = group.values.get(node);
    if (own && inputs === group.inputs) return own;
    if (node.kind === 'map' && this.#inline.has(node)) {
      const axes = decompose(v);
      const parts = node.inputs.map((inner) => this.#read(group, compose(v, inner) as View, inputs));
      return s.substitute(node.body, (e) => {
        if (e.op === 'input') return parts[e.value];
        return e.op === 'index' ? affine(axes![e.value]) : e;
      });
    }
    this.#depend(group, node);
    const known = inputs.findIndex((w) => sameView(w, v));
    return s.input(known >= 0 ? known : inputs.push(v) - 1, node.dtype);
  }

  #depend(group: Group, node: Primitive): void {
    const source = this.#group.get(node);
    if (source !== group) source?.readers.add(group);
  }
}

/** The primitives that can compute what they read. */
const readsMaps: ReadonlySet<Primitive['kind']> = new Set(['map', 'reduce', 'argReduce', 'pad', 'concat', 'check']);

/** Longer chains gain nothing more, and expressions must not become too deep to walk. */
const mostSteps = 64;
/** Tasks of many arrays would only fight for registers and pointers. */
const mostInputs = 16;

/** Can maps join the task? */
const welcomes = (g: Group) =>
  (g.root === undefined || g.root.kind === 'reduce' || g.root.kind === 'contract') &&
  g.outputs.every((o) => g.values.has(o.node)) &&
  g.inputs.length < mostInputs &&
  g.steps < mostSteps;

function affine({ offset, coefficients }: { offset: number; coefficients: readonly number[] }): Scalar {
  let sum: Scalar | undefined;
  coefficients.forEach((c, axis) => {
    if (c === 0) return;
    const term = c === 1 ? s.index(axis) : s.mul(s.index(axis), c);
    sum = sum ? s.add(sum, term) : term;
  });
  if (!sum) return s.constant(offset, 'int32');
  return offset === 0 ? sum : s.add(sum, offset);
}

const sameView = (a: View, b: View) =>
  a.node === b.node && a.offset === b.offset && a.strides.every((n, i) => n === b.strides[i] || a.shape[i] === 1);

/** Does any of some tasks need, directly or not, what another computes? Asked mostly of tasks just made: few need them yet. */
function leadsTo(from: Group, targets: readonly Group[]): boolean {
  const seen = new Set<Group>([from]);
  for (const g of seen) {
    if (targets.includes(g)) return true;
    for (const reader of g.readers) seen.add(reader);
  }
  return false;
}

function finish(g: Group, used: ReadonlySet<Primitive>): Task {
  const outputs = g.outputs.filter((o) => o.node.kind === 'check' || used.has(o.node));
  return { shape: g.shape, root: g.root, operands: g.operands, operandBody: g.operandBody, inputs: g.inputs, outputs };
}
