// `npm run mnist`: trains the two models of the tutorial on the real MNIST.
import { MillraceError } from 'millrace';
import { options } from './options.ts';
import { status, wasInterrupted } from './run.ts';

async function train(title: string, model: () => Promise<unknown>): Promise<void> {
  console.log(title);
  status('reading MNIST');
  await model();
  status();
}

try {
  if (options.model !== 'cnn') await train('Softmax regression', () => import('./mnist-softmax.ts'));
  if (options.model !== 'softmax' && !wasInterrupted())
    await train('Convolutional network', () => import('./mnist-deep.ts'));
} catch (error) {
  // What millrace says of a mistake is enough; for anything else the stack helps.
  console.error(error instanceof MillraceError ? `${error.name}: ${error.message}` : error);
  process.exit(1);
}
