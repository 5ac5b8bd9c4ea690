// The models and optimizers from which the page lets one choose: what it says of them. It needs no millrace for that; how
// they are built is in builders.ts. Another one is a line here and a line there.
import convolutionFile from './convolution.ts?raw';
import softmaxFile from './softmax.ts?raw';

export type OptimizerName = 'GradientDescent' | 'Momentum' | 'Adagrad' | 'RMSProp' | 'Adam' | 'AdamW' | 'Lion';
export const optimizerTitles: Readonly<Record<OptimizerName, string>> = {
  GradientDescent: 'gradient descent',
  Momentum: 'momentum 0.9',
  Adagrad: 'Adagrad',
  RMSProp: 'RMSProp',
  Adam: 'Adam',
  AdamW: 'AdamW',
  Lion: 'Lion',
};

/** A model, the text of its file, and what it is trained with unless somebody asks for something else. */
interface Entry {
  readonly title: string;
  readonly file: string;
  readonly optimizer: OptimizerName;
  readonly rate: number;
  /** How many of the test images are asked while it trains; all of them are when it is paused. */
  readonly sample: number;
  /** How many of them in one run, which must be short: the worker answers between two runs. */
  readonly portion: number;
}

export type ModelName = 'softmax' | 'convolution';
export const models: Readonly<Record<ModelName, Entry>> = {
  softmax: {
    title: 'softmax regression',
    file: softmaxFile,
    optimizer: 'GradientDescent',
    rate: 0.01,
    sample: 2000,
    portion: 500,
  },
  convolution: {
    title: 'convolutional network',
    file: convolutionFile,
    optimizer: 'Adam',
    rate: 0.001,
    sample: 1000,
    portion: 50,
  },
};
export const modelNames = Object.keys(models) as ModelName[];
