// The cases: what is run, on how many threads, against whom, and where to get to.
import { enginePeak, javascript, onnxruntime, pytorch } from './contenders.mjs';
import { kernels } from './kernels.mjs';
import { graphs } from './large.mjs';

/**
 * Fields of a case: `variants`, each something to run (`model`, `mode` and `batch`, or `kernel`, or `graph`); `threads`, the
 * default list; `steps` a round (a variant may say), and `rounds`; `peers`; `goal`, how many times as fast as the first
 * peer it is to be. With `plain` in a variant, plain SIMD is measured too. `fresh`: each round starts new processes, and
 * what counts is the time of the whole `process` or of its only `step`.
 */
const training = (model, batch, extra = {}) => ({ what: `batch ${batch}`, model, mode: 'train', batch, ...extra });

export const cases = {
  'cnn-train': {
    variants: [training('cnn', 50, { plain: true })],
    threads: [2, 1],
    steps: 5,
    rounds: 10,
    peers: [pytorch],
    goal: ({ threads, plain }) => (threads === 1 ? (plain ? undefined : 1.3) : plain ? 1.15 : 1.4),
  },
  'softmax-train': {
    variants: [training('softmax', 50)],
    threads: [1, 2],
    steps: 300,
    rounds: 12,
    peers: [pytorch],
    goal: () => 1.5,
  },
  'vgg-train': { variants: [training('vgg', 32)], threads: [2], steps: 2, rounds: 8, peers: [pytorch], goal: () => 1 },
  'mlp-train': {
    variants: [training('mlp', 128, { plain: true })],
    threads: [2],
    steps: 10,
    rounds: 10,
    peers: [pytorch],
    goal: ({ plain }) => (plain ? 0.6 : 0.75),
  },
  'cnn-infer': {
    variants: [
      { batch: 1, steps: 100 },
      { batch: 32, steps: 20 },
      { batch: 256, steps: 5 },
    ].map((size) => ({ what: `batch ${size.batch}`, model: 'cnn', mode: 'infer', ...size })),
    threads: [2],
    rounds: 10,
    peers: [onnxruntime, pytorch],
    goal: ({ batch }) => (batch === 256 ? 1 : undefined),
  },
  start: {
    variants: [training('cnn', 50, { what: 'a fresh process to the end of its first step of cnn-train' })],
    threads: [2],
    steps: 1,
    rounds: 5,
    fresh: 'process',
    peers: [pytorch],
    goal: () => undefined,
    goalInWords: '0.5 s from import on',
  },
  kernels: {
    variants: Object.keys(kernels).map((kernel) => ({
      what: kernel,
      kernel,
      steps: kernel === 'matmul 2048' ? 3 : 10,
    })),
    threads: [1, 2],
    rounds: 5,
    peers: [enginePeak],
    goal: ({ kernel }) => (kernel.startsWith('conv2') ? 2 : 0.8),
  },
  'cnn-eval-10000': {
    variants: [{ what: '10,000 images in one run of a fresh process', model: 'cnn', mode: 'evaluate', batch: 10000 }],
    threads: [2],
    steps: 1,
    rounds: 3,
    fresh: 'step',
    peers: [pytorch],
    goal: () => undefined,
    goalInWords: '3, in a quarter of the memory',
  },
  compile: {
    variants: graphs.map((graph) => ({ what: `50,000 operations: ${graph}`, graph, operations: 50_000 })),
    threads: [2],
    steps: 1,
    rounds: 3,
    fresh: 'step',
    peers: [],
    goal: () => undefined,
    goalInWords: '5 s to build and compile',
  },
  'js-peers': {
    variants: [training('cnn', 50, { what: 'a step of cnn-train' })],
    threads: [2],
    steps: 1,
    warmup: 3,
    rounds: 1,
    peers: [javascript],
    goal: () => undefined,
  },
};
