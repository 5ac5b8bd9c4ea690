// Fuse: primitives → tasks. All by size and cost; no shape of a particular model is looked for. Where a primitive goes,
// with y = relu(x·w + b), a loss from it, and Adam's update of w by its gradient g:
//
//   root      x·w                    what reduces, contracts or moves data begins a task
//   host       └─ + b ─ relu         a map joins the task that produces what it reads, if every element lines up
//   inline    Σ (y − t)²             y − t and its square are computed where the sum reads them (inline.ts), not stored
//   sibling   m′, v′, w′             kept results that read the same array, here g, are one task: it is fetched once
//
// What is none of these, a map that fits nowhere or a part of an array, is a task of its own.

import type { Sliced } from '../../base/turns.ts';
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
import { type Inlined, inline, isOne, mostCost, mostSteps } from './inline.ts';

/** A task being built: outputs are added as maps join it. */
class Group {
  readonly id: number;
  readonly shape: readonly number[];
  readonly root: Root | undefined;
  /** What the root reads, and what the outputs read beside it. */
  readonly operands: View[] = [];
  readonly inputs: View[] = [];
  operandBody: Scalar | undefined;
  readonly outputs: Output[] = [];
  /** Nodes computed here, with their value in terms of `inputs`. */
  readonly values = new Map<Primitive, Scalar>();
  /** Groups that read what it computes. */
  readonly readers = new Set<Group>();
  /** How many maps follow each other in it, at most. */
  steps = 0;
  /** What an element costs beside the root. */
  cost = 0;

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
  const isArray = (v: View): boolean =>
    isStored(v.node) && isDense(v) && v.offset === 0 && elements(v.shape) === elements(v.node.shape);
  const arrays = new Map<View, View>();
  const arrayOf = (v: View): View => {
    const array = arrays.get(v) ?? (isArray(v) ? v : copyOf(v));
    arrays.set(v, array);
    return array;
  };
  const fetches = lowered.fetches.map(arrayOf);
  const taken = new Set<Primitive>();
  const updates = lowered.updates.map(({ variable, value }) => {
    // Two variables cannot lie in one place.
    const result = taken.has(value.node) ? copyOf(value) : arrayOf(value);
    taken.add(result.node);
    return { variable, value: result };
  });
  const roots = new Set([...fetches, ...updates.map((u) => u.value)].map((v) => v.node));
  const nodes = [...lowered.nodes, ...made];
  const inlined = yield* inline(nodes, roots);
  return { tasks: yield* new Fusion(nodes, roots, inlined).run(), fetches, updates };
}

class Fusion {
  readonly #nodes: readonly Primitive[];
  readonly #keep: ReadonlySet<Primitive>;
  readonly #inlined: Inlined;
  readonly #group = new Map<Primitive, Group>();
  readonly #groups: Group[] = [];
  /** The last task of maps alone that reads a node. */
  readonly #latestReader = new Map<Primitive, Group>();

  constructor(nodes: readonly Primitive[], keep: ReadonlySet<Primitive>, inlined: Inlined) {
    this.#nodes = nodes;
    this.#keep = keep;
    this.#inlined = inlined;
  }

  *run(): Sliced<Task[]> {
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

  #place(n: Primitive): void {
    if (!isStored(n) || this.#inlined.has(n)) return;
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
    const body = this.#read(group, v, 'inputs');
    group.outputs.push({ node: n, body, ...store });
    const others = this.#group.get(n);
    others?.readers.add(group);
    this.#group.set(n, group);
  }

  #placeRoot(n: Root): void {
    const group = this.#newGroup(n.shape, n);
    if (n.kind === 'reduce' || n.kind === 'argReduce') {
      group.operandBody = this.#read(group, n.x, 'operands');
    } else if (n.kind === 'check') {
      const parts = n.inputs.map((v) => this.#read(group, v, 'operands'));
      group.operandBody = s.substitute(n.body, (e) => (e.op === 'input' ? parts[e.value] : e));
      // The value to report comes last.
      group.outputs.push({ node: n, body: parts[0], strides: [], offset: 0, fill: undefined });
    } else {
      // One repeated element is stored once.
      for (const v of operandsOf(n)) {
        group.operands.push(isOne(v.node) ? { ...v, strides: v.shape.map(() => 0), offset: 0 } : v);
        this.#depend(group, v.node);
      }
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
    for (const v of n.inputs) this.#inlined.sources(v.node, sources);
    const host = this.#hostFor(n, sources) ?? this.#siblingFor(n, sources);
    const group = host ?? this.#newGroup(n.shape, undefined);
    const views = n.inputs.map((v) => (host ? this.#reshaped(v, group) : v) as View);
    group.steps += this.#inlined.stepsOf(n);
    group.cost += this.#inlined.costOf(n);
    const parts = views.map((v) => this.#read(group, v, 'inputs'));
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

  #reshaped(v: View, host: Group): View | undefined {
    const strides = reshapedStrides(v, host.shape);
    return strides && { ...v, shape: host.shape, strides };
  }

  /** May a task read this view while it computes? What it produces itself only element by element, in place. */
  #readable(v: View, host: Group): boolean {
    if (host.values.has(v.node)) return isDense(v) && v.offset === 0;
    const map = this.#inlined.get(v.node);
    if (!map) return true;
    return (
      map.inputs.every((inner) => {
        const through = compose(v, inner);
        return through !== undefined && this.#readable(through, host);
      }) && this.#inlined.composes(v, map)
    );
  }

  /**
   * The value at a view as an expression over the group's operands or inputs, to which the arrays that it reads are
   * added. Outputs find in registers what the group has computed; operands are read before that.
   */
  #read(group: Group, v: View, reader: 'operands' | 'inputs'): Scalar {
    const { node } = v;
    if (isOne(node) && node.kind === 'constant') return s.constant(node.data[0], node.dtype);
    const own = group.values.get(node);
    if (own && reader === 'inputs') return own;
    const map = this.#inlined.get(node);
    if (map) {
      const axes = decompose(v);
      const parts = map.inputs.map((inner) => this.#read(group, compose(v, inner) as View, reader));
      return s.substitute(map.body, (e) => {
        if (e.op === 'input') return parts[e.value];
        return e.op === 'index' ? affine(axes![e.value]) : e;
      });
    }
    this.#depend(group, node);
    const views = group[reader];
    const known = views.findIndex((w) => sameView(w, v));
    return s.input(known >= 0 ? known : views.push(v) - 1, node.dtype);
  }

  #depend(group: Group, node: Primitive): void {
    const source = this.#group.get(node);
    if (source !== group) source?.readers.add(group);
  }
}

/** Tasks of many arrays would only fight for registers and pointers. */
const mostInputs = 16;

/** Can maps join the task? */
const welcomes = (g: Group) =>
  (g.root === undefined || g.root.kind === 'reduce' || g.root.kind === 'contract') &&
  g.outputs.every((o) => g.values.has(o.node)) &&
  g.inputs.length < mostInputs &&
  g.steps < mostSteps &&
  g.cost < mostCost;

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
