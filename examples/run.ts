// What a run of the examples is given on the command line, and what it shows while it trains. The examples read like the
// tutorial because this is here: `steps(20000)` counts, shows progress, and ends early on Ctrl-C.
import { parseArgs } from 'node:util';
import { Presets, SingleBar } from 'cli-progress';

const usage = `usage: npm run mnist -- [options]
  --model softmax|cnn   which of the two models (default: both)
  --steps N             training steps (default: the tutorial's, 1000 and 20000)
  --batch N             images in a step (default: 50)
  --seed N              start of the random numbers (default: 0)
  --backend NAME        auto, native, wasm or reference (default: auto)
  --threads N           threads that compute (default: all cores of the process)
  --data DIR            folder of the MNIST files (default: MNIST_data)
  --help                this text`;

/** Says what is wrong and ends with exit code 2. */
function refuse(message: string): never {
  console.error(`${message}\n${usage}`);
  process.exit(2);
}

function parse() {
  try {
    const { values } = parseArgs({
      options: {
        model: { type: 'string' },
        steps: { type: 'string' },
        batch: { type: 'string' },
        seed: { type: 'string' },
        backend: { type: 'string' },
        threads: { type: 'string' },
        data: { type: 'string' },
        help: { type: 'boolean' },
      },
    });
    return values;
  } catch (error) {
    return refuse((error as Error).message);
  }
}

function whole(name: string, text: string | undefined, least: number): number | undefined {
  if (text === undefined) return undefined;
  const value = Number(text);
  if (!Number.isInteger(value) || value < least || text.trim() === '')
    refuse(`--${name} must be a whole number of at least ${least}, not ${text}`);
  return value;
}

const given = parse();
if (given.help) {
  console.log(usage);
  process.exit(0);
}
const names = ['auto', 'native', 'wasm', 'reference'] as const;
type Name = (typeof names)[number];
const { backend, model } = given;
if (model !== undefined && model !== 'softmax' && model !== 'cnn')
  refuse(`--model must be softmax or cnn, not ${model}`);
if (backend !== undefined && !names.includes(backend as Name))
  refuse(`--backend must be one of ${names.join(', ')}, not ${backend}`);

/** The options of this run. */
export const options = {
  model,
  backend: backend as Name | undefined,
  threads: whole('threads', given.threads, 1),
  steps: whole('steps', given.steps, 1),
  batch: whole('batch', given.batch, 1) ?? 50,
  seed: whole('seed', given.seed, 0) ?? 0,
  data: given.data ?? 'MNIST_data',
};

let interrupted = false;
process.on('SIGINT', () => {
  // A second Ctrl-C does not wait for the evaluation.
  if (interrupted) process.exit(130);
  interrupted = true;
  process.exitCode = 130;
});

/** Has Ctrl-C been pressed? */
export const wasInterrupted = (): boolean => interrupted;

const terminal = process.stderr.isTTY === true;
const colour = terminal && !process.env.NO_COLOR;
let bar: SingleBar | undefined;

/** Counts the steps of a training, with a progress bar on a terminal; `--steps` overrides the number. */
export function* steps(count: number): Generator<number> {
  const total = options.steps ?? count;
  const begin = performance.now();
  const rate = (done: number) => (done / Math.max(1e-3, (performance.now() - begin) / 1000)).toFixed(1);
  if (terminal) {
    const format = `${colour ? '\x1b[36m{bar}\x1b[0m' : '{bar}'} {value}/{total} · {rate} steps/s · ETA {eta_formatted}`;
    bar = new SingleBar({ format, hideCursor: true, clearOnComplete: true, stream: process.stderr }, Presets.rect);
    bar.start(total, 0, { rate: '0' });
  }
  let done = 0;
  for (; done < total && !interrupted; done++) {
    yield done;
    bar?.update(done + 1, { rate: rate(done + 1) });
  }
  bar?.stop();
  bar = undefined;
  if (interrupted) print(`stopped after ${done} of ${total} steps`);
  else print(`${done} steps in ${((performance.now() - begin) / 1000).toFixed(1)} s, ${rate(done)} steps/s`);
}

/** A line above the progress bar. */
export function print(...parts: unknown[]): void {
  if (bar) process.stderr.write('\r\x1b[K');
  console.log(...parts);
}

/** `0.9172`, as the tutorial prints it. */
export const percent = (accuracy: number): string => accuracy.toPrecision(4).replace(/\.?0+$/, '');
