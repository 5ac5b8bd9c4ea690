// `npm run mnist`: trains the two models of the tutorial on the real MNIST.
import { options, wasInterrupted } from './run.ts';

if (options.model !== 'cnn') {
  console.log('Softmax regression');
  await import('./mnist-softmax.ts');
}
if (options.model !== 'softmax' && !wasInterrupted()) {
  console.log('Convolutional network');
  await import('./mnist-deep.ts');
}
