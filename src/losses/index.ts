// tf.losses: losses of elements, weighted and reduced, which a graph collects.
export {
  type SmoothedLossOptions,
  sigmoidCrossEntropy,
  softmaxCrossEntropy,
  sparseSoftmaxCrossEntropy,
} from './classification.ts';
export { addLoss, getLosses, getRegularizationLoss, getRegularizationLosses, getTotalLoss } from './collection.ts';
export {
  absoluteDifference,
  cosineDistance,
  hingeLoss,
  huberLoss,
  type LossFunction,
  logLoss,
  meanSquaredError,
} from './regression.ts';
export { computeWeightedLoss, type LossOptions, type Reduced, Reduction } from './weighted.ts';
