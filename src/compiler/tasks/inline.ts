// Inline: the maps that are computed where they are read, each time anew, because that is cheaper than to store them.

import { addTo } from '../../base/multimap.ts';
import type { Sliced } from '../../base/turns.ts';
import { taskCost } from '../../kernels/body/cost.ts';
import { type MapPrimitive, operands as operandsOf, type Primitive, type View } from '../../primitives/primitives.ts';
import type { Scalar } from '../../primitives/scalar.ts';
import * as s from '../../primitives/scalar.ts';
import { elements } from '../../tensor/shape.ts';
import { compose, decompose } from './compose.ts';

/** Longer chains gain nothing more, and expressions must not become too deep to walk. */
export const mostSteps = 64;
/** Beside so much work a store and a load are nothing, and compilers take long for longer bodies. */
export const mostCost = 400;

/** The primitives that can compute what they read. */
const readsMaps: ReadonlySet<Primitive['kind']> = new Set(['map', 'reduce', 'argReduce', 'pad', 'concat', 'check']);

export const isOne = (n: Primitive): boolean => n.kind === 'constant' && n.data.length === 1;

/** Is the expression a constant where its inputs are? */
const isFolded = (body: Scalar): boolean =>
  s.substitute(body, (e) => (e.op === 'input' ? s.constant(1, e.dtype) : e)).op === 'constant';

/** Has a view one element for each row, or for all? Whoever walks along rows reads it once for each. */
const isOnePerRow = (v: View): boolean =>
  elements(v.node.shape) === 1 || (v.strides.at(-1) === 0 && v.shape.at(-1) !== 1);

/** Decides on all maps; what is `kept` when the run is done must be stored. */
export function* inline(nodes: readonly Primitive[], kept: ReadonlySet<Primitive>): Sliced<Inlined> {
  const uses = new Map<Primitive, Use[]>();
  for (const by of nodes) {
    for (const view of operandsOf(by)) addTo(uses, view.node, { by, view });
    yield;
  }
  const inlined = new Inlined();
  for (const n of nodes) {
    // A map's inputs come before it, so it is known whether they are inline.
    if (n.kind === 'map' && !kept.has(n)) inlined.decide(n, uses.get(n) ?? []);
    yield;
  }
  return inlined;
}

interface Use {
  readonly by: Primitive;
  readonly view: View;
}

export class Inlined {
  /** With the length of the chain of such maps that ends in one, and what an element costs. */
  readonly #maps = new Map<Primitive, { readonly steps: number; readonly cost: number }>();
  /** Those of them that are one constant. */
  readonly #known = new Set<Primitive>();

  has(n: Primitive): boolean {
    return this.#maps.has(n);
  }

  /** The map, if the node is computed where it is read. */
  get(n: Primitive): MapPrimitive | undefined {
    return this.#maps.has(n) ? (n as MapPrimitive) : undefined;
  }

  /** Notes the map as inline if it is cheaper to compute at each of its uses than to store. */
  decide(n: MapPrimitive, uses: readonly Use[]): void {
    const steps = this.stepsOf(n);
    if (uses.length === 0 || steps > mostSteps) return;
    if (!uses.every(({ by, view }) => readsMaps.has(by.kind) && this.composes(view, n))) return;
    const isKnown = (v: View) => isOne(v.node) || this.#known.has(v.node);
    if (n.inputs.length > 0 && n.inputs.every(isKnown) && isFolded(n.body)) {
      this.#known.add(n);
      this.#maps.set(n, { steps, cost: 0 });
      return;
    }
    const arrays = n.inputs.filter((v) => !isKnown(v) && !isOnePerRow(v)).length;
    const once = uses.length === 1 && elements(uses[0].view.shape) <= elements(n.shape);
    const cost = this.costOf(n);
    if ((once && cost <= mostCost) || (cost <= 2 && arrays <= 1)) this.#maps.set(n, { steps, cost });
  }

  /** The length of the chain of inlined maps that ends in this one. */
  stepsOf(n: MapPrimitive): number {
    return 1 + Math.max(0, ...n.inputs.map((v) => this.#maps.get(v.node)?.steps ?? 0));
  }

  /** What an element of the map costs, with the inlined maps that it reads. */
  costOf(n: MapPrimitive): number {
    return n.inputs.reduce((sum, v) => sum + (this.#maps.get(v.node)?.cost ?? 0), taskCost([n.body]));
  }

  /** Can the map's inputs be read directly through a view of its result, and theirs where they are computed there too? */
  composes(view: View, n: MapPrimitive): boolean {
    if (s.usesIndex(n.body) && !decompose(view)) return false;
    return n.inputs.every((inner) => {
      const through = compose(view, inner);
      const map = this.get(inner.node);
      return through !== undefined && (!map || this.composes(through, map));
    });
  }

  /** The stored nodes from which a node is computed where it is read: itself, if it is stored. */
  sources(n: Primitive, into: Set<Primitive>): void {
    if (this.has(n)) for (const v of operandsOf(n)) this.sources(v.node, into);
    else into.add(n);
  }
}
