import { spawnSync } from 'node:child_process';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { defineConfig } from 'vitest/config';

// Thousands of small programs are compiled: gcc starts faster than clang, and optimizing them would take longer than
// they run. What is compiled once is there for the other test files. Tests that are about a backend name it.
const gcc = spawnSync('gcc', ['--version']).status === 0;
const env = {
  MILLRACE_BACKEND: 'wasm',
  MILLRACE_CACHE: process.env.MILLRACE_CACHE ?? join(tmpdir(), `millrace-test-cache-${process.pid}`),
  MILLRACE_CFLAGS: process.env.MILLRACE_CFLAGS ?? '-O1',
  ...(gcc && !process.env.CC ? { CC: 'gcc' } : {}),
};

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
  },
});
