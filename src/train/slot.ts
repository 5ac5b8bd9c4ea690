// Slots: the variables that an optimizer keeps beside those that it trains, and scalars of its own.
import { controlDependencies, type Graph } from '../graph/graph.ts';
import type { Tensor, Variable } from '../graph/tensor.ts';
import { fill } from '../ops/fill.ts';
import { variable } from '../ops/variable.ts';
import type { FloatDType } from '../tensor/dtype.ts';
import type { Shape } from '../tensor/shape.ts';
import type { Scalar } from './rate.ts';

type Any = Variable<any, any>;

/** The variables of one optimizer: made once, however often it is applied. */
export class Slots {
  /** By the slot's name, then by the variable for which it is. */
  readonly #slots = new Map<string, Map<Any, Any>>();
  readonly #scalars = new Map<Graph, Map<string, Any>>();

  /** All that are in a graph, by their names. */
  variablesOf(graph: Graph): Variable[] {
    const slots = [...this.#slots.values()].flatMap((found) => [...found.values()]);
    const all = [...(this.#scalars.get(graph)?.values() ?? []), ...slots.filter((v) => v.graph === graph)];
    return all.sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  /** The names of those that there are. */
  get names(): string[] {
    return [...this.#slots.keys()].sort();
  }

  find(of: Any, name: string): Any | undefined {
    return this.#slots.get(name)?.get(of);
  }

  /** A variable of the shape of another. It is called `W/Adam`, the next one `W/Adam_1`, whatever scope is around. */
  slot(of: Any, name: string, { suffix, initial }: { suffix: string; initial: number }): Any {
    const found = this.find(of, name);
    if (found) return found;
    const filled = { shape: of.shape as Shape, value: initial, dtype: of.dtype };
    const made = of.graph.withScope('', () => filledVariable(filled, `${of.operation.name}/${suffix}`));
    this.#slots.set(name, (this.#slots.get(name) ?? new Map<Any, Any>()).set(of, made));
    return made;
  }

  /** A scalar in a scope. */
  scalar(scope: string, name: string, initial: Scalar, beside: Any): Any {
    const dtype: FloatDType = beside.dtype;
    const key = `${dtype} ${name}`;
    const known = this.#scalars.get(beside.graph) ?? new Map<string, Any>();
    this.#scalars.set(beside.graph, known);
    const found = known.get(key);
    if (found) return found;
    const make = (): Any =>
      typeof initial === 'number'
        ? filledVariable({ shape: [], value: initial, dtype }, name)
        : variable(initial as Tensor, { name, trainable: false });
    const made = beside.graph.withScope(scope, make);
    known.set(key, made);
    return made;
  }
}

/** Whatever a step depends on: its slots are initialized without it. */
const filledVariable = (
  { shape, value, dtype }: { readonly shape: Shape; readonly value: number; readonly dtype: FloatDType },
  name: string,
): Any => controlDependencies(null, () => variable(fill(shape, value, dtype), { name, trainable: false }));
