// A short training of the tutorial's second model that runs in Node and in browsers alike, from the same bundle.
import type * as millrace from '../../src/index.ts';
import { tutorialModel } from '../tutorial-model.ts';

export interface Training {
  /** How the session ran. */
  readonly description: string;
  /** The loss before each step, as the 32 bits of the float. */
  readonly losses: readonly number[];
}

const batch = 50;

/** Images that anyone can make bit by bit: noise, with a bright row for the class. Integers only, divided by 256. */
function madeUpBatch(step: number): { images: Float32Array; labels: Float32Array } {
  const images = new Float32Array(batch * 784);
  const labels = new Float32Array(batch * 10);
  let state = step + 1;
  const next = () => (state = (Math.imul(state, 1664525) + 1013904223) >>> 0) >>> 24;
  for (let i = 0; i < batch; i++) {
    const label = next() % 10;
    labels[10 * i + label] = 1;
    for (let at = 0; at < 784; at++) {
      const bright = Math.floor(at / 56) === label + 2;
      images[784 * i + at] = (bright ? 255 : next() >> 2) / 256;
    }
  }
  return { images, labels };
}

/** Trains for some steps and returns their losses. */
export async function train(
  tf: typeof millrace,
  options: {
    readonly steps: number;
    readonly threads?: number;
    readonly portable: boolean;
    readonly workerUrl?: string;
  },
): Promise<Training> {
  const { steps, ...how } = options;
  const graph = new tf.Graph();
  const { x, y_, keepProb, loss, step, init } = graph.asDefault(() => {
    const model = tutorialModel(tf);
    return { ...model, init: tf.initializeAllVariables() };
  });
  const sess = new tf.Session({ graph, seed: 7, ...how });
  await sess.run(init);
  const losses = new Float32Array(steps);
  for (let i = 0; i < steps; i++) {
    const { images, labels } = madeUpBatch(i);
    const before = await sess.run({ loss, step }, [
      [x, tf.array(images, [batch, 784])],
      [y_, tf.array(labels, [batch, 10])],
      [keepProb, 0.5],
    ] as any);
    losses[i] = before.loss as number;
  }
  const { description } = sess.backend;
  await sess.close();
  return { description, losses: [...new Uint32Array(losses.buffer)] };
}
