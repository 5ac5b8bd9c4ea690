// What the engine reads of memory: an array read in WebAssembly assembled by hand, a share on each thread.
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { serve, tell } from './serve.mjs';
import { get, i32, leb, moduleOf, set, simd, v128 } from './wasm.mjs';

const side = 8;
const vector = 16;

/** (from: i32, to: i32) → i32: all vectors from one address to the other, in chains of exclusive or. */
function assemble(pages) {
  const [at, to, first] = [0, 1, 2];
  const chain = Array.from({ length: side }, (_, i) => first + i);
  const [load, xor, lane] = [simd(0), simd(0x51), [...simd(0x1b), 0]];
  const step = side * vector;
  const code = [
    ...leb(1),
    ...leb(side),
    v128,
    ...[0x03, 0x40],
    ...chain.flatMap((a, i) => [...get(a), ...get(at), ...load, 4, ...leb(i * vector), ...xor, ...set(a)]),
    // A number with a sign: 128 is two bytes either way.
    ...[...get(at), 0x41, ...leb(step)],
    ...[0x6a, 0x22, at, ...get(to), 0x49, 0x0d, 0, 0x0b],
    ...get(first),
    ...chain.slice(1).flatMap((a) => [...get(a), ...xor]),
    ...lane,
    0x0b,
  ];
  return moduleOf({ type: [0x60, 2, i32, i32, 1, i32], name: 'read', code, pages });
}

async function main() {
  const { values: options } = parseArgs({ options: { bytes: { type: 'string' }, threads: { type: 'string' } } });
  const [bytes, threads] = [Number(options.bytes), Number(options.threads)];
  const pages = bytes / 2 ** 16;
  const memory = new WebAssembly.Memory({ initial: pages, maximum: pages, shared: true });
  new Float32Array(memory.buffer).fill(1);
  const share = bytes / threads;
  const workers = Array.from({ length: threads }, (_, i) => {
    const given = { code: assemble(pages), memory, from: i * share, to: (i + 1) * share };
    return new Worker(fileURLToPath(import.meta.url), { workerData: given });
  });
  tell({ bytes });
  await serve(() =>
    Promise.all(
      workers.map((worker) => {
        worker.postMessage('read');
        return new Promise((resolve, reject) => worker.once('message', resolve).once('error', reject));
      }),
    ),
  );
  await Promise.all(workers.map((worker) => worker.terminate()));
}

if (isMainThread) {
  await main();
} else {
  const { code, memory, from, to } = workerData;
  const { instance } = await WebAssembly.instantiate(code, { env: { memory } });
  parentPort.on('message', () => parentPort.postMessage(instance.exports.read(from, to)));
}
