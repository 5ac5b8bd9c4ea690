import { spawnSync } from 'node:child_process';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

const cores = availableParallelism();
/** For a test, in milliseconds, on a machine that has other things to do too. A soak takes as long as it needs. */
const timeout = Number(process.env.MILLRACE_TEST_TIMEOUT ?? 120_000);

// Thousands of small programs are compiled: gcc starts faster than clang, and optimizing them would take longer than
// they run; some are compiled as users have them (tests/backends/native/user-flags.ts). What is compiled once is there for
// the other test files. Tests that are about a backend name it.
const gcc = spawnSync('gcc', ['--version']).status === 0;
const env = {
  MILLRACE_BACKEND: 'wasm',
  MILLRACE_CACHE: process.env.MILLRACE_CACHE ?? join(tmpdir(), `millrace-test-cache-${process.pid}`),
  MILLRACE_CFLAGS: process.env.MILLRACE_CFLAGS ?? '-O1',
  MILLRACE_TEST_TIMEOUT: String(timeout),
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
    'integration/gallery',
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

const inFolders = (...folders: string[]) => folders.map((folder) => `tests/${folder}/**/*.test.ts`);
/** Tests that wait for processes, servers and clocks: one more of them at a time than there are cores. */
const waiting = inFolders('browser', 'checkpoint', 'data', 'integration', 'types', 'backends/native/toolchain');
/** The API site: TypeDoc is installed only for `npm run soak -- docs`. */
const soaked = process.env.MILLRACE_SITE === undefined ? ['tests/integration/site.test.ts'] : [];
/**
 * Tests of what keeps no state in the process: their files share processes, which load the sources once. In a process
 * that has seen many shapes of objects the oracle is some times slower: what computes much with it is not among them.
 */
const oracle = ['tests/numbers/fast-math.test.ts', 'tests/compiler/random-programs.test.ts'];
const pure = [
  ...inFolders('autodiff', 'compiler', 'fixtures', 'kernels', 'layers', 'loops', 'losses', 'metrics', 'numbers', 'ops'),
  ...inFolders('playground', 'primitives', 'tensor', 'train', 'variables', 'backends/{emit,run}'),
  ...inFolders('backends/{native,wasm}/emit'),
];

class LongestFirst extends BaseSequencer {
  /** A process is shared by files that follow each other, so those that share none come first. */
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const shares = ({ project }: TestSpecification) => Number(!project.config.isolate);
    return (await super.sort(files)).sort((a, b) => shares(a) - shares(b) || placeOf(a) - placeOf(b));
  }
}

/** What all tests have in common, those that judge mutants too. */
export const common = {
  testTimeout: timeout,
  hookTimeout: timeout,
  pool: 'forks',
  // Vitest would leave one of two cores idle.
  ...(cores === 2 ? { maxWorkers: 2 } : {}),
  env,
  globalSetup: './tests/native-cache.ts',
  setupFiles: ['./tests/seed.ts', './tests/equal-bytes.ts'],
} as const;

export default defineConfig({
  test: {
    ...common,
    sequence: { sequencer: LongestFirst },
    projects: [
      { extends: true, test: { name: 'waiting', include: waiting, exclude: soaked, maxWorkers: cores + 1 } },
      {
        extends: true,
        test: { name: 'alone', include: inFolders('.'), exclude: [...waiting, ...pure], sequence: { groupOrder: 1 } },
      },
      { extends: true, test: { name: 'oracle', include: oracle, sequence: { groupOrder: 1 } } },
      {
        extends: true,
        test: { name: 'pure', include: pure, exclude: oracle, isolate: false, sequence: { groupOrder: 1 } },
      },
    ],
  },
});
