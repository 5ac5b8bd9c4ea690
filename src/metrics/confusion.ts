// Which class was taken for which.
import type { Tensor } from '../graph/tensor.ts';
import { mul } from '../ops/arithmetic.ts';
import { type AnyTensor, indexTypes, requireDType, tensor } from '../ops/define.ts';
import { onesLike, range } from '../ops/fill.ts';
import { gather, oneHot } from '../ops/gather.ts';
import { cast } from '../ops/logic.ts';
import { matmul } from '../ops/matmul.ts';
import { reshape } from '../ops/shape.ts';
import type { DType, NumericDType } from '../tensor/dtype.ts';
import { dtype as dtypeKind, kind, needed, text } from '../tensor/kinds.ts';
import type { Shape } from '../tensor/shape.ts';
import { signature } from '../tensor/signature.ts';
import { floated, metricKinds, paired, weightsOf } from './streaming.ts';

/** What a confusion matrix takes. */
export interface ConfusionOptions<T extends NumericDType> {
  /** The element type of the matrix; default int32. */
  readonly dtype?: T | undefined;
  /** What each prediction counts; default 1. */
  readonly weights?: number | Tensor<DType, any> | undefined;
  readonly name?: string | undefined;
}
const countKind = kind<number>('a whole number of at least 1', (v) => Number.isSafeInteger(v) && (v as number) >= 1);
const form = signature(
  'tf.confusionMatrix',
  { labels: tensor, predictions: tensor },
  { numClasses: needed(countKind), dtype: dtypeKind, name: text, weights: metricKinds.weights },
  ['numClasses', 'dtype'],
);
/**
 * How often each class (a row) was taken for each (a column): element [i, j] counts the predictions j of labels i.
 *
 * @param labels class numbers, int32 or uint8, and so are the predictions. A run with one out of range fails with an
 * InvalidArgumentError.
 * @param numClasses how many classes there are; must be given, as it is the size of the result.
 *
 * ```ts
 * const confusion = tf.confusionMatrix(labels, tf.argmax(logits, 1), 10);
 * ```
 *
 * Reference: tf.confusion_matrix of TensorFlow 1.
 */
export function confusionMatrix<const N extends number, T extends NumericDType = 'int32'>(
  labels: Tensor<'int32' | 'uint8', Shape>,
  predictions: Tensor<'int32' | 'uint8', Shape>,
  numClasses: N,
  dtype: T,
  options?: Omit<ConfusionOptions<T>, 'dtype'>,
): Tensor<NoInfer<T>, [N, N]>;
export function confusionMatrix<const N extends number, T extends NumericDType = 'int32'>(
  labels: Tensor<'int32' | 'uint8', Shape>,
  predictions: Tensor<'int32' | 'uint8', Shape>,
  numClasses: N,
  options?: ConfusionOptions<T>,
): Tensor<NoInfer<T>, [N, N]>;
export function confusionMatrix<const N extends number, T extends NumericDType = 'int32'>(
  labels: Tensor<'int32' | 'uint8', Shape>,
  predictions: Tensor<'int32' | 'uint8', Shape>,
  options: ConfusionOptions<T> & { readonly numClasses: N },
): Tensor<NoInfer<T>, [N, N]>;
export function confusionMatrix(...given: unknown[]): AnyTensor {
  const { labels, predictions, numClasses, dtype = 'int32', name = 'confusion_matrix', weights } = form.take(given);
  const { graph } = predictions;
  for (const x of [labels, predictions]) requireDType('confusionMatrix', x, indexTypes);
  return graph.asDefault(() =>
    graph.withScope(name, () => {
      const [label, said] = paired('confusionMatrix', labels, predictions);
      const w = weightsOf('confusionMatrix', weights, label);
      // Rows of the identity, rather than oneHot: an index out of range is then an error of the run.
      const identity = oneHot(range(numClasses) as Tensor<'int32', [number]>, numClasses) as AnyTensor;
      const rows = (x: AnyTensor, what: string) =>
        gather(identity, reshape(x, [-1]) as AnyTensor, { name: what }) as AnyTensor;
      const ofLabels = rows(label, 'labels');
      const weight = w && (reshape(mul(onesLike(floated(label)), w) as AnyTensor, [-1, 1]) as AnyTensor);
      const counted = weight ? (mul(ofLabels, weight) as AnyTensor) : ofLabels;
      const matrix = matmul(counted, rows(said, 'predictions'), { transposeA: true }) as AnyTensor;
      return dtype === 'float32' ? matrix : (cast(matrix, dtype) as AnyTensor);
    }),
  );
}
