// Each op called with each dtype, for the table of docs/ops.md: what its rule says, and what each backend computes.
import * as tf from '../../src/index.ts';
import { type Kind, signatures } from '../../src/tensor/signature.ts';

type Any = tf.Tensor<any, any>;
const api = tf as any;

/** What an example of an op is made of. Nothing in it is a constant: the backends compute all of it. */
export interface Given {
  readonly dtype: tf.DType;
  /** A tensor of the dtype that the example is about, or of another. */
  readonly x: (shape?: readonly number[], dtype?: tf.DType) => Any;
  /** Numbers below 2. */
  readonly index: (shape: readonly number[], dtype?: tf.DType) => Any;
}
export type Example = (given: Given) => unknown;

const step = { strides: [1, 1, 1, 1], padding: 'SAME' };
const window = { ksize: [1, 2, 2, 1], ...step };
const images = [1, 4, 4, 2];
const kernel = [2, 2, 2, 2];
export const dtypes: readonly tf.DType[] = ['float32', 'float64', 'int32', 'uint8', 'bool'];

/** Those whose arguments do not follow from their signature; what stands behind a colon is the argument of the dtype. */
const examples: Readonly<Record<string, Example>> = {
  'tf.constant': ({ dtype }) => tf.constant([0, 1].map((v) => (dtype === 'bool' ? v === 1 : v)) as any, dtype),
  'tf.zeros': ({ dtype }) => tf.zeros([2], dtype),
  'tf.ones': ({ dtype }) => tf.ones([2], dtype),
  'tf.fill': ({ dtype }) => tf.fill([2], 1, dtype),
  'tf.range: its limits': ({ x }) => api.range(x([]), x([])),
  'tf.linspace': ({ dtype }) => api.linspace(0, 1, 3, { dtype }),
  'tf.eye': ({ dtype }) => tf.eye(2, { dtype } as any),
  'tf.where': ({ x }) => api.where(x([2], 'bool'), x([2]), x([2])),
  'tf.where: condition': ({ x }) => api.where(x([2]), x([2], 'float32'), x([2], 'float32')),
  'tf.cast': ({ x }) => dtypes.map((to) => tf.cast(x(), to)),
  'tf.reshape': ({ x }) => api.reshape(x([2, 3]), [3, 2]),
  'tf.expandDims': ({ x }) => api.expandDims(x(), 0),
  'tf.squeeze': ({ x }) => api.squeeze(x([2, 1])),
  'tf.placeholder': ({ x }) => x(),
  'tf.placeholderWithDefault': ({ x }) => api.placeholderWithDefault(x([2]), [2]),
  'tf.variable': ({ dtype }) => tf.identity(variableOf(dtype)),
  'tf.assign': ({ dtype, x }) => api.assign(variableOf(dtype), x([2])),
  'tf.assignAdd': ({ dtype, x }) => api.assignAdd(variableOf(dtype), x([2])),
  'tf.assignSub': ({ dtype, x }) => api.assignSub(variableOf(dtype), x([2])),
  'tf.matmul': ({ x }) => api.matmul(x([2, 3]), x([3, 2])),
  'tf.gather': ({ x, index }) => api.gather(x([2, 3]), index([2], 'int32')),
  'tf.gather: indices': ({ x, index }) => api.gather(x([2, 3], 'float32'), index([2])),
  'tf.gatherNd': ({ x, index }) => api.gatherNd(x([2, 3]), index([2, 1], 'int32')),
  'tf.gatherNd: indices': ({ x, index }) => api.gatherNd(x([2, 3], 'float32'), index([2, 1])),
  'tf.unsortedSegmentSum': ({ x, index }) => api.unsortedSegmentSum(x([2, 3]), index([2], 'int32'), 2),
  'tf.unsortedSegmentSum: segmentIds': ({ x, index }) => api.unsortedSegmentSum(x([2, 3], 'float32'), index([2]), 2),
  'tf.oneHot': ({ index, dtype }) => api.oneHot(index([2], 'int32'), 3, { dtype }),
  'tf.oneHot: indices': ({ index }) => api.oneHot(index([2]), 3),
  'tf.slice': ({ x }) => api.slice(x([2, 3]), [0, 1], [2, 2]),
  'tf.stridedSlice': ({ x }) => api.stridedSlice(x([2, 3]), [0, 2], [2, 0], { strides: [1, -1] }),
  'tf.pad': ({ x }) => api.pad(x([2, 3]), [[1, 0], [0, 1]]), // biome-ignore format: a matrix
  'tf.split': ({ x }) => api.split(x([2, 3]), 3, 1),
  'tf.tile': ({ x }) => api.tile(x([2, 3]), [1, 2]),
  'tf.broadcastTo': ({ x }) => api.broadcastTo(x([3]), [2, 3]),
  'tf.concat': ({ x }) => api.concat([x(), x()], 0),
  'tf.checkNumerics': ({ x }) => api.checkNumerics(x(), 'x'),
  'tf.assert': ({ x, dtype }) => api.assert(dtype === 'bool' ? api.equal(x(), x()) : x()),
  'tf.clipByValue': ({ x }) => api.clipByValue(x(), x([]), x([])),
  'tf.clipByNorm': ({ x }) => api.clipByNorm(x(), 1),
  'tf.clipByGlobalNorm': ({ x }) => api.clipByGlobalNorm([x(), x()], 1),
  'tf.multinomial': ({ x }) => api.multinomial(x([2, 3]), 2),
  'tf.randomNormal': ({ dtype }) => api.randomNormal([2], { dtype }),
  'tf.truncatedNormal': ({ dtype }) => api.truncatedNormal([2], { dtype }),
  'tf.randomUniform': ({ dtype }) => api.randomUniform([2], { maxval: 9, dtype }),
  'tf.confusionMatrix': ({ index, dtype }) =>
    api.confusionMatrix(index([3], 'int32'), index([3], 'int32'), { numClasses: 2, dtype }),
  'tf.confusionMatrix: labels, predictions': ({ index }) =>
    api.confusionMatrix(index([3]), index([3]), { numClasses: 2 }),
  'tf.nn.embeddingLookup': ({ x, index }) => api.nn.embeddingLookup(x([2, 3]), index([2], 'int32')),
  'tf.nn.embeddingLookup: ids': ({ x, index }) => api.nn.embeddingLookup(x([2, 3], 'float32'), index([2])),
  'tf.nn.softmaxCrossEntropyWithLogits': ({ x }) =>
    api.nn.softmaxCrossEntropyWithLogits({ labels: x([2, 3]), logits: x([2, 3]) }),
  'tf.nn.sparseSoftmaxCrossEntropyWithLogits': ({ x, index }) =>
    api.nn.sparseSoftmaxCrossEntropyWithLogits({ labels: index([2], 'int32'), logits: x([2, 3]) }),
  'tf.nn.sparseSoftmaxCrossEntropyWithLogits: labels': ({ x, index }) =>
    api.nn.sparseSoftmaxCrossEntropyWithLogits({ labels: index([2]), logits: x([2, 3], 'float32') }),
  'tf.nn.sigmoidCrossEntropyWithLogits': ({ x }) => api.nn.sigmoidCrossEntropyWithLogits({ labels: x(), logits: x() }),
  'tf.nn.weightedCrossEntropyWithLogits': ({ x }) =>
    api.nn.weightedCrossEntropyWithLogits({ labels: x(), logits: x(), posWeight: 2 }),
  'tf.nn.conv1d': ({ x }) => api.nn.conv1d(x([1, 4, 2]), x([2, 2, 3]), { stride: 1, padding: 'SAME' }),
  'tf.nn.conv2d': ({ x }) => api.nn.conv2d(x(images), x(kernel), step),
  'tf.nn.depthwiseConv2d': ({ x }) => api.nn.depthwiseConv2d(x(images), x(kernel), step),
  'tf.nn.separableConv2d': ({ x }) => api.nn.separableConv2d(x(images), x(kernel), x([1, 1, 4, 3]), step),
  'tf.nn.conv2dTranspose': ({ x }) => api.nn.conv2dTranspose(x(images), x(kernel), { ...step, outputShape: images }),
  'tf.nn.maxPool': ({ x }) => api.nn.maxPool(x(images), window),
  'tf.nn.avgPool': ({ x }) => api.nn.avgPool(x(images), window),
  'tf.nn.moments': ({ x }) => api.nn.moments(x(), 0),
  'tf.nn.batchNormalization': ({ x }) =>
    api.nn.batchNormalization(x(), { mean: x([3]), variance: x([3]), varianceEpsilon: 0.1 }),
  'tf.nn.inTopK': ({ x, index }) => api.nn.inTopK(x([2, 3]), index([2], 'int32'), 2),
  'tf.nn.inTopK: targets': ({ x, index }) => api.nn.inTopK(x([2, 3], 'float32'), index([2]), 2),
  'tf.nn.biasAdd': ({ x }) => api.nn.biasAdd(x(), x([3])),
  'tf.nn.dropout': ({ x }) => api.nn.dropout(x(), 0.5),
  'tf.layers.embedding': ({ index, dtype }) => api.layers.embedding(index([2], 'int32'), 2, 3, { dtype }),
  'tf.layers.embedding: ids': ({ index }) => api.layers.embedding(index([2]), 2, 3),
  'tf.layers.dropout': ({ x }) => api.layers.dropout(x(), { training: true }),
  'tf.losses.sparseSoftmaxCrossEntropy': ({ x, index }) =>
    api.losses.sparseSoftmaxCrossEntropy(index([2], 'int32'), x([2, 3])),
  'tf.losses.sparseSoftmaxCrossEntropy: labels': ({ x, index }) =>
    api.losses.sparseSoftmaxCrossEntropy(index([2]), x([2, 3], 'float32')),
  'tf.losses.cosineDistance': ({ x }) => api.losses.cosineDistance(x(), x(), { axis: 1 }),
};

/** They have a name, but give no tensor. */
const noOps = /^tf\.(noOp|group|gradients|\w+Initializer|initializeAllVariables|losses\.(get|add)\w+)$/;

const variableOf = (dtype: tf.DType) =>
  tf.variable(tf.constant([0, 1].map((v) => (dtype === 'bool' ? v === 1 : v)) as any, dtype));

const byKind: Readonly<Record<string, (given: Given) => unknown>> = {
  'a tensor': ({ x }) => x(),
  'a tensor or a number': ({ x }) => x(),
  'an array of tensors': ({ x }) => [x(), x()],
  'a whole number of at least 1': () => 2,
  'a whole number of at least 1, or two of them': () => 2,
};

/** An example for the arguments that a signature asks for, where each can be of the dtype. */
function exampleOf(call: string, required: Readonly<Record<string, Kind<unknown>>>): Example {
  const f = call
    .split('.')
    .slice(1)
    .reduce((at, name) => at[name], api);
  const makers = Object.entries(required).map(([name, { is }]) => {
    if (byKind[is]) return byKind[is];
    throw new Error(`${call} takes ${name}, ${is}: add an example of it to tests/integration/dtypes.ts`);
  });
  const ofShape =
    (usual: readonly number[]): Example =>
    ({ x, ...given }) =>
      f(...makers.map((make) => make({ ...given, x: (shape = usual, dtype) => x(shape, dtype) })));
  const fits = (usual: readonly number[]) =>
    dtypes.some((dtype) => {
      try {
        new tf.Graph().asDefault(() => ofShape(usual)(given(dtype, [])));
        return true;
      } catch {
        return false;
      }
    });
  // A matrix, images, or signals.
  const shape = [[2, 3], images, [1, 4, 2]].find(fits);
  if (!shape)
    throw new Error(
      `${call} does not take what its signature says: add an example of it to tests/integration/dtypes.ts`,
    );
  return ofShape(shape);
}

/** All ops: what gives a tensor, and takes one or a dtype. */
export function allExamples(): ReadonlyMap<string, Example> {
  const all = [...signatures.values()];
  const found = new Map<string, Example>();
  const isOp = ({ call, required, optional }: (typeof all)[number]) =>
    /^tf\.((nn|layers)\.)?\w+$/.test(call)
      ? 'name' in optional
      : /^tf\.(losses|metrics)\.\w+$/.test(call) && Object.keys(required).length > 0;
  for (const { call, required } of all.filter((s) => isOp(s) && !noOps.test(s.call))) {
    const own = Object.keys(examples).filter((key) => key === call || key.startsWith(`${call}: `));
    if (own.length === 0) found.set(call, exampleOf(call, required));
    for (const key of own) found.set(key, examples[key]);
  }
  const unknown = Object.keys(examples).filter((key) => !found.has(key));
  if (unknown.length > 0) throw new Error(`there are no such ops any more: ${unknown.join(', ')}`);
  return found;
}

/** An example in a graph: what is fetched, or the error of the op's rule. */
export interface Built {
  readonly op: string;
  readonly fetches: readonly Any[];
  readonly error?: tf.DTypeError;
}
export type Feeds = (readonly [Any, unknown])[];

/** Positive and small, so that everything has a value. */
function valueOf(dtype: tf.DType, i: number): number {
  if (dtype === 'bool') return i % 2;
  return dtype === 'float32' || dtype === 'float64' ? 0.5 + (i % 5) / 4 : 1 + (i % 5);
}

function given(dtype: tf.DType, feeds: Feeds): Given {
  const fed = (shape: readonly number[], of: tf.DType, value: (i: number) => number) => {
    const tensor = tf.placeholder(of, shape) as Any;
    const length = shape.reduce((a, b) => a * b, 1);
    const numbers = Array.from({ length }, (_, i) => value(i));
    feeds.push([tensor, api.array(of === 'bool' ? Uint8Array.from(numbers) : numbers, shape, of)]);
    return tensor;
  };
  return {
    dtype,
    x: (shape = [2, 3], of = dtype) => fed(shape, of, (i) => valueOf(of, i)),
    index: (shape, of = dtype) => fed(shape, of, (i) => i % 2),
  };
}

/** The tensors of a result; of an operation, one that comes after it. */
function tensorsOf(result: unknown): Any[] {
  if (result instanceof tf.Operation)
    return [tf.controlDependencies([result], () => tf.identity(tf.constant(1))) as Any];
  if (Array.isArray(result)) return result.flatMap(tensorsOf);
  return result instanceof tf.Tensor ? [result as Any] : [];
}

/** Builds an example in the default graph, in a scope of its own: it draws the same numbers whatever else is built. */
export function build(op: string, example: Example, dtype: tf.DType, feeds: Feeds): Built {
  try {
    const fetches = tf.variableScope(op.replace(/\W+/g, '_'), () => tensorsOf(example(given(dtype, feeds))));
    if (fetches.length === 0) throw new Error('it gave no tensor');
    return { op, fetches };
  } catch (error) {
    if (error instanceof tf.DTypeError) return { op, fetches: [], error };
    throw new Error(`${op} of ${dtype}: ${(error as Error).message}`);
  }
}
