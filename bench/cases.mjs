// The cases: what is run, on how many threads, against whom, and where to get to.
import { enginePeak, engineRead, javascript, oneThread, onnxruntime, pytorch } from './contenders.mjs';
import { kernels, reductions, updates } from './kernels.mjs';
import { graphs } from './large.mjs';
import { libraries, memory, nativeRead } from './native-peers.mjs';

/**
 * Fields of a case: `variants`, each something to run (`model`, `mode` and `batch`, or `kernel`, or `graph`); `threads`, the
 * default list; `steps` a round (a variant may say), and `rounds`; `peers`, for all backends or by backend; `goal`, how
 * many times as fast as the first peer it is to be, or what in words. With `plain` in a variant, plain SIMD is measured
 * too. `backends`: of a variant, these only; of a case, it runs on others only when asked for. `fresh`: each round starts new processes, and what counts is the
 * time of the whole `process` or of its only `step`; with `cold` in a variant they find no compiled code in the cache.
 * `neighbours` in a variant: how many other processes compute meanwhile. `perSecond`: what is shown is images per second.
 */
const training = (model, batch, extra = {}) => ({ what: `batch ${batch}`, model, mode: 'train', batch, ...extra });

export const cases = {
  'cnn-train': {
    variants: [training('cnn', 50, { plain: true })],
    threads: [2, 1],
    steps: 5,
    rounds: 10,
    peers: [pytorch],
    goal: {
      wasm: ({ threads, plain }) => (threads === 1 ? (plain ? undefined : 1.3) : plain ? 1.15 : 1.4),
      native: ({ threads, bits }) => (threads === 1 ? 2.5 : bits >= 512 ? 3 : 2.4),
    },
  },
  'softmax-train': {
    variants: [training('softmax', 50)],
    threads: [1, 2],
    steps: 300,
    rounds: 12,
    peers: [pytorch],
    goal: { wasm: () => 1.5, native: () => 3 },
  },
  'vgg-train': {
    variants: [training('vgg', 32)],
    threads: [2],
    steps: 2,
    rounds: 8,
    peers: [pytorch],
    goal: { wasm: () => 1, native: () => 1.5 },
  },
  'mlp-train': {
    variants: [training('mlp', 128, { plain: true })],
    threads: [2],
    steps: 10,
    rounds: 10,
    peers: [pytorch],
    goal: { wasm: ({ plain }) => (plain ? 0.6 : 0.75), native: () => 1.2 },
  },
  lstm: {
    variants: [training('lstm', 20)],
    threads: [2],
    steps: 3,
    rounds: 10,
    peers: [pytorch],
  },
  resnet: {
    variants: [training('resnet', 32)],
    threads: [2],
    steps: 5,
    rounds: 10,
    peers: [pytorch],
    goal: { wasm: () => 1, native: () => 3 },
  },
  transformer: {
    variants: [training('transformer', 16)],
    threads: [2],
    steps: 5,
    rounds: 10,
    peers: [pytorch],
    goal: { wasm: () => 1.2, native: () => 3.5 },
  },
  busy: {
    variants: [
      ['cnn', 50],
      ['lstm', 20],
      ['softmax', 50],
    ].flatMap(([model, batch]) =>
      [0, 1, 2].map((neighbours) =>
        training(model, batch, { what: `${model}-train beside ${neighbours}`, neighbours }),
      ),
    ),
    threads: [2],
    steps: 20,
    rounds: 10,
    peers: { wasm: [oneThread('wasm')], native: [oneThread('native')] },
    // At most 1.5 times as slow.
    goal: { wasm: () => 0.67, native: () => 0.67 },
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
    goal: { wasm: ({ batch }) => ({ 256: 1 })[batch], native: ({ batch }) => ({ 1: 1, 256: 1.8 })[batch] },
  },
  start: {
    variants: [
      training('cnn', 50, { what: 'a fresh process to the end of its first step of cnn-train' }),
      training('cnn', 50, { what: 'the same, nothing of it in the cache', cold: true, backends: ['native'] }),
    ],
    threads: [2],
    steps: 1,
    rounds: 5,
    fresh: 'process',
    peers: [pytorch],
    goal: { wasm: () => '0.5 s from import on', native: ({ cold }) => (cold ? '3 s' : '0.4 s') },
  },
  kernels: {
    variants: Object.keys(kernels).map((kernel) => ({
      what: kernel,
      kernel,
      steps: kernel === 'matmul 2048' ? 3 : 10,
    })),
    threads: [1, 2],
    rounds: 5,
    peers: { wasm: [enginePeak], native: [libraries] },
    goal: {
      wasm: ({ kernel }) => (kernel.startsWith('conv2') ? 2 : 0.8),
      native: ({ kernel }) => ({ conv2: 2, matmul: 0.9 })[kernel.split(' ')[0]],
    },
  },
  optimizers: {
    variants: Object.keys(updates).map((kernel) => ({ what: kernel, kernel })),
    threads: [1, 2],
    steps: 10,
    rounds: 10,
    backends: ['native'],
    peers: [memory],
    goal: { native: () => 0.8 },
  },
  reduce: {
    variants: Object.keys(reductions).map((kernel) => ({ what: `64 MB ${kernel}`, kernel })),
    threads: [1, 2],
    steps: 10,
    rounds: 10,
    peers: { wasm: [engineRead], native: [nativeRead] },
    goal: { wasm: () => 0.9, native: () => 0.9 },
  },
  scale: {
    variants: [50, 200, 1000].map((batch) => training('cnn', batch, { what: `cnn-train, batch ${batch}` })),
    threads: [1, 2],
    steps: 2,
    warmup: 1,
    rounds: 3,
    perSecond: true,
    backends: ['native'],
    peers: [pytorch],
  },
  'cnn-eval-10000': {
    variants: [{ what: '10,000 images in one run of a fresh process', model: 'cnn', mode: 'evaluate', batch: 10000 }],
    threads: [2],
    steps: 1,
    rounds: 3,
    fresh: 'step',
    peers: [pytorch],
    goal: { wasm: () => '3, in a quarter of the memory' },
  },
  compile: {
    variants: graphs.map((graph) => ({ what: `50,000 operations: ${graph}`, graph, operations: 50_000 })),
    threads: [2],
    steps: 1,
    rounds: 3,
    fresh: 'step',
    backends: ['wasm'],
    peers: [],
    goal: { wasm: () => '5 s to build and compile' },
  },
  'js-peers': {
    variants: [training('cnn', 50, { what: 'a step of cnn-train' })],
    threads: [2],
    steps: 1,
    warmup: 3,
    rounds: 1,
    backends: ['wasm'],
    peers: [javascript],
  },
};
