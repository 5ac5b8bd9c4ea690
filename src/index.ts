// The public surface: import * as tf from 'millrace'.
import './api/methods.ts';

export * from './autodiff/gradients.ts';
export { WorkerLostError } from './backends/backend.ts';
export * from './base/errors.ts';
export { controlDependencies, Graph, getDefaultGraph, nameScope, resetDefaultGraph } from './graph/graph.ts';
export { Operation, type OperationMethods } from './graph/operation.ts';
export {
  Placeholder,
  type ShapeOf,
  type Shapes,
  Tensor,
  type TensorMethods,
  Variable,
  type VariableMethods,
} from './graph/tensor.ts';
export { add, addN, type BinaryFunction, div, floorDiv, mod, mul, neg, sub } from './ops/arithmetic.ts';
export * from './ops/array.ts';
export * from './ops/comparison.ts';
export { constant } from './ops/constant.ts';
export * from './ops/fill.ts';
export * from './ops/group.ts';
export * from './ops/logic.ts';
export { abs, exp, log, maximum, minimum, pow, rsqrt, sigmoid, sign, sqrt, square, tanh } from './ops/math.ts';
export * from './ops/matmul.ts';
export * as nn from './ops/nn.ts';
export { placeholder } from './ops/placeholder.ts';
export { type RandomOptions, randomNormal, randomUniform, truncatedNormal } from './ops/random.ts';
export * from './ops/reduce.ts';
export * from './ops/shape.ts';
export {
  assign,
  assignAdd,
  assignSub,
  globalVariables,
  initializeAllVariables,
  trainableVariables,
  variable,
} from './ops/variable.ts';
export { feeds } from './session/feeds.ts';
export { type BackendName, InteractiveSession, Session, type SessionOptions } from './session/session.ts';
export type * from './session/types.ts';
export type * from './tensor/arithmetic.ts';
export type * from './tensor/axis-rules.ts';
export {
  bool,
  type DType,
  type Elem,
  type FloatDType,
  float32,
  float64,
  int32,
  type NumericDType,
  type TypedArray,
  type TypedArrays,
  uint8,
} from './tensor/dtype.ts';
export { array, type FeedValue, type FetchedValue, type NDArray } from './tensor/ndarray.ts';
export type { Dim, Shape } from './tensor/shape.ts';
export type * from './tensor/shape-rules.ts';
export type * from './tensor/shape-types.ts';
export * as train from './train/index.ts';
