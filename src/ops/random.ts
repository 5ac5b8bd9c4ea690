// Random tensors. Counter-based: the bits depend on the session's seed, the op's seed, the element, and how often the
// op has run in the session (in runs that change variables, or in runs that do not); on nothing else. Philox-4x32-10: Salmon et al., "Parallel random numbers: as easy as
// 1, 2, 3", SC 2011. Normal numbers by inversion: Wichura, "Algorithm AS 241", Applied Statistics 37, 1988.

import { InvalidArgumentError } from '../base/errors.ts';
import { getDefaultGraph } from '../graph/graph.ts';
import type { Tensor } from '../graph/tensor.ts';
import * as p from '../primitives/primitives.ts';
import type { Scalar } from '../primitives/scalar.ts';
import * as s from '../primitives/scalar.ts';
import { type DType, type FloatDType, isFloat } from '../tensor/dtype.ts';
import { dtype as dtypeKind, number, text, wholeNumber } from '../tensor/kinds.ts';
import { rowMajor, type Shape } from '../tensor/shape.ts';
import { signature } from '../tensor/signature.ts';
import { type AnyTensor, apply, defineOp, floats, type Named, numeric, requireDType } from './define.ts';
import { type GivenSizes, knownShape, type ShapeOfSizes, type Sizes, sizeList, takeShapeTensors } from './sizes.ts';

interface RandomAttributes {
  readonly kind: 'uniform' | 'normal' | 'truncated';
  readonly dtype: DType;
  /** Undefined: that of the input. */
  readonly shape: { readonly sizes: GivenSizes } | undefined;
  /** Scale and offset of the standard distribution. */
  readonly scale: number;
  readonly offset: number;
  readonly seed: number | undefined;
  /** That of the graph when the operation was made. */
  readonly graphSeed: number;
  /** Names the stream of numbers: the op's unique name, also in copies that initializeAllVariables makes of it. */
  readonly stream: { name: string };
}

/** 32-bit FNV-1a: spreads names over seeds. */
function hash(text: string): number {
  let h = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), 0x01000193);
  return h | 0;
}

/** 2³² divided by the golden ratio: spreads seeds of graphs, so that they are not those of sessions. */
const golden = 0x9e3779b9;

const RandomOp = defineOp<RandomAttributes>({
  name: 'Random',
  random: true,
  takesSizes: true,
  infer: (inputs, { dtype, shape }) => ({ dtype, shape: shape ? knownShape(shape.sizes, inputs) : inputs[0].shape }),
  gradient: ({ inputs }) => inputs.map(() => null),
  lower: (_, { attributes, outputs: [{ shape, dtype }], seed }) => {
    const stream = attributes.stream.name;
    const key: [number, number] = [
      seed ^ Math.imul(attributes.graphSeed, golden),
      attributes.seed === undefined ? hash(stream) : attributes.seed | 0,
    ];
    const strides = rowMajor(shape);
    return p.map(
      [p.counter(stream)],
      (run) => {
        const element = strides.reduce<Scalar>(
          (sum, n, axis) => (shape[axis] === 1 ? sum : s.add(sum, n === 1 ? s.index(axis) : s.mul(s.index(axis), n))),
          s.constant(0, 'int32'),
        );
        const bits = (draw: number) => s.philox(element, draw, run, key);
        const float = dtype === 'float64' ? 'float64' : 'float32';
        const { kind, scale, offset } = attributes;
        const value = kind === 'uniform' ? unit(bits, float) : normal(open(bits, float, kind === 'truncated'));
        const any = s.add(s.mul(value, scale), offset);
        // Rounding must not reach the upper bound.
        const scaled = kind === 'uniform' && scale > 0 ? s.min(any, below(offset + scale, float)) : any;
        return isFloat(dtype) ? scaled : s.cast(s.floor(s.add(s.mul(unit(bits, 'float64'), scale), offset)), dtype);
      },
      shape,
    );
  },
});

/** A number of the type that is less than x by the least that rounding cannot undo. */
function below(x: number, dtype: FloatDType): number {
  if (dtype === 'float64') return x - Math.max(Math.abs(x) * 2 ** -52, Number.MIN_VALUE);
  return Math.fround(x - Math.max(Math.abs(x) * 2 ** -23, 2 ** -149));
}

/** 24 or 53 random bits as a number in [0, 1). */
function unit(bits: (draw: number) => Scalar, dtype: FloatDType): Scalar {
  const upper = s.cast(s.shiftRight(bits(0), dtype === 'float32' ? 8 : 5), dtype);
  if (dtype === 'float32') return s.mul(upper, 2 ** -24);
  const lower = s.cast(s.shiftRight(bits(1), 6), dtype);
  return s.mul(s.add(s.mul(upper, 2 ** 26), lower), 2 ** -53);
}

/** Φ(−2): what lies below two standard deviations. */
const belowTwo = 0.022750131948179208;

/** A number in (0, 1), or in (Φ(−2), Φ(2)) for the truncated distribution, less ½. */
function open(bits: (draw: number) => Scalar, dtype: FloatDType, truncated: boolean): Scalar {
  const centred = s.add(unit(bits, dtype), dtype === 'float32' ? 2 ** -25 - 0.5 : 2 ** -54 - 0.5);
  return truncated ? s.mul(centred, 1 - 2 * belowTwo) : centred;
}

const polynomial = (x: Scalar, c: readonly number[]): Scalar =>
  c.slice(0, -1).reduceRight<Scalar>((sum, k) => s.add(s.mul(sum, x), k), s.constant(c[c.length - 1], x.dtype));

/** The normal deviate below which lies a part q + ½ of the distribution. */
function normal(q: Scalar): Scalar {
  const single = q.dtype === 'float32';
  const near = single ? nearSingle(q) : nearDouble(q);
  const tail = s.sub(0.5, s.abs(q));
  const r = s.sqrt(s.neg(s.log(tail)));
  const far = single ? farSingle(r) : farDouble(r);
  const signed = s.select(s.less(q, 0), s.neg(far), far);
  return s.select(s.lessEqual(s.abs(q), 0.425), near, signed);
}

function nearSingle(q: Scalar): Scalar {
  const r = s.sub(0.180625, s.mul(q, q));
  const a = polynomial(r, [3.3871327179, 50.434271938, 159.29113202, 59.10937472]);
  return s.mul(q, s.div(a, polynomial(r, [1, 17.895169469, 78.757757664, 67.1875636])));
}

function farSingle(r: Scalar): Scalar {
  const near = s.sub(r, 1.6);
  const far = s.sub(r, 5);
  const a = s.div(
    polynomial(near, [1.4234372777, 2.75681539, 1.3067284816, 0.17023821103]),
    polynomial(near, [1, 0.7370016425, 0.12021132975]),
  );
  const b = s.div(
    polynomial(far, [6.657905115, 3.081226386, 0.42868294337, 0.017337203997]),
    polynomial(far, [1, 0.24197894225, 0.012258202635]),
  );
  return s.select(s.lessEqual(r, 5), a, b);
}

function nearDouble(q: Scalar): Scalar {
  const r = s.sub(0.180625, s.mul(q, q));
  const a = polynomial(
    r,
    [
      3.387132872796366608, 133.14166789178437745, 1971.5909503065514427, 13731.693765509461125, 45921.953931549871457,
      67265.770927008700853, 33430.575583588128105, 2509.0809287301226727,
    ],
  );
  const b = polynomial(
    r,
    [
      1, 42.313330701600911252, 687.1870074920579083, 5394.1960214247511077, 21213.794301586595867,
      39307.89580009271061, 28729.085735721942674, 5226.495278852545925,
    ],
  );
  return s.mul(q, s.div(a, b));
}

function farDouble(r: Scalar): Scalar {
  const near = s.sub(r, 1.6);
  const far = s.sub(r, 5);
  const a = s.div(
    polynomial(
      near,
      [
        1.42343711074968357734, 4.6303378461565452959, 5.7694972214606914055, 3.64784832476320460504,
        1.27045825245236838258, 0.24178072517745061177, 0.0227238449892691845833, 7.7454501427834140764e-4,
      ],
    ),
    polynomial(
      near,
      [
        1, 2.05319162663775882187, 1.6763848301838038494, 0.68976733498510000455, 0.14810397642748007459,
        0.0151986665636164571966, 5.475938084995344946e-4, 1.05075007164441684324e-9,
      ],
    ),
  );
  const b = s.div(
    polynomial(
      far,
      [
        6.6579046435011037772, 5.4637849111641143699, 1.7848265399172913358, 0.29656057182850489123,
        0.026532189526576123093, 0.0012426609473880784386, 2.71155556874348757815e-5, 2.01033439929228813265e-7,
      ],
    ),
    polynomial(
      far,
      [
        1, 0.59983220655588793769, 0.13692988092273580531, 0.0148753612908506148525, 7.868691311456132591e-4,
        1.8463183175100546818e-5, 1.4215117583164458887e-7, 2.04426310338993978564e-15,
      ],
    ),
  );
  return s.select(s.lessEqual(r, 5), a, b);
}

/** Options of all random tensors. */
export interface RandomOptions<T extends DType> {
  /** Default float32. */
  readonly dtype?: T;
  /** A stream of its own for this op; by default one derived from the op's unique name. The session's seed counts too. */
  readonly seed?: number;
  readonly name?: string;
}
/** Options of normally distributed numbers. */
export interface NormalOptions<T extends DType> extends RandomOptions<T> {
  /** Default 0. */
  readonly mean?: number;
  /** The deviation σ; default 1. */
  readonly stddev?: number;
}
/** Options of uniformly distributed numbers. */
export interface UniformOptions<T extends DType> extends RandomOptions<T> {
  /** The least number; default 0. */
  readonly minval?: number;
  /** No number reaches it; default 1. */
  readonly maxval?: number;
}
const always = { dtype: dtypeKind, seed: wholeNumber, name: text };

type Given = { readonly [N in keyof RandomOptions<DType>]: RandomOptions<DType>[N] | undefined };
/** Random numbers of a shape, or of that of the tensor in `like`. */
function random<T extends DType, S extends Shape>(
  op: string,
  { kind, scale, offset }: Pick<RandomAttributes, 'kind' | 'scale' | 'offset'>,
  of: { readonly shape: Sizes } | { readonly like: AnyTensor },
  { dtype = 'float32', seed, name }: Given,
): Tensor<T, S> {
  requireDType(op, { dtype, shape: undefined }, kind === 'uniform' ? numeric : floats);
  if (!Number.isFinite(scale) || !Number.isFinite(offset) || scale < 0) {
    throw new InvalidArgumentError(`${op}: the bounds, mean and deviation must be finite and in order.`);
  }
  const stream = { name: '' };
  const { inputs, ...attributes } = 'like' in of ? { shape: undefined, inputs: [of.like] } : shapeGiven(op, of.shape);
  const { seed: graphSeed } = inputs[0]?.graph ?? getDefaultGraph();
  const made = apply<T, S, RandomAttributes>(
    RandomOp,
    inputs,
    { kind, dtype, ...attributes, scale, offset, seed, graphSeed, stream },
    name ?? op,
  );
  stream.name = made.operation.name;
  return made;
}

function shapeGiven(op: string, shape: Sizes): Pick<RandomAttributes, 'shape'> & { inputs: readonly AnyTensor[] } {
  const { sizes, inputs } = takeShapeTensors(op, shape);
  return { shape: { sizes }, inputs };
}

/** Numbers under a bell curve. */
export interface NormalFunction {
  <const S extends Sizes, T extends FloatDType = 'float32'>(
    shape: S,
    mean: number,
    stddev?: number,
    dtype?: T,
    seed?: number,
    name?: Named,
  ): Tensor<NoInfer<T>, ShapeOfSizes<S>>;
  <const S extends Sizes, T extends FloatDType = 'float32'>(
    shape: S,
    mean: number,
    stddev: number,
    options: RandomOptions<T>,
  ): Tensor<NoInfer<T>, ShapeOfSizes<S>>;
  <const S extends Sizes, T extends FloatDType = 'float32'>(
    shape: S,
    options?: NormalOptions<T>,
  ): Tensor<NoInfer<T>, ShapeOfSizes<S>>;
}
function normalFunction(op: string, kind: 'normal' | 'truncated'): NormalFunction {
  const order = ['mean', 'stddev', 'dtype', 'seed', 'name'] as const;
  const form = signature(`tf.${op}`, { shape: sizeList }, { mean: number, stddev: number, ...always }, order);
  return (...given: unknown[]): AnyTensor => {
    const { shape, mean: offset = 0, stddev: scale = 1, ...options } = form.take(given);
    return random(op, { kind, scale, offset }, { shape }, options);
  };
}

/**
 * Normally distributed numbers: density exp(−(x − mean)² / 2σ²) / σ√2π. New ones in each run.
 *
 * ```ts
 * tf.randomNormal([2, 3], { mean: 1, stddev: 0.1 });       // or tf.randomNormal([2, 3], 1, 0.1), as in TensorFlow
 * ```
 */
export const randomNormal: NormalFunction = normalFunction('randomNormal', 'normal');

/**
 * Normally distributed numbers of which those beyond two standard deviations are drawn again. (Computed by inverting
 * the distribution function between these bounds: the same distribution, without a loop.)
 *
 * ```ts
 * const W = tf.variable(tf.truncatedNormal([5, 5, 1, 32], { stddev: 0.1 }));
 * ```
 */
export const truncatedNormal: NormalFunction = normalFunction('truncatedNormal', 'truncated');

/** Numbers from a range. */
export interface UniformFunction {
  <const S extends Sizes, T extends DType = 'float32'>(
    shape: S,
    minval: number,
    maxval?: number,
    dtype?: T,
    seed?: number,
    name?: Named,
  ): Tensor<NoInfer<T>, ShapeOfSizes<S>>;
  <const S extends Sizes, T extends DType = 'float32'>(
    shape: S,
    minval: number,
    maxval: number,
    options: RandomOptions<T>,
  ): Tensor<NoInfer<T>, ShapeOfSizes<S>>;
  <const S extends Sizes, T extends DType = 'float32'>(
    shape: S,
    options?: UniformOptions<T>,
  ): Tensor<NoInfer<T>, ShapeOfSizes<S>>;
}
const range = { minval: number, maxval: number, ...always };
const uniformForm = signature('tf.randomUniform', { shape: sizeList }, range, [
  'minval',
  'maxval',
  'dtype',
  'seed',
  'name',
]);
/**
 * Uniformly distributed numbers in [minval, maxval): default [0, 1). For integers both bounds are whole numbers, and
 * maxval must be given.
 *
 * ```ts
 * tf.randomUniform([4], { minval: -1, maxval: 1 });        // or tf.randomUniform([4], -1, 1), as in TensorFlow
 * ```
 */
export const randomUniform: UniformFunction = (...given: unknown[]): AnyTensor => {
  const { shape, minval = 0, maxval: most, ...options } = uniformForm.take(given);
  const { dtype = 'float32' } = options;
  const maxval = most ?? 1;
  const whole = Number.isInteger(minval) && Number.isInteger(maxval);
  if (!isFloat(dtype) && !(whole && most !== undefined && (dtype !== 'uint8' || (minval >= 0 && maxval <= 256)))) {
    throw new InvalidArgumentError(
      `randomUniform: ${dtype} needs whole numbers as bounds${dtype === 'uint8' ? ' from 0 to 256' : ''}, and maxval given, but minval is ${minval} and maxval ${most}.`,
    );
  }
  return random('randomUniform', { kind: 'uniform', scale: maxval - minval, offset: minval }, { shape }, options);
};

const seedForm = signature('tf.setRandomSeed', { seed: wholeNumber }, {});
/**
 * Where the random numbers of the default graph begin, for operations that are made from now on. They depend on this
 * seed, on the session's, and on an operation's own: the option `seed`, else its name. Default 0. Of a seed the low 32
 * bits count.
 *
 * ```ts
 * tf.setRandomSeed(1);
 * const w = tf.getVariable('w', [784, 10]);       // other initial values than with the seed 0
 * ```
 */
export function setRandomSeed(seed: number): void;
export function setRandomSeed(...given: unknown[]): void {
  getDefaultGraph().seed = seedForm.take(given).seed;
}

/** @internal Uniform numbers in [0, 1) of the dtype and shape of another tensor. */
export function uniformLike<T extends FloatDType = any, S extends Shape = any>(
  x: Tensor<T, S>,
  op: string,
  seed?: number,
): Tensor<T, S> {
  const options = { dtype: x.dtype, seed, name: undefined };
  return random(op, { kind: 'uniform', scale: 1, offset: 0 }, { like: x }, options);
}
