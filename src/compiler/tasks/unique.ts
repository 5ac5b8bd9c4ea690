// Unique: equal primitives are one, as the largest of a row from which both softmax and its logarithm
// begin. The graph's rewriting shares equal operations; this shares what different ones have in common.

import type { Sliced } from '../../base/turns.ts';
import { type Check, type Lowered, type Primitive, type View, withOperands } from '../../primitives/primitives.ts';
import type { Scalar } from '../../primitives/scalar.ts';
import { written } from './structure.ts';

/** The same run with every map, reduction and single number once. Others are rarely equal, or, as copies, cheap. */
export function* unique(lowered: Lowered): Sliced<Lowered> {
  const made = new Map<Primitive, Primitive>();
  const known = new Map<string, Primitive>();
  const texts = new Texts();
  const view = (v: View): View => {
    const node = made.get(v.node);
    return node ? { ...v, node } : v;
  };
  const nodes: Primitive[] = [];
  for (const node of lowered.nodes) {
    const changed = withOperands(node, view);
    const text = texts.of(changed);
    const equal = text === undefined ? undefined : known.get(text);
    if (equal || changed !== node) made.set(node, equal ?? changed);
    if (!equal) {
      if (text !== undefined) known.set(text, changed);
      nodes.push(changed);
    }
    yield;
  }
  if (made.size === 0) return lowered;
  return {
    ...lowered,
    nodes,
    fetches: lowered.fetches.map(view),
    updates: lowered.updates.map((u) => ({ ...u, value: view(u.value) })),
    checks: lowered.checks.map((c) => (made.get(c) ?? c) as Check),
  };
}

/** Texts that are the same for what computes the same. */
class Texts {
  readonly #numbers = new Map<string, number>();
  readonly #scalars = new Map<Scalar, number>();

  of(node: Primitive): string | undefined {
    const { kind, dtype, shape } = node;
    const begin = `${kind} ${dtype} ${shape.join(',')}`;
    if (node.kind === 'constant')
      return node.data.length === 1 ? `${begin} ${written(Number(node.data[0]))}` : undefined;
    if (node.kind === 'reduce') return `${begin} ${node.op} ${view(node.x)}`;
    if (node.kind === 'map') return `${begin} ${this.#scalar(node.body)} ${node.inputs.map(view).join(' ')}`;
    return undefined;
  }

  /** A number for an expression: equal ones have the same. */
  #scalar(x: Scalar): number {
    let known = this.#scalars.get(x);
    if (known === undefined) {
      const args = x.args.map((a) => this.#scalar(a));
      const text = `${x.op} ${x.dtype} ${written(x.value)} ${x.key ?? ''} ${args.join(' ')}`;
      known = this.#numbers.get(text) ?? this.#numbers.size;
      this.#numbers.set(text, known);
      this.#scalars.set(x, known);
    }
    return known;
  }
}

const view = ({ node, shape, strides, offset }: View): string =>
  `${node.id}:${shape.join(',')}:${strides.join(',')}:${offset}`;
