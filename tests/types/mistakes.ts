// What the compiler must refuse, and what it must say: every `//! text` is part of the error on the next line.
import type { NDArray, Operation, Tensor } from 'millrace';
import * as tf from 'millrace';

const x = tf.placeholder('float32', [null, 784]);
const images = tf.reshape(x, [-1, 28, 28, 1]);
const y = tf.nn.softmax(tf.matmul(x, tf.zeros([784, 10])));
declare const labels: NDArray<'float32', [number, 10]>;
declare const integers: NDArray<'int32', [number, 784]>;
declare const step: Operation;

//! matmul: inner dimensions 784 and 783 differ
tf.matmul(x, tf.zeros([783, 10]));
//! matmul: inner dimensions 784 and 783 differ
x.matmul(tf.zeros([783, 10]));
//! add: shapes [null,10] and [11] do not broadcast
y.add(tf.zeros([11]));
//! add: shapes [null,10] and [11] do not broadcast
tf.add(y, tf.zeros([11]));
//! equal: shapes [null,10] and [9] do not broadcast
tf.equal(y, tf.zeros([9]));
//! where: shapes [2] and [3] do not broadcast
tf.where(tf.ones([3], 'bool'), tf.zeros([2]), tf.zeros([3]));
//! reshape: [null,784] has 784 elements per row, which does not fit rows of 756 in [-1,28,27,1]
tf.reshape(x, [-1, 28, 27, 1]);
//! reshape: [784,10] has 7840 elements but [28,28] has 784
tf.reshape(tf.zeros([784, 10]), [28, 28]);
//! conv2d: input has 1 channels but the filter expects 3
tf.nn.conv2d(images, tf.zeros([5, 5, 3, 32]), { strides: [1, 1, 1, 1], padding: 'SAME' });
//! Type '"same"' is not assignable to type 'Padding'
tf.nn.maxPool(images, { ksize: [1, 2, 2, 1], strides: [1, 2, 2, 1], padding: 'same' });
//! maxPool: input must be [batch, height, width, channels], but its shape is [null,784]
tf.nn.maxPool(x, { ksize: [1, 2, 2, 1], strides: [1, 2, 2, 1], padding: 'SAME' });
//! 'NDArray<"float32", [number, 10]>' is not assignable to type
await step.run([[x, labels]]);
//! 'keepdims' does not exist in type
tf.reduceSum(y, 1, { keepdims: true });
//! 'thread' does not exist in type 'SessionOptions'
new tf.Session({ thread: 1 });
//! 'useCudnn' does not exist in type
tf.nn.conv2d(images, tf.zeros([5, 5, 1, 32]), { strides: [1, 1, 1, 1], padding: 'SAME', useCudnn: true });
//! conv2d: input has 1 channels but the filter expects 3
tf.nn.conv2d(images, tf.zeros([5, 5, 3, 32]), [1, 1, 1, 1], 'SAME');
//! reduceSum: axis 2 is out of range for shape [null,10]
y.reduceSum(2, true);
//! Type 'number' is not assignable to type 'Variable<any, any>'
new tf.train.AdamOptimizer(0.1).minimize(tf.reduceSum(y), { globalStep: 1 });
//! 'globalSteps' does not exist in type
new tf.train.AdamOptimizer(0.1).minimize(tf.reduceSum(y), { globalSteps: 1 });
//! Argument of type 'Tensor<"float32", [10]>' is not assignable to parameter of type 'Rate'
new tf.train.GradientDescentOptimizer(tf.zeros([10]));
//! Argument of type 'Tensor<"bool", []>' is not assignable to parameter of type 'Rate
new tf.train.AdamOptimizer(tf.constant(true));
//! Type '"int32"' is not assignable to type '"float32"'
await step.run([[x, integers]]);
//! Type 'number' is not assignable to type 'FeedValue<"float32", [null, 784]>'
await step.run([[x, 0.5]]);
//! Type '"int32"' is not assignable to type '"float32"'
tf.add(y, tf.cast(y, 'int32'));
//! Type '"int32"' is not assignable to type '"float32"'
tf.matmul(y, tf.zeros([10, 10], 'int32'));
//! reduceSum: axis 2 is out of range for shape [null,10]
tf.reduceSum(y, 2);
//! argmax: axis 3 is out of range for shape [null,10]
tf.argmax(y, 3);
//! concat: shapes [2,3] and [2,4] do not match outside axis 0
tf.concat([tf.zeros([2, 3]), tf.zeros([2, 4])], 0);
//! softmaxCrossEntropyWithLogits: shapes [100,9] and [null,10] do not broadcast
tf.nn.softmaxCrossEntropyWithLogits({ labels: tf.zeros([100, 9]), logits: y });
//! Argument of type 'string' is not assignable to parameter
y.add('1');
//! Argument of type '"float16"' is not assignable to parameter
tf.placeholder('float16', [2]);

const dense = <N extends number, M extends number>(
  input: Tensor<'float32', [null, N]>,
  w: Tensor<'float32', [N, M]>,
): Tensor<'float32', [null, M]> => tf.matmul(input, w);
//! Type '783' is not assignable to type '784'
dense(x, tf.zeros([783, 10]));

const session = new tf.Session({ trace: 'trace.json' });
const text: string = await session.explain([step, y], [[x, new Float32Array(784)]]);
//! Type 'string' is not assignable to type 'number'
export const length: number = text;
//! Type '"int32"' is not assignable to type '"float32"'
await session.explain(step, [[x, integers]]);
//! Type 'boolean' is not assignable to type 'string'
new tf.Session({ trace: true });

//! Type '"float32"' is not assignable to type '"int32"'
export const wrongType: Tensor<'int32', [2]> = tf.zeros([2]);
//! Type '"float32"' is not assignable to type '"int32" | "uint8"'
tf.gather(x, tf.constant([0]));

//! dense: input must have at least 2 axes, but its shape is [784]
tf.layers.dense(tf.zeros([784]), 10);
//! dense: the size of the last axis must be known, but the shape is [3,null]
tf.layers.dense(tf.placeholder('float32', [3, null]), 10);
//! conv2d: input must be [batch, height, width, channels], but its shape is [null,784]
tf.layers.conv2d(x, 32, 5);
//! Type '"full"' is not assignable to type
tf.layers.conv2d(images, 32, 5, { padding: 'full' });
//! conv2dTranspose: the number of channels must be known, but the shape is [1,7,7,null]
tf.layers.conv2dTranspose(tf.placeholder('float32', [1, 7, 7, null]), 32, 5);
//! separableConv2d: the number of channels must be known, but the shape is [1,null,7,7]
tf.layers.separableConv2d(tf.placeholder('float32', [1, null, 7, 7]), 32, 5, { dataFormat: 'channels_first' });
//! averagePooling2d: input must be [batch, channels, height, width], but its shape is [null,784]
tf.layers.averagePooling2d(x, 2, 2, { dataFormat: 'channels_first' });
//! 'dilationRate' does not exist in type 'TransposedOptions
tf.layers.conv2dTranspose(images, 32, 5, { dilationRate: 2 });
//! conv1d: input must be [batch, width, channels], but its shape is [null,784]
tf.layers.conv1d(x, 32, 5);
//! maxPooling2d: input must be [batch, height, width, channels], but its shape is [null,784]
tf.layers.maxPooling2d(x, 2, 2);
//! flatten: input must have at least 1 axis, but its shape is []
tf.layers.flatten(tf.zeros([]));
//! 'kernel_regularizer' does not exist in type
tf.layers.dense(x, 10, { kernel_regularizer: tf.layers.l2Regularizer(1) });
//! meanSquaredError: labels [100] and predictions [100,1] must have the same shape
tf.losses.meanSquaredError(tf.zeros([100]), tf.zeros([100, 1]));
//! softmaxCrossEntropy: labels [100,9] and logits [null,10] must have the same shape
tf.losses.softmaxCrossEntropy(tf.zeros([100, 9]), y);
//! Type '"mean"' is not assignable to type
tf.losses.hingeLoss(y, y, { reduction: 'mean' });
//! Type 'Variable<"float32", [784, 10]>' is not assignable to type 'Variable<"float32", [784, 11]>'
export const wrongVariable: tf.Variable<'float32', [784, 11]> = tf.getVariable('W', [784, 10]);
//! 'reused' does not exist in type 'VariableScopeOptions'
tf.variableScope('net', { reused: true }, () => 1);
//! split: axis 1 of [null,10] has 10 elements, which are not 3 equal parts
tf.split(y, 3, 1);
//! split: the sizes are 7 together, but axis 1 of [null,10] has 10 elements
tf.split(y, [3, 4], 1);
//! split: axis 2 is out of range for shape [null,10]
tf.split(y, 2, 2);
//! stack: shapes [2,3] and [2,4] differ
tf.stack([tf.zeros([2, 3]), tf.zeros([2, 4])]);
//! sigmoidCrossEntropyWithLogits: labels [32] and logits [32,1] must have the same shape
tf.nn.sigmoidCrossEntropyWithLogits({ labels: tf.zeros([32]), logits: tf.zeros([32, 1]) });
//! batchNormalization: shapes [null,10] and [9] do not broadcast
tf.nn.batchNormalization(y, { mean: tf.zeros([9]), variance: tf.zeros([9]) });
//! moments: axis 2 is out of range for shape [null,10]
tf.nn.moments(y, 2);

const up = tf.placeholder('float32', [null, 7, 7, 64]);
//! conv2dTranspose: outputShape has 16 channels but the filter makes 32
tf.nn.conv2dTranspose(up, tf.zeros([5, 5, 32, 64]), [null, 14, 14, 16], [1, 2, 2, 1], 'SAME');
//! conv2dTranspose: a convolution of 16 rows gives 8, but the input has 7
tf.nn.conv2dTranspose(up, tf.zeros([5, 5, 32, 64]), [null, 16, 14, 32], [1, 2, 2, 1], 'SAME');
//! depthwiseConv2d: input has 64 channels but the filter expects 32
tf.nn.depthwiseConv2d(up, tf.zeros([3, 3, 32, 1]), [1, 1, 1, 1], 'SAME');
//! conv2d: input has 64 channels but the filter expects 32
tf.nn.conv2d(up, tf.zeros([3, 3, 16, 8]), { strides: [1, 1, 1, 1], padding: 'SAME', groups: 2 });
//! conv1d: input has 8 channels but the filters expect 9
tf.nn.conv1d(tf.zeros([2, 100, 8]), tf.zeros([5, 9, 16]), 1, 'SAME');
//! matmul: the batch dimensions of [2,3,4] and [5,4,6] do not broadcast
tf.matmul(tf.zeros([2, 3, 4]), tf.zeros([5, 4, 6]));
//! matmul: inner dimensions 4 and 5 differ
tf.matmul(tf.zeros([2, 3, 4]), tf.zeros([5, 6]));
//! biasAdd: shapes [64] and [7] do not broadcast
tf.nn.biasAdd(tf.placeholder('float32', [null, 64, 7, 7]), tf.zeros([7]), { dataFormat: 'NCHW' });
//! gatherNd: indices [5,3] are about 3 axes, but x, [2,3], has 2
tf.gatherNd(tf.zeros([2, 3]), tf.zeros([5, 3], 'int32'));
//! gather: axis 2 is out of range for shape [2,3]
tf.gather(tf.zeros([2, 3]), tf.zeros([5], 'int32'), { axis: 2 });
//! 'beginMasks' does not exist in type
tf.stridedSlice(tf.zeros([2, 3]), [0], [1], { beginMasks: 1 });
//! conv2d: a window of [3,3] does not fit into [1,2,2,1]; use padding 'SAME'
tf.nn.conv2d(tf.zeros([1, 2, 2, 1]), tf.zeros([3, 3, 1, 4]), [1, 1, 1, 1], 'VALID');
//! conv2d: a window of [3,3] does not fit into [1,1,4,9]; use padding 'SAME'
tf.nn.conv2d(tf.zeros([1, 1, 4, 9]), tf.zeros([3, 3, 1, 4]), {
  strides: [1, 1, 1, 1],
  padding: 'VALID',
  dilations: [1, 1, 2, 2],
  dataFormat: 'NCHW',
});
//! conv1d: a window of 5 does not fit into [2,4,8]; use padding 'SAME'
tf.nn.conv1d(tf.zeros([2, 4, 8]), tf.zeros([5, 8, 16]), 1, 'VALID');
//! depthwiseConv2d: a window of [3,3] does not fit into [1,2,2,4]; use padding 'SAME'
tf.nn.depthwiseConv2d(tf.zeros([1, 2, 2, 4]), tf.zeros([3, 3, 4, 1]), [1, 1, 1, 1], 'VALID');
//! separableConv2d: a window of [3,3] does not fit into [1,2,2,4]; use padding 'SAME'
tf.nn.separableConv2d(tf.zeros([1, 2, 2, 4]), tf.zeros([3, 3, 4, 1]), tf.zeros([1, 1, 4, 8]), [1, 1, 1, 1], 'VALID');
//! maxPool: a window of [1,3,3,1] does not fit into [null,2,2,1]; use padding 'SAME'
tf.nn.maxPool(tf.placeholder('float32', [null, 2, 2, 1]), [1, 3, 3, 1], [1, 1, 1, 1], 'VALID');
//! conv2d: a window of [3,3] does not fit into [1,2,2,1]; use padding 'SAME'
tf.layers.conv2d(tf.zeros([1, 2, 2, 1]), 4, 3);
//! conv1d: a window of 5 does not fit into [2,4,8]; use padding 'SAME'
tf.layers.conv1d(tf.zeros([2, 4, 8]), 16, 5);
//! separableConv2d: a window of [2,3] does not fit into [1,2,2,1]; use padding 'SAME'
tf.layers.separableConv2d(tf.zeros([1, 2, 2, 1]), 4, [2, 3]);
//! maxPooling2d: a window of [3,3] does not fit into [1,2,2,1]; use padding 'SAME'
tf.layers.maxPooling2d(tf.zeros([1, 2, 2, 1]), 3, 2);
//! topK: the last axis of [2,3] must have at least k = 4 elements
tf.nn.topK(tf.zeros([2, 3]), 4);
//! broadcastTo: shapes [2,3] and [4,4] do not broadcast
tf.broadcastTo(tf.zeros([2, 3]), [4, 4]);
