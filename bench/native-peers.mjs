// The peers in C++: native-peer.cpp, built when it is first needed, and what it is asked to run.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { bytesOf, kernels, updates } from './kernels.mjs';
import { launch } from './process.mjs';

const source = fileURLToPath(new URL('native-peer.cpp', import.meta.url));
const compilers = [process.env.CXX, 'c++', 'g++', 'clang++'].filter(Boolean);
const flags = ['-std=c++17', '-O3', '-march=native', '-ffp-contract=fast', '-pthread'];

/** With oneDNN where it is installed, else without: then the program says so when it is asked for it. */
function build() {
  const compiler = compilers.find((name) => spawnSync(name, ['--version']).status === 0);
  if (!compiler) return { skipped: 'there is no C++ compiler (Debian: g++)' };
  const folder = mkdtempSync(join(tmpdir(), 'millrace-bench-'));
  process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
  const program = join(folder, 'native-peer');
  for (const [define, libraries] of [
    [['-DWITH_ONEDNN'], ['-ldnnl', '-ldl']],
    [[], ['-ldl']],
  ]) {
    const { status, stderr } = spawnSync(compiler, [...flags, ...define, '-o', program, source, ...libraries]);
    if (status === 0) return { program };
    if (define.length === 0) return { skipped: `${compiler} fails: ${stderr.toString().trim().split('\n')[0]}` };
  }
}

let built;
function peer(name, family, who, what, threads, sizes, extra = {}) {
  built ??= build();
  if (built.skipped) return { name, family, skipped: built.skipped };
  // Both libraries have OpenMP's threads.
  const env = { OMP_NUM_THREADS: String(threads), OPENBLAS_NUM_THREADS: String(threads) };
  const start = () => launch(built.program, [who, what, threads, ...sizes].map(String), { env });
  return { name, family, start, ...extra };
}

/** The libraries that have such a kernel, of which the faster one counts, and what the processor can do at most. */
export function libraries({ kernel }, threads) {
  const backend = 'native';
  const { peers, what, sizes } = kernels[kernel].native;
  return [
    ...peers.map((name) => peer(name, 'a library', name, what, threads, sizes, { backend })),
    peer("the processor's peak", "the processor's peak", 'peak', 'fma', threads, [], { steps: 3, backend }),
  ];
}

/** Copies of arrays as large, of which the faster one counts. */
export function memory({ kernel }, threads) {
  const [size] = updates[kernel].operands[0];
  const copy = (name, what) => peer(name, 'a copy', 'copy', what, threads, [size], { steps: 3 });
  return [copy('copy', 'one way'), copy('copy both ways', 'both ways')];
}

/** A read of as many bytes. */
export function nativeRead({ kernel }, threads) {
  return [peer('a read', 'a read', 'read', 'all', threads, [bytesOf(kernel) / 4], { backend: 'native' })];
}
