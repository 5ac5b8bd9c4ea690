// A model in a session: what the worker does with millrace.
import * as tf from 'millrace';
import type { Batch } from 'millrace/mnist';
import type { Built, Evaluation, Mistake, Run, Settings } from './messages.ts';
import { builders, optimizers } from './models/builders.ts';
import { models } from './models/catalog.ts';
import type { Rate } from './models/model.ts';
import { evaluate, feeds, predict, train } from './models/runs.ts';
import { namesIn, shapesIn } from './weights.ts';

const classes = 10;
/** How many mistakes are shown. */
const worst = 12;
const workerUrl = './thread.js';

/** The modules that are compiled, as bytes: millrace hands them to the engine here. */
let newest: Uint8Array<ArrayBuffer> | undefined;
const { compile } = WebAssembly;
WebAssembly.compile = (bytes) => {
  newest = new Uint8Array(bytes as Uint8Array<ArrayBuffer>);
  return compile(bytes);
};

const graphOf = ({ model, optimizer }: Settings) => {
  const graph = new tf.Graph();
  const built = graph.asDefault(() => {
    const rate = tf.placeholder('float32', []);
    const network = builders[model](optimizers[optimizer](rate));
    return { network, rate, init: tf.initializeAllVariables(), variables: tf.globalVariables() };
  });
  return { graph, ...built };
};

/** Does a file hold the weights of the model of these settings? */
export function fits(bytes: Uint8Array, settings: Settings): boolean {
  return namesIn(shapesIn(bytes), shapesOf(graphOf(settings).variables)) !== undefined;
}

const shapesOf = (variables: readonly tf.Variable<any, any>[]) =>
  new Map(variables.map((v) => [v.operation.name, v.shape as readonly number[]]));

/** Images of which some have been asked. */
export interface Asked {
  readonly images: number;
  right: number;
  readonly confusion: number[];
  readonly mistakes: Mistake[];
  done: number;
}

export class Training {
  settings: Settings;
  step = 0;
  readonly #built: ReturnType<typeof graphOf>;
  readonly #sess: tf.Session;

  constructor(settings: Settings) {
    this.settings = settings;
    this.#built = graphOf(settings);
    this.#sess = new tf.Session({ graph: this.#built.graph, threads: settings.threads, workerUrl });
  }

  /** Fresh weights, the same ones each time. */
  async start(): Promise<void> {
    await this.#sess.run(this.#built.init);
  }

  /** Takes other settings, if nothing has to be built for them. */
  takes(settings: Settings): boolean {
    const { model, optimizer, threads } = this.settings;
    const same = settings.model === model && settings.optimizer === optimizer && settings.threads === threads;
    if (same) this.settings = settings;
    return same;
  }

  describe(): Built {
    const layers = this.#built.network.layers.map(({ name, what, output, variables }) => ({
      name,
      what,
      shape: output.shape ?? [],
      parameters: variables.reduce((sum, v) => sum + (v.shape ?? []).reduce<number>((a, b) => a * (b ?? 1), 1), 0),
    }));
    return { settings: this.settings, backend: this.#sess.backend.description, layers, step: this.step };
  }

  get #rate(): Rate {
    return [this.#built.rate, this.settings.rate];
  }

  /** One step: the loss of an image and the accuracy before it. */
  async train(batch: Batch<true, true>): Promise<{ loss: number; accuracy: number }> {
    const [loss, accuracy] = await train(this.#sess, this.#built.network, batch, this.#rate);
    this.step++;
    return { loss: loss / batch.labels.shape[0], accuracy };
  }

  /** Asks some images more, and counts. */
  async ask(asked: Asked, batch: Batch<true, true>): Promise<void> {
    const [accuracy, y] = await evaluate(this.#sess, this.#built.network, batch);
    const count = batch.labels.shape[0];
    asked.right += accuracy * count;
    asked.done += count;
    for (let i = 0; i < count; i++) {
      const row = y.data.subarray(i * classes, (i + 1) * classes);
      // NaN, after a rate that was too large, is no digit: 0 is counted.
      const said = row.reduce((best, value, digit) => (value > row[best] ? digit : best), 0);
      const is = batch.labels.data.subarray(i * classes, (i + 1) * classes).indexOf(1);
      asked.confusion[is * classes + said]++;
      if (said === is) continue;
      const image = batch.images.data.slice(i * 784, (i + 1) * 784) as Float32Array<ArrayBuffer>;
      asked.mistakes.push({ image, is, said, probability: row[said] });
    }
    asked.mistakes.sort((a, b) => b.probability - a.probability).splice(worst);
  }

  /** The probabilities of the ten digits. */
  async predict(image: Float32Array): Promise<Float32Array<ArrayBuffer>> {
    const { data } = await predict(this.#sess, this.#built.network, tf.array(image, [1, 784]));
    return data as Float32Array<ArrayBuffer>;
  }

  async filters() {
    const { shape, data } = await this.#sess.run(this.#built.network.filters);
    return { shape: [...shape], values: data as Float32Array<ArrayBuffer> };
  }

  /** In a session of its own, as what has been compiled once is not compiled again. */
  async explain(run: Run): Promise<{ text: string; code: Uint8Array<ArrayBuffer> }> {
    const { graph, network } = this.#built;
    const sess = new tf.Session({ graph, threads: this.settings.threads, workerUrl });
    const size = run === 'predict' ? 1 : this.settings.batch;
    const batch = {
      images: tf.array(new Float32Array(size * 784), [size, 784]),
      labels: tf.array(new Float32Array(size * classes), [size, classes]),
    };
    const fetches = {
      train: [network.crossEntropy, network.accuracy, network.trainStep],
      evaluate: [network.accuracy, network.y],
      predict: network.y,
    }[run];
    const text = await sess.explain(fetches, [
      ...feeds(network, batch as Batch<true, true>, 1),
      ...(run === 'train' ? [this.#rate] : []),
    ]);
    await sess.close();
    return { text, code: (newest ?? new Uint8Array()).slice() };
  }

  async save(data: tf.train.Resumable | undefined): Promise<Uint8Array<ArrayBuffer>> {
    const bytes = await new tf.train.Saver().toBytes(this.#sess, { globalStep: this.step, data });
    return bytes as Uint8Array<ArrayBuffer>;
  }

  /** Takes the weights of a file, and of the optimizer's slots what is there. */
  async restore(bytes: Uint8Array): Promise<void> {
    const { variables } = this.#built;
    const names = namesIn(shapesIn(bytes), shapesOf(variables));
    if (!names) throw new Error(`The file has no weights of the ${models[this.settings.model].title}.`);
    const varList = Object.fromEntries(
      variables.flatMap((v) => {
        const name = names.get(v.operation.name);
        return name === undefined ? [] : [[name, v]];
      }),
    );
    const { step } = await new tf.train.Saver({ varList }).fromBytes(this.#sess, bytes, { strict: false });
    this.step = step ?? 0;
  }

  close(): Promise<void> {
    return this.#sess.close();
  }
}

export const toAsk = (images: number): Asked => ({
  images,
  right: 0,
  confusion: new Array(classes * classes).fill(0),
  mistakes: [],
  done: 0,
});

export const evaluationOf = ({ right, done, confusion, mistakes }: Asked, step: number): Evaluation => ({
  step,
  accuracy: right / done,
  images: done,
  confusion,
  mistakes,
});
