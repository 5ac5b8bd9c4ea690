// The structure of tasks as text: equal for tasks whose kernels differ in nothing but the arrays that they touch.
import type { Primitive, View } from '../program/primitives.ts';
import type { Scalar } from '../program/scalar.ts';
import type { Task } from '../program/task.ts';
import { nonZeroShare } from '../program/zeros.ts';
import { elements } from '../tensor/shape.ts';

export interface Structure {
  readonly text: string;
  /** The arrays, in the order in which the text names them: what is read, then what is stored. */
  readonly nodes: readonly Primitive[];
}

/** All that kernels look at in a task. Undefined for a check, which is like no other: it has its own number. */
export function structureOf(task: Task): Structure | undefined {
  return task.root?.kind === 'check' ? undefined : new Writer(task).structure();
}

class Writer {
  readonly #task: Task;
  readonly #nodes = new Map<Primitive, number>();
  readonly #scalars = new Map<Scalar, number>();
  #text = '';

  constructor(task: Task) {
    this.#task = task;
  }

  structure(): Structure {
    const { shape, root, operands, operandBody, inputs, outputs } = this.#task;
    this.#text = `[${shape}]`;
    if (root) {
      this.#text += `${root.kind} ${root.dtype}[${root.shape}]`;
      if ('op' in root) this.#text += root.op;
      if ('axis' in root) this.#text += root.axis;
      if (root.kind === 'reduce' || root.kind === 'argReduce') this.#text += `of [${root.x.shape}]`;
    }
    for (const v of operands) this.#view(v);
    // Zeros are skipped where a factor is expected to have some.
    if (root?.kind === 'contract') this.#text += operands.map((v) => `~${nonZeroShare(v.node)}`).join('');
    if (operandBody) this.#scalar(operandBody);
    for (const v of inputs) this.#view(v);
    for (const o of outputs) {
      this.#node(o.node);
      this.#text += `[${o.strides}]+${o.offset}`;
      if (o.fill !== undefined) this.#text += ` fill ${written(o.fill)}`;
    }
    for (const o of outputs) this.#scalar(o.body);
    return { text: this.#text, nodes: [...this.#nodes.keys()] };
  }

  #view(v: View): void {
    this.#node(v.node);
    this.#text += `[${v.shape}:${v.strides}]+${v.offset}`;
  }

  #node(node: Primitive): void {
    const known = this.#nodes.get(node);
    this.#text += `;%${known ?? this.#nodes.size}`;
    if (known !== undefined) return;
    this.#nodes.set(node, this.#nodes.size);
    this.#text += ` ${node.dtype} ${elements(node.shape)}${node.kind === 'constant' ? ` of ${node.data.length}` : ''}`;
  }

  /** What is shared in an expression is computed once, so which parts are the same one matters. */
  #scalar(x: Scalar): void {
    const known = this.#scalars.get(x);
    if (known !== undefined) {
      this.#text += `;#${known}`;
      return;
    }
    this.#text += `;${x.op} ${x.dtype} ${written(x.value)}`;
    if (x.key) this.#text += ` key ${x.key}`;
    for (const a of x.args) this.#scalar(a);
    this.#text += ')';
    this.#scalars.set(x, this.#scalars.size);
  }
}

const written = (value: number): string => (Object.is(value, -0) ? '-0' : String(value));
