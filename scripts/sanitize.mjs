// The C of the tests of ops and feeds under AddressSanitizer and UndefinedBehaviorSanitizer, and the thread pool under
// ThreadSanitizer. Needs gcc on Linux.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const root = fileURLToPath(new URL('..', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'millrace-sanitize-'));
process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
let failed = false;

function step(what, command, args, env = {}) {
  console.log(`millrace: ${what}`);
  const { status } = spawnSync(command, args, { cwd: root, stdio: 'inherit', env: { ...process.env, ...env } });
  if (status !== 0) failed = true;
}

const library = (name) => spawnSync('gcc', [`-print-file-name=${name}`], { encoding: 'utf8' }).stdout.trim();

// A program of kernels with barriers between, on varying numbers of threads, again and again, from two threads: one waits
// for the pool, the other runs alone while the pool is busy.
const { outputFiles } = await build({
  absWorkingDir: root,
  entryPoints: ['src/backends/native/runtime/pool-source.ts'],
  bundle: true,
  format: 'esm',
  write: false,
});
const { runtimeSource } = await import(`data:text/javascript,${encodeURIComponent(outputFiles[0].text)}`);
writeFileSync(
  join(folder, 'pool.c'),
  `${runtimeSource}
#include <stdio.h>
static i32 program(const struct call *call, i64 thread) {
  i64 *parts = (i64 *)call->arena, *total = parts + 16;
  for (int k = 0; k < 20; k++) {
    parts[thread] = thread + k;
    if (call->threads > 1) call->wait();
    if (thread == 0) for (i64 t = 0; t < call->threads; t++) *total += parts[t];
    if (call->threads > 1) call->wait();
  }
  return 0;
}
static void *caller(void *argument) {
  i64 numbers[17] = {0}, wanted = 0, patient = *(i64 *)argument;
  for (int run = 0; run < 400; run++) {
    struct call call = {.run = program, .arena = (char *)numbers, .most = 1 + run % 5};
    if (millrace_execute((uintptr_t)&call, patient) != 0) return argument;
    for (int k = 0; k < 20; k++) for (i64 t = 0; t < call.threads; t++) wanted += t + k;
    if (run % 100 == 0) nanosleep(&(struct timespec){0, 5000000}, 0);
  }
  printf("%lld of %lld\\n", numbers[16], wanted);
  return numbers[16] == wanted ? 0 : argument;
}
int main(void) {
  i64 patient[2] = {0, 1};
  pthread_t threads[2];
  int failed = 0;
  for (int i = 0; i < 2; i++) pthread_create(&threads[i], 0, caller, &patient[i]);
  for (int i = 0; i < 2; i++) {
    void *result;
    pthread_join(threads[i], &result);
    failed |= result != 0;
  }
  return failed;
}
`,
);
const pool = join(folder, 'pool');
const flags = ['-std=gnu11', '-O1', '-g', '-w', '-fsanitize=thread', join(folder, 'pool.c'), '-o', pool];
step('compiling the pool with ThreadSanitizer …', 'gcc', [...flags, '-lpthread', '-ldl', '-lm']);
const raced = spawnSync(pool, [], { encoding: 'utf8', env: { ...process.env, TSAN_OPTIONS: 'halt_on_error=1' } });
console.log(`millrace: the pool under ThreadSanitizer …\n${raced.stdout}${raced.stderr}`);
if (raced.stderr.includes('unexpected memory mapping')) {
  console.log(
    'millrace: skipped: ThreadSanitizer cannot start on this system, which spreads addresses too widely for it.',
  );
} else if (raced.status !== 0) failed = true;

// Compiling takes most of the time. Checks that are calls are smaller; what is wrong with an address, however it came
// about, is AddressSanitizer's.
const sanitizers = [
  ...['-O0', '-g', '--param', 'asan-instrumentation-with-call-threshold=0', '-fsanitize=address,undefined'],
  ...['-fno-sanitize=null,object-size,pointer-overflow', '-fno-sanitize-recover=all'],
];
// The compiler is not under the sanitizers that its programs need.
const compiler = join(folder, 'gcc');
writeFileSync(compiler, '#!/bin/sh\nunset LD_PRELOAD\nexec gcc "$@"\n', { mode: 0o755 });
const attacks = ['feeds-in-place', 'safe-feeds', 'variables'].map((name) => `tests/session/${name}.test.ts`);
step(
  'the tests of ops and feeds under AddressSanitizer and UndefinedBehaviorSanitizer …',
  process.execPath,
  [
    'node_modules/vitest/vitest.mjs',
    'run',
    'tests/fixtures',
    'tests/ops',
    ...attacks,
    '-t',
    'on native|native, threads',
  ],
  {
    CC: compiler,
    MILLRACE_CACHE: join(folder, 'cache'),
    MILLRACE_CFLAGS: sanitizers.join(' '),
    LD_PRELOAD: `${library('libasan.so')} ${library('libubsan.so')}`,
    ASAN_OPTIONS: `detect_leaks=0:handle_segv=0:log_path=${join(folder, 'report')}`,
  },
);
// The processes of the tests end without a word when something is found.
for (const name of readdirSync(folder)) {
  if (name.startsWith('report')) console.log(readFileSync(join(folder, name), 'utf8'));
}
process.exit(failed ? 1 : 0);
