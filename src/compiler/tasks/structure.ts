// The structure of tasks as text: equal for tasks whose kernels differ in nothing but the arrays that they touch.
import type { Primitive, View } from '../../primitives/primitives.ts';
import type { Scalar } from '../../primitives/scalar.ts';
import type { Task } from '../../primitives/task.ts';
import { nonZeroShare } from '../../primitives/zeros.ts';
import { elements } from '../../tensor/shape.ts';

export interface Structure {
  readonly text: string;
  /** The arrays, in the order in which the text names them: what is read, then what is stored. */
  readonly nodes: readonly Primitive[];
}

/**
 * All that kernels look at in a task, but for the values of some constants in it. Undefined for a check, which is like
 * no other: it has its own number.
 */
export function structureOf(task: Task, free: readonly Scalar[] = []): Structure | undefined {
  return task.root?.kind === 'check' ? undefined : new Writer(task, free).structure();
}

class Writer {
  readonly #task: Task;
  readonly #free: readonly Scalar[];
  readonly #nodes = new Map<Primitive, number>();
  readonly #scalars = new Map<Scalar, number>();
  /** Texts and numbers, of which the number tells how many of its kind follow where that differs. */
  readonly #parts: (string | number)[] = [];

  constructor(task: Task, free: readonly Scalar[]) {
    this.#task = task;
    this.#free = free;
  }

  structure(): Structure {
    const { shape, root, operands, operandBody, inputs, outputs, byItem } = this.#task;
    const parts = this.#parts;
    this.#list(shape);
    if (byItem) parts.push('by item');
    if (root) {
      parts.push(root.kind, root.dtype);
      this.#list(root.shape);
      if ('op' in root) parts.push(root.op);
      if ('axis' in root) parts.push(root.axis);
      if (root.kind === 'reduce' || root.kind === 'argReduce') this.#list(root.x.shape);
    }
    parts.push(operands.length, inputs.length, outputs.length);
    for (const v of operands) this.#view(v);
    // Zeros are skipped where a factor is expected to have some.
    if (root?.kind === 'contract') for (const v of operands) parts.push(nonZeroShare(v.node));
    for (const v of inputs) this.#view(v);
    for (const { node, strides, offset, fill } of outputs) {
      this.#node(node);
      this.#list(strides);
      parts.push(offset, fill === undefined ? 'no fill' : written(fill));
    }
    if (operandBody) this.#scalar(operandBody);
    for (const o of outputs) this.#scalar(o.body);
    return { text: parts.join(' '), nodes: [...this.#nodes.keys()] };
  }

  #list(numbers: readonly number[]): void {
    this.#parts.push(numbers.length);
    for (const n of numbers) this.#parts.push(n);
  }

  #view({ node, shape, strides, offset }: View): void {
    this.#node(node);
    this.#list(shape);
    this.#list(strides);
    this.#parts.push(offset);
  }

  #node(node: Primitive): void {
    const known = this.#nodes.get(node);
    this.#parts.push(known ?? this.#nodes.size);
    if (known !== undefined) return;
    this.#nodes.set(node, this.#nodes.size);
    this.#parts.push(node.dtype, elements(node.shape), node.kind === 'constant' ? node.data.length : 'all');
  }

  /** What is shared in an expression is computed once, so which parts are the same one matters. */
  #scalar(x: Scalar): void {
    const known = this.#scalars.get(x);
    if (known !== undefined) {
      this.#parts.push('again', known);
      return;
    }
    this.#parts.push(x.op, x.dtype, this.#free.includes(x) ? 'any' : written(x.value), x.args.length);
    if (x.key) this.#parts.push(...x.key);
    for (const a of x.args) this.#scalar(a);
    this.#scalars.set(x, this.#scalars.size);
  }
}

/** A number in a text: zeros of both signs are different ones. */
export const written = (value: number): string | number => (Object.is(value, -0) ? '-0' : value);
