import { spawnSync } from 'node:child_process';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

// Thousands of small programs are compiled: gcc starts faster than clang, and optimizing them would take longer than
// they run; some are compiled as users have them (tests/backends/native/user-flags.ts). What is compiled once is there for
// the other test files. Tests that are about a backend name it.
const gcc = spawnSync('gcc', ['--version']).status === 0;
const env = {
  MILLRACE_BACKEND: 'wasm',
  MILLRACE_CACHE: process.env.MILLRACE_CACHE ?? join(tmpdir(), `millrace-test-cache-${process.pid}`),
  MILLRACE_CFLAGS: process.env.MILLRACE_CFLAGS ?? '-O1',
  ...(gcc && !process.env.CC ? { CC: 'gcc' } : {}),
};

/**
 * What takes longest, as a run on two idle cores tells at its end: it begins first, so that the processes of the tests
 * end together.
 */
const long = [
  ...[
    'integration/playground',
    'integration/package',
    'session/threads',
    'fixtures/combining',
    'fixtures/elementwise',
    'numbers/fast-math',
    'integration/sums',
  ],
  ...['backends/native/rests', 'compiler/random-programs', 'backends/native/models', 'compiler/program/build'],
  ...['backends/native/emit/expression', 'browser/train', 'integration/terminal', 'kernels/cpu/zeros/skip-zeros'],
  ...['session/event-loop', 'kernels/cpu/contract/blocks', 'integration/process', 'integration/tutorial', 'gradients'],
  ...[
    'integration/docs',
    'integration/training',
    'integration/resume',
    'session/dropped',
    'numbers/special',
    'compiler/program/merge',
    'session/safe-feeds',
    'session/trace',
  ],
  ...[
    'types/types',
    'compiler/random-updates',
    'kernels/cpu/contract/contract',
    'data/download',
    'native/toolchain/hostile',
  ],
];

/** How many take longer than this file; those that are not listed take about as long as they are large. */
export function placeOf({ moduleId }: TestSpecification): number {
  const place = long.findIndex((name) => moduleId.endsWith(`/tests/${name}.test.ts`));
  return place < 0 ? long.length : place;
}

class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    return (await super.sort(files)).sort((a, b) => placeOf(a) - placeOf(b));
  }
}

export default defineConfig({
  test: {
    include: ['tests/**/*.test.ts'],
    testTimeout: 60_000,
    pool: 'forks',
    // Vitest would leave one of two cores idle.
    ...(availableParallelism() === 2 ? { maxWorkers: 2 } : {}),
    env,
    globalSetup: './tests/native-cache.ts',
    setupFiles: './tests/seed.ts',
    sequence: { sequencer: LongestFirst },
  },
});
