// The types that inferred signatures mention, as tf.types and as millrace/types: a library that exports what it made of
// tf's functions needs a name for each of them in its declarations. TypeScript finds those of tf.types only where tf is
// imported as a whole, and those of a subpath everywhere; so types that live in tf.nn and tf.train are here once more.
export type { CheckpointReader, CheckpointVariable } from './checkpoint/reader.ts';
export type { RestoreOptions, SaveOptions, Saver, SaverOptions } from './checkpoint/saver.ts';
export type { Restored, Resumable } from './checkpoint/state.ts';
export type { PoolFunction, PoolOptions } from './ops/pooling.ts';
export type { RowFunction } from './ops/softmax.ts';
export type { Assigned } from './ops/variable.ts';
export type { Add, CeilDiv, DivMod, Mul, Sub } from './tensor/arithmetic.ts';
export type {
  AxisError,
  AxisFromEnd,
  AxisIndex,
  AxisIndices,
  DropAxes,
  ExpandDims,
  FillHole,
  Gathered,
  GatheredRows,
  HasHole,
  InsertAxis,
  KeepDims,
  KnownElements,
  Reduce,
  ReduceAxes,
  RemoveAxes,
  Reshape,
  ReshapeError,
  ReshapeHole,
  Resized,
  Reverse,
  Sliced,
  Squeeze,
  SqueezeDims,
  Transpose,
} from './tensor/axis-rules.ts';
export type { DTypeOfArray, GivenArrays } from './tensor/dtype.ts';
export type { DTypeOfGiven, ShapeOfGiven } from './tensor/ndarray.ts';
export type {
  AddDims,
  Broadcast,
  BroadcastConflict,
  BroadcastDim,
  BroadcastDims,
  BroadcastError,
  BroadcastUnequal,
  Compatible,
  Concat,
  ConcatAll,
  ConcatError,
  ConcatTwo,
  Conv2D,
  Conv2DError,
  MatMul,
  MatMulError,
  MatMulInnerError,
  MergeDim,
  OutputSize,
  Pool,
  Rank4Error,
} from './tensor/shape-rules.ts';
export type {
  Checkable,
  Contravariant,
  Covariant,
  DTypeOfValue,
  Given,
  Invariant,
  Nested,
  NoError,
  Shaped,
  ShapeOfValue,
  ShowDim,
  ShowDims,
  ShowShape,
  ShowShapes,
  UnlessAny,
} from './tensor/shape-types.ts';
export type {
  AdadeltaOptimizer,
  AdagradDAOptimizer,
  AdagradOptimizer,
  AdamOptimizer,
  AdamWOptimizer,
  ApplyOptions,
  Decayed,
  DecayFunction,
  DecayOptions,
  ExponentialMovingAverage,
  FtrlOptimizer,
  GradientAndVariable,
  GradientDescentOptimizer,
  GradientOptions,
  LionOptimizer,
  MomentumOptimizer,
  MovingAverageOptions,
  Optimizer,
  OptimizerOptions,
  ProximalAdagradOptimizer,
  ProximalGradientDescentOptimizer,
  Rate,
  RegularizationOptions,
  RMSPropOptimizer,
  ScalarValue,
} from './train/index.ts';
export type {
  FanMode,
  NormalInitializer,
  NormalInitializerOptions,
  ScalingDistribution,
  SeededInitializer,
  SeedOptions,
} from './variables/initializers.ts';
