// Operations: the nodes of a graph.
import { GraphError } from '../base/errors.ts';
import { lineOf, type Site } from '../base/stack.ts';
import type { DType } from '../tensor/dtype.ts';
import type { Shape } from '../tensor/shape.ts';
import type { Graph } from './graph.ts';
import type { Tensor } from './tensor.ts';

/** What the graph knows of the kind of an operation; ops/define.ts adds gradient and lowering. */
export interface OpDefinition {
  /** `MatMul`: also the default for the names of its operations. */
  readonly name: string;
}

export interface OperationFields {
  readonly graph: Graph;
  readonly id: number;
  readonly name: string;
  readonly definition: OpDefinition;
  readonly inputs: readonly Tensor[];
  readonly attributes: object;
  readonly outputs: readonly { dtype: DType; shape: Shape | undefined }[];
  readonly controls: readonly Operation[];
  readonly site: Site;
  /** The class of its outputs. */
  readonly outputClass: typeof Tensor;
}

/** Methods of operations, added by src/api/methods.ts. */
export interface OperationMethods {}

export interface Operation extends OperationMethods {}
/** A node of a graph: what it computes, from which tensors. */
export class Operation {
  /** The graph to which it belongs. */
  readonly graph: Graph;
  /** Its number in the graph, in the order in which operations were made. @internal */
  readonly id: number;
  /** Unique in its graph. */
  readonly name: string;
  /** @internal */
  readonly definition: OpDefinition;
  /** What it computes from. */
  readonly inputs: readonly Tensor[];
  /** Operations that run before this one. */
  readonly controlInputs: readonly Operation[];
  /** What it computes. */
  readonly outputs: readonly Tensor[];
  /** @internal */
  readonly attributes: object;
  readonly #site: Site;

  /** @internal */
  constructor(fields: OperationFields) {
    if (!Object.hasOwn(fields ?? {}, 'outputClass')) {
      throw new GraphError('Operations are made by functions, not with new: write tf.group(…) or tf.noOp().');
    }
    this.graph = fields.graph;
    this.id = fields.id;
    this.name = fields.name;
    this.definition = fields.definition;
    this.inputs = fields.inputs;
    this.attributes = fields.attributes;
    this.controlInputs = fields.controls;
    this.#site = fields.site;
    this.outputs = fields.outputs.map((o, i) => new fields.outputClass(this, i, o.dtype, o.shape));
  }

  /** The kind of operation, such as `MatMul`. */
  get type(): string {
    return this.definition.name;
  }

  /** `file:line:column` of the user's program at which it was made. */
  get line(): string {
    return lineOf(this.#site);
  }

  toString(): string {
    return `Operation(${this.name}: ${this.type})`;
  }

  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return this.toString();
  }
}
