// The worker that owns millrace: the page stays free, whatever is computed. It does one thing at a time: what it was
// told, in order, and between two commands a slice of training or of an evaluation, short enough to answer at once.
import * as tf from 'millrace';
import type { Batch, DataSet, DataSets } from 'millrace/mnist';
import { loadMnist } from './data.ts';
import type { Answer, Command, CommandName, Commands, Reports, Run, Settings } from './messages.ts';
import { modelNames, models } from './models/catalog.ts';
import { type Asked, evaluationOf, fits, Training, toAsk } from './training.ts';

/** How long a slice of short steps lasts, in milliseconds. */
const slice = 8;
/** Milliseconds between reports of the loss, between looks at filters, and between evaluations. */
const every = { progress: 50, filters: 250, evaluation: 1500 };
const seed = 0;

const post = (answer: Answer, transfer: Transferable[] = []) => self.postMessage(answer, { transfer });
const report = <N extends keyof Reports>(name: N, of: Reports[N]) => post({ report: name, of } as Answer);

let runs: Run | undefined;
function tellRun(run: Run | undefined): void {
  if (run !== runs) report('running', run);
  runs = run;
}

let training: Training | undefined;
let mnist: DataSets<true, true> | undefined;
let order: ReturnType<DataSet['state']> | undefined;
let goes = false;
let watched: Float32Array | undefined;
let asked: Asked | undefined;

const needed = <T>(value: T | undefined, what: string): T => {
  if (value === undefined) throw new Error(what);
  return value;
};
const built = () => needed(training, 'Nothing is built yet.');
const images = () => needed(mnist, 'The images are not here yet.');

/** Of the time since the last report. */
let since = { at: 0, steps: 0, ms: 0, loss: 0, accuracy: 0 };
let speed = 0;
let looked = 0;
let evaluated = 0;

const commands: { [N in CommandName]: (takes: Commands[N]['takes']) => Promise<Commands[N]['gives']> } = {
  load: async () => {
    if (mnist) return;
    mnist = await loadMnist(seed, (bytes) => report('loading', bytes));
    order = mnist.train.state();
    if (training) evaluateAll();
  },
  build: async (settings) => {
    if (training?.takes(settings)) return training.describe();
    const weights = training?.settings.model === settings.model ? await training.save(undefined) : undefined;
    return build(settings, weights);
  },
  train: async () => {
    images();
    goes = true;
    speed = 0;
    since = { at: performance.now(), steps: 0, ms: 0, loss: 0, accuracy: 0 };
    asked = undefined;
    evaluated = performance.now();
  },
  pause: async () => {
    goes = false;
    await tell();
    if (mnist) evaluateAll();
  },
  step: async () => {
    images();
    goes = false;
    await trainOnce();
    await tell();
    evaluateAll();
  },
  reset: async () => {
    goes = false;
    if (order) mnist?.train.restore(order);
    return build(built().settings, undefined);
  },
  watch: async (image) => {
    watched = image;
    if (watched && !goes) await look();
  },
  example: async () => {
    const { images: image, labels } = images().test.nextBatch(1);
    return { image: image.data as Float32Array<ArrayBuffer>, label: labels.data.indexOf(1) };
  },
  save: async () => built().save(mnist?.train),
  restore: async (bytes) => {
    const { settings } = built();
    const own = { ...settings };
    const others = modelNames.filter((name) => name !== own.model).map((name) => settingsFor(name, own));
    const right = [own, ...others].find((candidate) => fits(bytes, candidate));
    if (!right) throw new Error(`The file holds the weights of neither model: ${modelNames.join(', ')}.`);
    goes = false;
    return build(right, bytes);
  },
  explain: async (run) => built().explain(run),
};

const settingsFor = (model: Settings['model'], { batch, threads }: Settings): Settings => {
  const { optimizer, rate } = models[model];
  return { model, optimizer, rate, batch, threads };
};

async function build(settings: Settings, weights: Uint8Array | undefined) {
  const next = new Training(settings);
  try {
    await next.start();
    if (weights) await next.restore(weights);
  } catch (error) {
    await next.close();
    throw error;
  }
  await training?.close();
  training = next;
  asked = undefined;
  await look();
  if (mnist && !goes) evaluateAll();
  return next.describe();
}

function evaluateAll(): void {
  asked = toAsk(images().test.numExamples);
}

async function trainOnce(): Promise<void> {
  const begin = performance.now();
  const { loss, accuracy } = await built().train(images().train.nextBatch(built().settings.batch));
  since.steps++;
  since.ms += performance.now() - begin;
  since.loss += loss;
  since.accuracy += accuracy;
  if (!Number.isFinite(loss)) {
    goes = false;
    report('stopped', `The loss is ${loss}: the learning rate is too large for this. Reset, and take a smaller one.`);
  }
}

/** Reports the steps since the last time. */
async function tell(): Promise<void> {
  const { steps, ms, loss, accuracy } = since;
  if (steps > 0) {
    const means = { loss: loss / steps, accuracy: accuracy / steps };
    // A calm number: a second's worth of the past counts, too.
    const weight = Math.min(1, ms / 1000);
    speed = speed === 0 ? (1000 * steps) / ms : weight * ((1000 * steps) / ms) + (1 - weight) * speed;
    report('progress', { step: built().step, ...means, stepsPerSecond: speed });
  }
  since = { at: performance.now(), steps: 0, ms: 0, loss: 0, accuracy: 0 };
  if (performance.now() - looked > every.filters || !goes) await look();
}

/** What can be seen of the weights: the filters, and what they make of the drawing. */
async function look(): Promise<void> {
  looked = performance.now();
  report('filters', await built().filters());
  if (!watched) return;
  if (!goes) tellRun('predict');
  report('probabilities', await built().predict(watched));
}

/** The next bit of what there is to do. */
async function work(): Promise<void> {
  if (asked) return evaluateSome(asked);
  tellRun('train');
  const begin = performance.now();
  while (goes && performance.now() - begin < slice) await trainOnce();
  if (performance.now() - since.at > every.progress || !goes) await tell();
  if (goes && performance.now() - evaluated > every.evaluation) asked = toAsk(models[built().settings.model].sample);
}

async function evaluateSome(now: Asked): Promise<void> {
  tellRun('evaluate');
  const { test } = images();
  // A sample is spread over all: the first half of these images is easier than the second.
  const stride = test.numExamples / now.images;
  const { portion } = models[built().settings.model];
  const count = Math.min(portion, now.images - now.done);
  await built().ask(now, gathered(test, now.done * stride, stride, count));
  if (now.done < now.images) return;
  if (now === asked) asked = undefined;
  evaluated = performance.now();
  report('evaluation', evaluationOf(now, built().step));
}

function gathered({ images: all, labels }: DataSet<true, true>, from: number, stride: number, count: number) {
  const pick = (data: Float32Array, size: number) => {
    const rows = new Float32Array(count * size);
    for (let i = 0; i < count; i++) rows.set(data.subarray((from + i * stride) * size).subarray(0, size), i * size);
    return rows;
  };
  return batchOf(pick(all.data as Float32Array, 784), pick(labels.data as Float32Array, 10), count);
}

const batchOf = (pixels: Float32Array, labels: Float32Array, count: number): Batch<true, true> => ({
  images: tf.array(pixels, [count, 784]),
  labels: tf.array(labels, [count, 10]),
});

const waiting: Command[] = [];
let wake = () => {};
self.onmessage = ({ data }: MessageEvent<Command>) => {
  waiting.push(data);
  wake();
};

/** Resolves when messages have had their turn; setTimeout would wait for 4 ms. */
const turn = new MessageChannel();
const nextTurn = () =>
  new Promise<void>((resolve) => {
    turn.port1.onmessage = () => resolve();
    turn.port2.postMessage(0);
  });

async function obey({ id, name, takes }: Command): Promise<void> {
  try {
    const gives = await (commands[name] as (takes: unknown) => Promise<unknown>)(takes);
    post({ id, gives });
  } catch (error) {
    const { name, message } = error as Error;
    post({ id, error: { name, message } });
  }
}

async function live(): Promise<never> {
  for (;;) {
    const command = waiting.shift();
    if (command) await obey(command);
    else if (goes || asked) {
      try {
        await work();
      } catch (error) {
        goes = false;
        asked = undefined;
        report('stopped', (error as Error).message);
      }
      await nextTurn();
    } else {
      tellRun(undefined);
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
  }
}
await live();
