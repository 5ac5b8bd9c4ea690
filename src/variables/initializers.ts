// tf.initializers: functions that give variables their initial values.
import { InvalidArgumentError, ShapeMismatchError } from '../base/errors.ts';
import { Tensor } from '../graph/tensor.ts';
import { add, mul } from '../ops/arithmetic.ts';
import { constant as constantTensor } from '../ops/constant.ts';
import type { AnyTensor } from '../ops/define.ts';
import { fill } from '../ops/fill.ts';
import { rsqrt, square } from '../ops/math.ts';
import { matmul } from '../ops/matmul.ts';
import {
  randomNormal as normalNumbers,
  truncatedNormal as truncatedNumbers,
  randomUniform as uniformNumbers,
} from '../ops/random.ts';
import { reduceSum } from '../ops/reduce.ts';
import { reshape, transpose } from '../ops/shape.ts';
import type { DType } from '../tensor/dtype.ts';
import { anything, finite, kind, oneOf, wholeNumber } from '../tensor/kinds.ts';
import { elements, showShape } from '../tensor/shape.ts';
import { signature } from '../tensor/signature.ts';

/** Gives the initial value of a variable: a tensor of this shape and element type. */
export type Initializer = (shape: readonly number[], dtype: DType) => Tensor<any, any>;
/** What random initializers are made with. */
export interface SeedOptions {
  /** A stream of its own; by default one derived from the variable's name. The seeds of session and graph count too. */
  readonly seed?: number | undefined;
}

const zerosForm = signature('tf.initializers.zeros', {}, {});
/** Zeros (false for bool). */
export function zeros(): Initializer;
export function zeros(...given: unknown[]): Initializer {
  zerosForm.take(given);
  return (shape, dtype) => fill(shape, 0, dtype);
}

const onesForm = signature('tf.initializers.ones', {}, {});
/** Ones (true for bool). */
export function ones(): Initializer;
export function ones(...given: unknown[]): Initializer {
  onesForm.take(given);
  return (shape, dtype) => fill(shape, 1, dtype);
}

const constantForm = signature(
  'tf.initializers.constant',
  { value: anything<unknown>('a number, or as many as the variable has') },
  {},
);
/**
 * A number for all elements, or an array that has as many elements as the variable.
 *
 * ```ts
 * tf.getVariable('b', [10], { initializer: tf.initializers.constant(0.1) });
 * ```
 */
export function constant(value: unknown): Initializer;
export function constant(...given: unknown[]): Initializer {
  const { value } = constantForm.take(given);
  if (value instanceof Tensor) {
    throw new InvalidArgumentError(
      'constant: the value must be numbers, but a tensor came; give a tensor itself as initializer.',
    );
  }
  return (shape, dtype) => constantTensor(value as number, { dtype, shape }) as AnyTensor;
}

const uniformForm = signature(
  'tf.initializers.randomUniform',
  {},
  { minval: finite, maxval: finite, seed: wholeNumber },
  ['minval', 'maxval', 'seed'],
);
/** Uniformly distributed numbers in [minval, maxval); default [−0.05, 0.05). */
export function randomUniform(minval: number, maxval: number, seed?: number | SeedOptions): Initializer;
export function randomUniform(
  options?: SeedOptions & { readonly minval?: number; readonly maxval?: number },
): Initializer;
export function randomUniform(...given: unknown[]): Initializer {
  const { minval = -0.05, maxval = 0.05, seed } = uniformForm.take(given);
  return (shape, dtype) => uniformNumbers(shape, { minval, maxval, dtype, ...(seed !== undefined && { seed }) });
}

/** What initializers of normally distributed numbers are made with. */
export interface NormalInitializerOptions extends SeedOptions {
  /** Default 0. */
  readonly mean?: number | undefined;
  /** The deviation; default 0.05, as in TensorFlow. */
  readonly stddev?: number | undefined;
}
/** Makes an initializer of normally distributed numbers. */
export interface NormalInitializer {
  (mean: number, stddev: number, seed?: number | SeedOptions): Initializer;
  (options?: NormalInitializerOptions): Initializer;
}
function normalInitializer(name: string, numbers: typeof normalNumbers): NormalInitializer {
  const form = signature(`tf.initializers.${name}`, {}, { mean: finite, stddev: finite, seed: wholeNumber }, [
    'mean',
    'stddev',
    'seed',
  ]);
  return (...given: unknown[]): Initializer => {
    const { mean = 0, stddev = 0.05, seed } = form.take(given);
    return (shape, dtype) =>
      numbers(shape, { mean, stddev, dtype: dtype as 'float32', ...(seed !== undefined && { seed }) });
  };
}
/**
 * Normally distributed numbers.
 *
 * ```ts
 * tf.initializers.randomNormal({ stddev: 0.02 });      // or (0, 0.02), as in TensorFlow
 * ```
 */
export const randomNormal: NormalInitializer = normalInitializer('randomNormal', normalNumbers);
/** Normally distributed numbers of which those beyond two deviations are drawn again. */
export const truncatedNormal: NormalInitializer = normalInitializer('truncatedNormal', truncatedNumbers);

/** Of how many numbers a product sums, as seen from before it (`fan_in`), from behind it, or both. */
export type FanMode = 'fan_in' | 'fan_out' | 'fan_avg';
/** `'normal'` is `'truncated_normal'`, as in TensorFlow. */
export type ScalingDistribution = 'truncated_normal' | 'normal' | 'untruncated_normal' | 'uniform';

/** Inputs and outputs of each result: of a matrix its sizes, of a filter its channels, times its window. */
function fans(shape: readonly number[]): { fan_in: number; fan_out: number; fan_avg: number } {
  const [before = 1, behind = before] = shape.slice(-2);
  const window = elements(shape.slice(0, -2));
  const [fan_in, fan_out] = [before * window, behind * window];
  return { fan_in, fan_out, fan_avg: (fan_in + fan_out) / 2 };
}

interface Scaling {
  readonly scale: number;
  readonly mode: FanMode;
  readonly distribution: ScalingDistribution;
  readonly seed: number | undefined;
}
/** The deviation of a normal distribution that is cut at two of its own deviations. */
const deviationOfTruncated = 0.87962566103423978;
const scaled =
  ({ scale, mode, distribution, seed }: Scaling): Initializer =>
  (shape, dtype) => {
    const variance = scale / Math.max(1, fans(shape)[mode]);
    const options = { dtype: dtype as 'float32', ...(seed !== undefined && { seed }) };
    if (distribution === 'uniform') {
      const limit = Math.sqrt(3 * variance);
      return uniformNumbers(shape, { minval: -limit, maxval: limit, ...options });
    }
    if (distribution === 'untruncated_normal') return normalNumbers(shape, { stddev: Math.sqrt(variance), ...options });
    return truncatedNumbers(shape, { stddev: Math.sqrt(variance) / deviationOfTruncated, ...options });
  };

const scalingForm = signature(
  'tf.initializers.varianceScaling',
  {},
  {
    scale: kind<number>('a finite number above 0', (v) => Number.isFinite(v) && (v as number) > 0),
    mode: oneOf(['fan_in', 'fan_out', 'fan_avg']),
    distribution: oneOf(['truncated_normal', 'normal', 'untruncated_normal', 'uniform']),
    seed: wholeNumber,
  },
  ['scale', 'mode', 'distribution', 'seed'],
);
/**
 * Random numbers of mean 0 and variance scale / n, where n is the number of inputs of a result (`fan_in`), of outputs
 * of an input (`fan_out`), or the mean of both (`fan_avg`): for W [in, out] these are in and out, for a filter [height,
 * width, in, out] height·width times in and out.
 *
 * Default: scale 1, `fan_in`, `truncated_normal`.
 *
 * Source: He et al., "Delving deep into rectifiers", ICCV 2015.
 */
export function varianceScaling(
  scale: number,
  mode: FanMode,
  distribution?: ScalingDistribution,
  seed?: number,
): Initializer;
export function varianceScaling(
  options?: SeedOptions & {
    readonly scale?: number;
    readonly mode?: FanMode;
    readonly distribution?: ScalingDistribution;
  },
): Initializer;
export function varianceScaling(...given: unknown[]): Initializer {
  const { scale = 1, mode = 'fan_in', distribution = 'truncated_normal', seed } = scalingForm.take(given);
  return scaled({ scale, mode, distribution, seed });
}

/** Makes an initializer of random numbers, from a seed or none. */
export type SeededInitializer = (seed?: number | SeedOptions) => Initializer;
function scalingInitializer(name: string, scaling: Omit<Scaling, 'seed'>): SeededInitializer {
  const form = signature(`tf.initializers.${name}`, {}, { seed: wholeNumber }, ['seed']);
  return (...given: unknown[]): Initializer => scaled({ ...scaling, seed: form.take(given).seed });
}
/**
 * Uniform in ±√(6 / (in + out)): what `tf.getVariable` takes where nothing else is asked for. Also called Xavier's.
 *
 * Source: Glorot and Bengio, "Understanding the difficulty of training deep feedforward neural networks", AISTATS 2010.
 */
export const glorotUniform: SeededInitializer = scalingInitializer('glorotUniform', {
  scale: 1,
  mode: 'fan_avg',
  distribution: 'uniform',
});
/** Truncated normal of variance 2 / (in + out). Source: that of `glorotUniform`. */
export const glorotNormal: SeededInitializer = scalingInitializer('glorotNormal', {
  scale: 1,
  mode: 'fan_avg',
  distribution: 'truncated_normal',
});
/** Uniform in ±√(6 / in): for relu. Source: He et al., "Delving deep into rectifiers", ICCV 2015. */
export const heUniform: SeededInitializer = scalingInitializer('heUniform', {
  scale: 2,
  mode: 'fan_in',
  distribution: 'uniform',
});
/** Truncated normal of variance 2 / in: for relu. Source: that of `heUniform`. */
export const heNormal: SeededInitializer = scalingInitializer('heNormal', {
  scale: 2,
  mode: 'fan_in',
  distribution: 'truncated_normal',
});
/** Uniform in ±√(3 / in). Source: LeCun et al., "Efficient BackProp", 1998. */
export const lecunUniform: SeededInitializer = scalingInitializer('lecunUniform', {
  scale: 1,
  mode: 'fan_in',
  distribution: 'uniform',
});
/** Truncated normal of variance 1 / in: for selu. Source: that of `lecunUniform`. */
export const lecunNormal: SeededInitializer = scalingInitializer('lecunNormal', {
  scale: 1,
  mode: 'fan_in',
  distribution: 'truncated_normal',
});

/** The shape, made a matrix: all axes but the last are its rows. */
function matrixOf(op: string, shape: readonly number[]): [rows: number, columns: number] {
  if (shape.length >= 2) return [elements(shape.slice(0, -1)), shape[shape.length - 1]];
  throw new ShapeMismatchError(`${op}: the variable must have at least 2 axes, but its shape is ${showShape(shape)}.`);
}

/** Steps that enlarge the smallest singular values 3.4-fold each, and such that bring all of them to 1. */
const [coarse, fine] = [
  { count: 16, a: 3.4445, b: -4.775, c: 2.0315 },
  { count: 6, a: 1.5, b: -0.5, c: 0 },
];
/** The orthogonal matrix that is nearest to x: all its singular values become 1. */
function orthogonalized(x: AnyTensor): AnyTensor {
  let y = mul(x, rsqrt(reduceSum(square(x)))) as AnyTensor;
  for (const { count, a, b, c } of [coarse, fine]) {
    for (let i = 0; i < count; i++) {
      const s = matmul(y, y, { transposeA: true }) as AnyTensor;
      const factor = c === 0 ? mul(s, b) : add(mul(s, b), mul(matmul(s, s) as AnyTensor, c));
      y = add(mul(y, a), matmul(y, factor as AnyTensor) as AnyTensor) as AnyTensor;
    }
  }
  return y;
}

const orthogonalForm = signature('tf.initializers.orthogonal', {}, { gain: finite, seed: wholeNumber }, [
  'gain',
  'seed',
]);
/**
 * `gain` times a matrix whose columns (or rows, where these are fewer) are orthonormal, uniform among all such: the
 * orthogonal factor of a normally distributed matrix. Of a variable with more axes the last one has the columns.
 *
 * Computed by the iteration of Newton and Schulz: what is left of the errors is about 10⁻⁶.
 *
 * @throws ShapeMismatchError for a variable of less than 2 axes.
 *
 * Sources: Saxe et al., "Exact solutions to the nonlinear dynamics of learning in deep linear neural networks", ICLR
 * 2014; the iteration: Higham, "Functions of Matrices", 2008, section 8.3; its first steps: Jordan et al., "Muon", 2024.
 */
export function orthogonal(gain: number, seed?: number | SeedOptions): Initializer;
export function orthogonal(options?: SeedOptions & { readonly gain?: number }): Initializer;
export function orthogonal(...given: unknown[]): Initializer {
  const { gain = 1, seed } = orthogonalForm.take(given);
  return (shape, dtype) => {
    const [rows, columns] = matrixOf('orthogonal', shape);
    const isWide = rows < columns;
    const options = { dtype: dtype as 'float32', ...(seed !== undefined && { seed }) };
    const normal = normalNumbers(isWide ? [columns, rows] : [rows, columns], options) as AnyTensor;
    const made = orthogonalized(normal);
    return reshape(mul(isWide ? transpose(made) : made, gain) as AnyTensor, shape) as AnyTensor;
  };
}

const identityForm = signature('tf.initializers.identity', {}, { gain: finite }, ['gain']);
/**
 * `gain` on the diagonal, 0 elsewhere.
 *
 * @throws ShapeMismatchError for a variable that is no matrix.
 */
export function identity(gain?: number | { readonly gain?: number }): Initializer;
export function identity(...given: unknown[]): Initializer {
  const { gain = 1 } = identityForm.take(given);
  return (shape, dtype) => {
    const [rows, columns] = matrixOf('identity', shape);
    if (shape.length !== 2)
      throw new ShapeMismatchError(`identity: the variable must be a matrix, but its shape is ${showShape(shape)}.`);
    const data = new Float64Array(rows * columns);
    for (let i = 0; i < Math.min(rows, columns); i++) data[i * columns + i] = gain;
    return constantTensor(data, { dtype, shape }) as AnyTensor;
  };
}
