// The public surface: import * as tf from 'millrace'. Every name stands here, in ops/nn.ts, api/train.ts or types.ts:
// tests/golden/public.txt shows them all.
import './api/methods.ts';

export * as train from './api/train.ts';
export { type GivenGradient, type Gradients, type GradientsOptions, gradients } from './autodiff/gradients.ts';
export { WorkerLostError } from './backends/backend.ts';
export {
  DataError,
  DTypeError,
  FailedPreconditionError,
  FeedError,
  FetchError,
  GraphError,
  InternalError,
  InvalidArgumentError,
  MillraceError,
  ResourceExhaustedError,
  ShapeMismatchError,
  UnavailableError,
} from './base/errors.ts';
export {
  addToCollection,
  addToCollections,
  getCollection,
  globalVariables,
  localVariables,
  trainableVariables,
} from './graph/collections.ts';
export { controlDependencies, Graph, getDefaultGraph, nameScope, resetDefaultGraph } from './graph/graph.ts';
export { type CollectionItem, type CollectionTypes, GraphKeys } from './graph/graph-keys.ts';
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
export * as layers from './layers/index.ts';
export * as losses from './losses/index.ts';
export { type ConfusionOptions, confusionMatrix } from './metrics/confusion.ts';
export * as metrics from './metrics/index.ts';
export {
  add,
  addN,
  type BinaryFunction,
  div,
  floorDiv,
  mod,
  mul,
  neg,
  squaredDifference,
  sub,
} from './ops/arithmetic.ts';
export { assert, checkNumerics } from './ops/checks.ts';
export { clipByGlobalNorm, clipByNorm, clipByValue, globalNorm } from './ops/clip.ts';
export {
  type ComparisonFunction,
  equal,
  greater,
  greaterEqual,
  less,
  lessEqual,
  notEqual,
} from './ops/comparison.ts';
export { concat, stack, unstack } from './ops/concat.ts';
export { constant } from './ops/constant.ts';
export { cumsum } from './ops/cumsum.ts';
export type { Named, UnaryFunction } from './ops/define.ts';
export { multinomial, randomShuffle } from './ops/draw.ts';
export { eye, fill, linspace, ones, onesLike, range, zeros, zerosLike } from './ops/fill.ts';
export { gather, oneHot } from './ops/gather.ts';
export { gatherNd, unsortedSegmentSum } from './ops/gather-nd.ts';
export { group, noOp } from './ops/group.ts';
export {
  globalVariablesInitializer,
  initializeAllVariables,
  localVariablesInitializer,
  variablesInitializer,
} from './ops/initialize.ts';
export {
  cast,
  identity,
  logicalAnd,
  logicalNot,
  logicalOr,
  logicalXor,
  stopGradient,
  where,
} from './ops/logic.ts';
export { divide, multiply, subtract } from './ops/long-names.ts';
export {
  abs,
  ceil,
  cos,
  erf,
  exp,
  expm1,
  floor,
  log,
  log1p,
  maximum,
  minimum,
  pow,
  round,
  rsqrt,
  sigmoid,
  sign,
  sin,
  sqrt,
  square,
  tanh,
} from './ops/math.ts';
export { matmul } from './ops/matmul.ts';
export * as nn from './ops/nn.ts';
export { placeholder, placeholderWithDefault } from './ops/placeholder.ts';
export { Print, type Printable, print } from './ops/print.ts';
export {
  type NormalFunction,
  type NormalOptions,
  type RandomOptions,
  randomNormal,
  randomUniform,
  setRandomSeed,
  truncatedNormal,
  type UniformFunction,
  type UniformOptions,
} from './ops/random.ts';
export {
  type ArgFunction,
  argmax,
  argmin,
  type ReduceFunction,
  reduceAll,
  reduceAny,
  reduceMax,
  reduceMean,
  reduceMin,
  reduceProd,
  reduceSum,
} from './ops/reduce.ts';
export { expandDims, reshape, squeeze, transpose } from './ops/shape.ts';
export { rank, shape, size } from './ops/shape-of.ts';
export type { ShapeOfSizes, Sizes, SizeTensor } from './ops/sizes.ts';
export { type PadMode, pad, slice } from './ops/slice.ts';
export { split } from './ops/split.ts';
export { reduceLogsumexp, reduceStd, reduceVariance } from './ops/statistics.ts';
export { stridedSlice } from './ops/strided-slice.ts';
export { broadcastTo, tile } from './ops/tile.ts';
export {
  assign,
  assignAdd,
  assignSub,
  type VariableOptions,
  variable,
} from './ops/variable.ts';
export { feeds } from './session/feeds.ts';
export { InteractiveSession } from './session/interactive.ts';
export { type BackendName, Session, type SessionOptions } from './session/session.ts';
export type { FeedPair, FeedPairs, Fetch, Fetched, Fetches } from './session/types.ts';
export { array } from './tensor/array.ts';
export {
  bool,
  type DType,
  type Elem,
  type FloatDType,
  float32,
  float64,
  int32,
  type Narrower,
  type NumericDType,
  type TypedArray,
  type TypedArrays,
  uint8,
} from './tensor/dtype.ts';
export type { FeedValue, FetchedValue, NDArray } from './tensor/ndarray.ts';
export type { Dim, Shape } from './tensor/shape.ts';
export type { ShapeError } from './tensor/shape-types.ts';
export type { Padding } from './tensor/window-rules.ts';
export type * as types from './types.ts';
export * from './variables/index.ts';
export * as initializers from './variables/initializers.ts';
