// Clipping: values between bounds, and tensors that are no longer than a norm.
import { InvalidArgumentError, ShapeMismatchError } from '../base/errors.ts';
import { Tensor } from '../graph/tensor.ts';
import { describe } from '../tensor/describe.ts';
import type { FloatDType, NumericDType } from '../tensor/dtype.ts';
import { anything, kind, text } from '../tensor/kinds.ts';
import { compatible, type Shape, showShape } from '../tensor/shape.ts';
import { signature } from '../tensor/signature.ts';
import { readList } from '../tensor/sizes.ts';
import { add, addN, div, mul, sub } from './arithmetic.ts';
import { greater } from './comparison.ts';
import { toTensor } from './constant.ts';
import {
  type AnyTensor,
  type Axes,
  broadcastShapes,
  floats,
  type Named,
  numeric,
  operand,
  requireDType,
  tensor,
  tensorList,
} from './define.ts';
import { where } from './logic.ts';
import { maximum, minimum, sqrt, square } from './math.ts';
import { reduceSum } from './reduce.ts';

const byValueForm = signature(
  'tf.clipByValue',
  { x: tensor, clipValueMin: operand, clipValueMax: operand },
  { name: text },
  ['name'],
);
/**
 * x where it is between the bounds, else the nearer bound; NaN stays. The gradient of what was clipped is 0.
 *
 * @param clipValueMin a number, or a tensor that broadcasts to x's shape, and so is `clipValueMax`. Where the lower bound
 * is above the upper one, the result is the lower one.
 * @throws ShapeMismatchError when a bound does not broadcast to x's shape.
 *
 * ```ts
 * tf.clipByValue(gradient, -1, 1);
 * ```
 */
export function clipByValue<T extends NumericDType = any, S extends Shape = any>(
  x: Tensor<T, S>,
  clipValueMin: Tensor<NoInfer<T>, any> | number,
  clipValueMax: Tensor<NoInfer<T>, any> | number,
  name?: Named,
): Tensor<T, S>;
export function clipByValue(...given: unknown[]): AnyTensor {
  const { x, clipValueMin, clipValueMax, name = 'ClipByValue' } = byValueForm.take(given);
  requireDType('clipByValue', x, numeric);
  return x.graph.asDefault(() =>
    x.graph.withScope(name, () => {
      const [low, high] = [clipValueMin, clipValueMax].map((bound) => toTensor('clipByValue', bound, x.dtype));
      for (const bound of [low, high]) {
        if (compatible(broadcastShapes('clipByValue', x, bound), x.shape)) continue;
        throw new ShapeMismatchError(
          `clipByValue: the bound ${bound.name} has shape ${showShape(bound.shape)}, which does not broadcast to ${showShape(x.shape)}, the shape of what is clipped.`,
        );
      }
      return maximum(minimum(x, high as AnyTensor), low as AnyTensor);
    }),
  );
}

const norm = kind<AnyTensor | number>('a number above 0 or a scalar tensor', (v) =>
  v instanceof Tensor ? v.shape === undefined || v.shape.length === 0 : Number.isFinite(v) && (v as number) > 0,
);
const byNormForm = signature(
  'tf.clipByNorm',
  { x: tensor, clipNorm: norm },
  { axes: anything<Axes>('an axis, or an array of them'), name: text },
  ['axes', 'name'],
);
/**
 * x · clipNorm / max(‖x‖, clipNorm), with the Euclidean norm of x, or of each part of it along `axes`: what is no longer
 * than clipNorm stays as it is, bit for bit; what is 0 stays 0.
 *
 * @param options.axes over which the squares are summed; default: all.
 *
 * ```ts
 * tf.clipByNorm(gradient, 5);
 * tf.clipByNorm(rows, 1, { axes: [1] });       // each row by itself
 * ```
 */
export function clipByNorm<T extends FloatDType = any, S extends Shape = any>(
  x: Tensor<T, S>,
  clipNorm: Tensor<NoInfer<T>, []> | number,
  axes: number | readonly number[] | undefined,
  name?: string,
): Tensor<T, S>;
export function clipByNorm<T extends FloatDType = any, S extends Shape = any>(
  x: Tensor<T, S>,
  clipNorm: Tensor<NoInfer<T>, []> | number,
  options?: { readonly axes?: number | readonly number[]; readonly name?: string },
): Tensor<T, S>;
export function clipByNorm(...given: unknown[]): AnyTensor {
  const { x, clipNorm, axes, name = 'ClipByNorm' } = byNormForm.take(given);
  requireDType('clipByNorm', x, floats);
  return x.graph.asDefault(() =>
    x.graph.withScope(name, () => {
      const squares = reduceSum(square(x), axes as number, { keepDims: true }) as AnyTensor;
      // The root has no derivative at 0.
      const isAbove0 = greater(squares, 0);
      const length = where(isAbove0, sqrt(where(isAbove0, squares, 1)), squares);
      const most = toTensor('clipByNorm', clipNorm, x.dtype) as AnyTensor;
      return mul(x, div(most, maximum(length, most)));
    }),
  );
}

type Gradient = Tensor<FloatDType, any> | null;
/** The dtype of what is no null. */
type DTypeIn<L extends readonly Gradient[]> =
  Exclude<L[number], null> extends Tensor<infer T extends FloatDType, any> ? T : FloatDType;

const globalNormForm = signature('tf.globalNorm', { tensors: tensorList }, { name: text }, ['name']);
/**
 * √ Σ ‖x‖² over all tensors of a list, which may have nulls, as gradients do.
 *
 * @throws InvalidArgumentError when there is no tensor, DTypeError for tensors of different dtypes.
 */
export function globalNorm<const L extends readonly Gradient[]>(tensors: L, name?: Named): Tensor<DTypeIn<L>, []>;
export function globalNorm(...given: unknown[]): AnyTensor {
  const { tensors, name = 'GlobalNorm' } = globalNormForm.take(given);
  const present = presentIn('globalNorm', listFor('globalNorm', tensors));
  return normOf(present, name);
}

const byGlobalNormForm = signature(
  'tf.clipByGlobalNorm',
  { tensors: tensorList, clipNorm: norm },
  { useNorm: norm, name: text },
  ['useNorm', 'name'],
);
/**
 * All tensors of a list times clipNorm / max(globalNorm, clipNorm), and the global norm: together they are no longer than
 * clipNorm. Where the norm already is no larger they stay as they are, bit for bit. Nulls stay. Where the norm is infinite
 * or NaN, so that no factor would make it right, all become NaN.
 *
 * @param options.useNorm the global norm, if it is known.
 * @returns the clipped list, and the norm from before.
 *
 * ```ts
 * const pairs = optimizer.computeGradients(loss);
 * const [clipped] = tf.clipByGlobalNorm(pairs.map(([gradient]) => gradient), 5);
 * const step = optimizer.applyGradients(pairs.map(([, variable], i) => [clipped[i], variable]));
 * ```
 *
 * Source: Pascanu et al., "On the difficulty of training recurrent neural networks", ICML 2013.
 */
export function clipByGlobalNorm<const L extends readonly Gradient[]>(
  tensors: L,
  clipNorm: Tensor<FloatDType, []> | number,
  useNorm: Tensor<FloatDType, []>,
  name?: string,
): [clipped: { -readonly [I in keyof L]: L[I] }, norm: Tensor<DTypeIn<L>, []>];
export function clipByGlobalNorm<const L extends readonly Gradient[]>(
  tensors: L,
  clipNorm: Tensor<FloatDType, []> | number,
  options?: { readonly useNorm?: Tensor<FloatDType, []>; readonly name?: string },
): [clipped: { -readonly [I in keyof L]: L[I] }, norm: Tensor<DTypeIn<L>, []>];
export function clipByGlobalNorm(...given: unknown[]): [(AnyTensor | null)[], AnyTensor] {
  const { tensors, clipNorm, useNorm, name = 'ClipByGlobalNorm' } = byGlobalNormForm.take(given);
  const list = listFor('clipByGlobalNorm', tensors);
  const present = presentIn('clipByGlobalNorm', list);
  const [{ graph, dtype }] = present;
  return graph.asDefault(() =>
    graph.withScope(name, () => {
      const length =
        useNorm === undefined
          ? normOf(present, 'GlobalNorm')
          : (toTensor('clipByGlobalNorm', useNorm, dtype) as AnyTensor);
      const most = toTensor('clipByGlobalNorm', clipNorm, dtype) as AnyTensor;
      // A norm less itself is 0, or NaN.
      const factor = add(div(most, maximum(length, most)), sub(length, length));
      return [list.map((x) => x && mul(x, factor)), length];
    }),
  );
}

function normOf(present: readonly AnyTensor[], name: string): AnyTensor {
  const [{ graph }] = present;
  return graph.asDefault(() =>
    graph.withScope(name, () => sqrt(addN(present.map((x) => reduceSum(square(x)) as AnyTensor)))),
  );
}

/** Tensors and nulls; each is read once. */
function listFor(op: string, given: unknown): (AnyTensor | null)[] {
  const refuse = (came: string): never => {
    throw new InvalidArgumentError(`${op}: expected an array of tensors (and null), but ${came} came.`);
  };
  if (!Array.isArray(given)) return refuse(describe(given));
  return readList(given, (x, i) =>
    x === null || x instanceof Tensor ? x : refuse(`one whose element [${i}] is ${describe(x)}`),
  );
}

function presentIn(op: string, list: readonly (AnyTensor | null)[]): AnyTensor[] {
  const present = list.filter((x) => x !== null);
  for (const x of present) requireDType(op, x, floats);
  if (present.length > 0) return present;
  throw new InvalidArgumentError(`${op}: there is no tensor in the list.`);
}
