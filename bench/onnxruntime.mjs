// onnxruntime-node's side: the second model's inference, from an .onnx file with millrace's own weights.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import ort from 'onnxruntime-node';
import * as tf from '../dist/index.js';
import { model } from './models.mjs';
import { cnnOnnx } from './onnx.mjs';
import { serve, tell } from './serve.mjs';

const { values: options } = parseArgs({ options: { batch: { type: 'string' }, threads: { type: 'string' } } });
const batch = Number(options.batch);
const graph = new tf.Graph();
const session = new tf.Session({ graph });
const { fetch, feeds, init } = graph.asDefault(() => ({
  ...model(tf, 'cnn', 'infer', batch),
  init: tf.initializeAllVariables(),
}));
await session.run(init);
const weights = await session.run([...graph.variables]);
const expected = await session.run(fetch, feeds);
await session.close();

const folder = mkdtempSync(join(tmpdir(), 'millrace-bench-'));
const file = join(folder, 'cnn.onnx');
writeFileSync(file, cnnOnnx(weights.map((w) => w.data)));
const threads = { intraOpNumThreads: Number(options.threads), interOpNumThreads: 1 };
const runtime = await ort.InferenceSession.create(file, { ...threads, graphOptimizationLevel: 'all' });
rmSync(folder, { recursive: true });

const x = new ort.Tensor('float32', feeds[0][1].data, [batch, 784]);
const { y } = await runtime.run({ x });
const difference = y.data.reduce((most, value, i) => Math.max(most, Math.abs(value - expected.data[i])), 0);
if (!(difference < 1e-3))
  throw new Error(`the .onnx file computes something else: probabilities differ by ${difference}`);
tell({ largestDifference: difference });
await serve(() => runtime.run({ x }));
