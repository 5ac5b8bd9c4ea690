// Who takes part: millrace and its peers. Each says how its process starts, or why it cannot.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { bytesOf } from './kernels.mjs';
import { launch } from './process.mjs';

const script = (name) => fileURLToPath(new URL(name, import.meta.url));
const flags = (options) =>
  Object.entries(options).flatMap(([name, value]) => {
    if (value === undefined || value === false) return [];
    return value === true ? [`--${name}`] : [`--${name}`, String(value)];
  });
const node = (file, options, more) => () => launch(process.execPath, [script(file), ...flags(options)], more);
const require = createRequire(import.meta.url);
function isInstalled(name) {
  try {
    require.resolve(name);
    return true;
  } catch {
    return false;
  }
}
const missing = (name) => ({ name, skipped: 'not installed (npm install in bench/)' });

/** millrace, with a graph of so many operations. */
function compiler({ graph, operations }, backend, threads) {
  const start = node('compile.mjs', { graph, operations, backend, threads });
  return [{ name: `millrace ${backend}`, ours: true, backend, start }];
}

/** Starts a process that finds no compiled code of an earlier one. */
function withColdCache(file, options) {
  const cache = mkdtempSync(join(tmpdir(), 'millrace-bench-'));
  const started = node(file, options, { env: { MILLRACE_CACHE: cache } })();
  const close = async () => {
    await started.close();
    rmSync(cache, { recursive: true, force: true });
  };
  return { ...started, close };
}

/** millrace on a backend; where plain SIMD is a case of its own, also with `portable`. */
export function millrace(variant, backend, threads) {
  if (variant.graph) return compiler(variant, backend, threads);
  const { model, kernel, mode, batch, plain, cold } = variant;
  const options = { model, kernel, mode, batch, backend, threads };
  const contender = (name, extra) => {
    const args = ['millrace.mjs', { ...options, ...extra }];
    return { name, ours: true, backend, start: cold ? () => withColdCache(...args) : node(...args) };
  };
  return [
    contender(`millrace ${backend}`, {}),
    ...(plain && backend === 'wasm'
      ? [{ ...contender('millrace wasm portable', { portable: true }), plain: true }]
      : []),
  ];
}

/** The same session on one thread. */
export const oneThread = (backend) => (variant) =>
  millrace(variant, backend, 1).map((contender) => ({
    ...contender,
    name: `${contender.name}, one thread`,
    ours: false,
    family: 'one thread',
  }));

const pythons = ['/usr/bin/python3', 'python3', 'python'];
let torch;
/** The interpreter that has PyTorch, and its version; looked for once. */
export function findTorch() {
  torch ??= pythons
    .map((python) => {
      const found = spawnSync(python, ['-c', 'import torch; print(torch.__version__)'], { encoding: 'utf8' });
      return found.status === 0 ? { python, version: found.stdout.trim() } : undefined;
    })
    .find((found) => found !== undefined) ?? { skipped: 'not installed (Debian: python3-torch, libopenblas0-openmp)' };
  return torch;
}

/** PyTorch at its best: both layouts are run where there are two, and the faster one counts. */
export function pytorch({ model, mode, batch }, threads) {
  const { python, skipped } = findTorch();
  if (skipped) return [{ name: 'PyTorch', skipped }];
  const options = { model, mode: mode === 'train' ? 'train' : 'infer', batch, threads };
  return (['cnn', 'vgg', 'resnet'].includes(model) ? [false, true] : [false]).map((last) => ({
    name: `PyTorch${last ? ' channels_last' : ''}`,
    family: 'PyTorch',
    start: () => launch(python, [script('pytorch.py'), ...flags({ ...options, 'channels-last': last })]),
  }));
}

/** Inference of the second model, from an .onnx file with the very weights. */
export function onnxruntime({ batch }, threads) {
  const name = 'onnxruntime-node';
  if (!isInstalled(name) || !isInstalled('protobufjs')) return [missing(name)];
  return [{ name, family: name, start: node('onnxruntime.mjs', { batch, threads }) }];
}

/** What the engine can do at most, with and without fused multiply-add. */
export function enginePeak(_, threads) {
  return ['mul+add', 'relaxed_madd'].map((kind) => ({
    name: `engine's peak, ${kind}`,
    family: "the engine's peak",
    backend: 'wasm',
    steps: 3,
    // The first call starts in the engine's quick compiler.
    warmup: 3,
    start: node('peak.mjs', { kind, threads }),
  }));
}

/** A read of as many bytes by the engine. */
export function engineRead({ kernel }, threads) {
  const start = node('read.mjs', { bytes: bytesOf(kernel), threads });
  return [{ name: 'a read', family: 'a read', backend: 'wasm', start }];
}

/** The JavaScript libraries: one step each, so long does it take; jax-js compiles in its first, which does not count. */
export function javascript() {
  const peer = (library, packages, device, warmup) => {
    const name = `${library} ${device}`;
    if (!packages.every(isInstalled)) return missing(name);
    return { name, family: name, warmup, start: node('js-peer.mjs', { library, device }, { patience: 600 }) };
  };
  const tfjs = '@tensorflow/tfjs';
  return [
    peer('tfjs', [tfjs], 'cpu', 0),
    peer('tfjs', [tfjs, '@tensorflow/tfjs-backend-wasm'], 'wasm', 0),
    peer('jax-js', ['@jax-js/jax'], 'wasm', 1),
  ];
}
