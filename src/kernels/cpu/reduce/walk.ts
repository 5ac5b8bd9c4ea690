// Where the loops of a reduction have come: what is read there, and which results are stored.

import type { Affine, Expression, LoopVariable } from '../../../loops/ir.ts';
import * as ir from '../../../loops/ir.ts';
import type { Scalar } from '../../../primitives/scalar.ts';
import type { Task } from '../../../primitives/task.ts';
import { share, Translator } from '../../body/expression.ts';
import type { Body } from '../../body/nest.ts';
import { computeOutputs } from '../../body/outputs.ts';
import type { TaskBuffers } from '../../offer.ts';
import type { ReductionAxes } from './reduction-axes.ts';

/** A reduction of any kind while its loops are made. */
export interface Reduction {
  readonly task: Task;
  /** What is reduced, of the elements of the operands at one place. */
  readonly operand: Scalar;
  readonly axes: ReductionAxes;
  readonly buffers: TaskBuffers;
}

/** How far loops have come along one axis: as far as the variable says, from `begin` on. */
export interface AxisPlace {
  readonly v: LoopVariable;
  readonly begin: number;
}

/** Along an axis from its beginning on. */
export const fromBegin = (v: LoopVariable): AxisPlace => ({ v, begin: 0 });

/** The elements that are done at once, along one of the axes; of the last vector maybe only the first `count`. */
interface Vector {
  readonly axis: number | undefined;
  readonly lanes: number;
  readonly count?: number | undefined;
}

/**
 * A place in a reduction. Its axes are numbered as a task numbers positions: first those that are kept, then those that
 * are reduced. A sum over the second axis of x[4, 6] has the places i and k, in vectors along one of the two:
 *
 *     along the kept axis      x[i … i + 3, k] is added to the sums of y[i … i + 3]
 *     along the reduced one    x[i, k … k + 3] is added to four sums that y[i] will be made of
 */
export class Walk {
  readonly #reduction: Reduction;
  readonly #places: readonly AxisPlace[];
  readonly #vector: Vector;

  /** The places along the kept axes suffice where nothing is read any more. */
  constructor(reduction: Reduction, places: readonly AxisPlace[], vector: Vector) {
    this.#reduction = reduction;
    this.#places = places;
    this.#vector = vector;
  }

  /** The value to reduce here. Names of registers begin with the prefix. */
  operand(prefix: string): { readonly statements: Body; readonly value: Expression } {
    const { operand, axes, buffers } = this.#reduction;
    const { lanes, count } = this.#vector;
    const translator = new Translator(lanes, {
      input: (i) => {
        const buffer = buffers.of(axes.operands[i].node);
        return ir.load(buffer, this.#at(i), ir.valueType(buffer.dtype, lanes), lanes === 1 ? 1 : this.#step(i), count);
      },
      index: (axis) => this.#position(axis),
    });
    const { statements, values } = share([translator.translate(operand)], prefix);
    return { statements, value: values[0] };
  }

  /** The task's outputs here, computed from what the reduction gave. */
  outputs(result: Expression, prefix: string): Body {
    const { task, axes, buffers } = this.#reduction;
    const { lanes, count } = this.#vector;
    const first = axes.operands.length;
    const position = {
      lanes,
      count,
      at: (k: number) => this.#at(first + k),
      step: (k: number) => this.#step(first + k),
      axis: (axis: number) => this.#position(axis),
    };
    return computeOutputs(task, buffers, position, result, prefix);
  }

  /** The strides of an access along the axes: of outputs, along those that are kept. */
  #strides(access: number): readonly number[] {
    const { kept, reduced, operands } = this.#reduction.axes;
    return access < operands.length ? [...kept.strides[access], ...reduced.strides[access]] : kept.strides[access];
  }

  #at(access: number): Affine {
    const strides = this.#strides(access);
    const places = this.#places.slice(0, strides.length);
    const { offset } = this.#reduction.axes.accesses[access];
    const constant = places.reduce((sum, { begin }, i) => sum + begin * strides[i], offset);
    return ir.at(constant, ...places.map(({ v }, i) => [v, strides[i]] as const));
  }

  /** The stride of an access along the vector. */
  #step(access: number): number {
    const { axis } = this.#vector;
    return axis === undefined ? 0 : this.#strides(access)[axis];
  }

  /** The position along an axis, as a value. */
  #position(axis: number): Expression {
    const { v, begin } = this.#places[axis];
    const type = ir.valueType('int32', this.#vector.lanes);
    return ir.index(ir.at(begin, [v, 1]), type, axis === this.#vector.axis ? 1 : 0);
  }
}
