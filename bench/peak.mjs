// The engine's own SIMD peak: loops over registers alone, in WebAssembly assembled by hand, on each thread at once.
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import v8 from 'node:v8';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { serve, tell } from './serve.mjs';
import { f32, get, i32, leb, moduleOf, set, simd, v128 } from './wasm.mjs';

const chains = 12;
const rounds = 20e6;
/** Arithmetic of one step on one thread: four lanes, a multiplication and an addition. */
const flopsPerStep = { 'mul+add': rounds * (chains / 2) * 4 * 2, relaxed_madd: rounds * chains * 4 * 2 };

const [multiply, add, relaxedMadd] = [simd(0xe6), simd(0xe4), simd(0x105)];

/**
 * (rounds: i32, x: f32, y: f32) → f32. `relaxed_madd`: each of the chains is a ← x·y + a. `mul+add`: half of them are
 * a ← a·x, the others a ← a + y, so that multiplications and additions are equally many and none waits for another.
 */
function assemble(kind) {
  const [left, x, y, first] = [0, 3, 4, 5];
  const chain = Array.from({ length: chains }, (_, i) => first + i);
  const advance = (a, i) => {
    if (kind === 'relaxed_madd') return [...get(x), ...get(y), ...get(a), ...relaxedMadd, ...set(a)];
    return i % 2 === 0 ? [...get(a), ...get(x), ...multiply, ...set(a)] : [...get(a), ...get(y), ...add, ...set(a)];
  };
  const [splat, lane] = [simd(0x13), [...simd(0x1f), 0]];
  const code = [
    ...leb(1),
    ...leb(2 + chains),
    v128,
    ...[x, y].flatMap((local, i) => [...get(1 + i), ...splat, ...set(local)]),
    ...chain.flatMap((a) => [...get(1), ...splat, ...set(a)]),
    ...[0x03, 0x40],
    ...chain.flatMap(advance),
    ...[...get(left), 0x41, 1, 0x6b, 0x22, left, 0x0d, 0, 0x0b],
    ...chain.slice(0, 1).flatMap(get),
    ...chain.slice(1).flatMap((a) => [...get(a), ...add]),
    ...lane,
    0x0b,
  ];
  return moduleOf({ type: [0x60, 3, i32, f32, f32, 1, f32], name: 'peak', code });
}

async function main() {
  const { values: options } = parseArgs({ options: { kind: { type: 'string' }, threads: { type: 'string' } } });
  if (options.kind === 'relaxed_madd' && !WebAssembly.validate(assemble('relaxed_madd'))) {
    // Node 20 has it behind a flag, later ones as a matter of course.
    v8.setFlagsFromString('--experimental-wasm-relaxed-simd');
    if (!WebAssembly.validate(assemble('relaxed_madd'))) throw new Error('this engine has no relaxed SIMD');
  }
  const workers = Array.from(
    { length: Number(options.threads) },
    () => new Worker(fileURLToPath(import.meta.url), { workerData: assemble(options.kind) }),
  );
  tell({ flops: flopsPerStep[options.kind] * workers.length });
  await serve(() =>
    Promise.all(
      workers.map((worker) => {
        worker.postMessage(rounds);
        return new Promise((resolve, reject) => worker.once('message', resolve).once('error', reject));
      }),
    ),
  );
  await Promise.all(workers.map((worker) => worker.terminate()));
}

if (isMainThread) {
  await main();
} else {
  const { instance } = await WebAssembly.instantiate(workerData);
  parentPort.on('message', (n) => parentPort.postMessage(instance.exports.peak(n, 1, 1e-9)));
}
