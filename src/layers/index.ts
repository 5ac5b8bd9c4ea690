// tf.layers: layers as functions, each with a scope for its variables.
export { type ConvolutionOptions, conv1d, conv2d, type WindowOptions } from './convolution.ts';
export { type DropoutOptions, dropout, flatten } from './core.ts';
export { dense, type EmbeddingOptions, embedding } from './dense.ts';
export type { Activation, KernelOptions, LayerOptions, TrainableOptions, Training } from './layer.ts';
export {
  type BatchNormalizationLayerOptions,
  batchNormalization,
  layerNormalization,
  type NormalizationOptions,
} from './normalization.ts';
export { averagePooling2d, maxPooling2d, type PoolingFunction, type PoolingOptions } from './pooling.ts';
export { l1L2Regularizer, l1Regularizer, l2Regularizer } from './regularizers.ts';
export { type SeparableOptions, separableConv2d } from './separable.ts';
export { conv2dTranspose, type TransposedOptions } from './transposed.ts';
