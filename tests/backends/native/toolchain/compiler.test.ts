// What compiled programs are kept under: everything that they depend on.
import fs, { mkdtempSync, rmSync } from 'node:fs';
import os, { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, expect, test, vi } from 'vitest';
import { DiskCache } from '../../../../src/backends/native/toolchain/code-cache.ts';
import { compile } from '../../../../src/backends/native/toolchain/compile.ts';
import { findCompiler } from '../../../../src/backends/native/toolchain/compiler.ts';
import { nativeMissing } from '../../../backends.ts';
import { describeUnless, skipped } from '../../../skipped.ts';

const folder = mkdtempSync(join(tmpdir(), 'millrace-compiler-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllEnvs();
});

describeUnless(nativeMissing, 'the identity of a compiler', () => {
  const cache = new DiskCache(folder);
  const identity = () => findCompiler(cache, 'native').identity;

  test('is the same for the same compiler, flags and processor', () => {
    expect(identity()).toBe(identity());
  });

  test('is another on another model of processor: one folder may serve many machines', () => {
    const before = identity();
    const cpus = os.cpus();
    vi.spyOn(os, 'cpus').mockReturnValue(cpus.map((cpu) => ({ ...cpu, model: `${cpu.model}, another` })));
    expect(identity()).not.toBe(before);
  });

  const otherInstructions = 'is another where a processor of the same model has other instructions';
  if (!fs.existsSync('/proc/cpuinfo')) skipped(otherInstructions, 'only Linux tells of them, in /proc/cpuinfo');
  else
    test(otherInstructions, () => {
      const before = identity();
      const { readSync } = fs;
      vi.spyOn(fs, 'readSync').mockImplementation(((file: number, bytes: Uint8Array) => {
        const count = readSync(file, bytes);
        const text = new TextDecoder().decode(bytes.subarray(0, count));
        const other = new TextEncoder().encode(text.replace(/^(flags|Features)(\s*: \S+)/m, '$1$2x'));
        bytes.set(other.subarray(0, bytes.length));
        return count;
      }) as typeof fs.readSync);
      expect(identity()).not.toBe(before);
    });

  test('is another with other flags, and for another target', () => {
    const before = identity();
    vi.stubEnv('MILLRACE_CFLAGS', '-O1 -DSOMETHING');
    expect(identity()).not.toBe(before);
    vi.unstubAllEnvs();
    if (process.arch === 'x64') expect(findCompiler(cache, 'sse').identity).not.toBe(before);
  });

  test('is part of what a program is kept under, and so is its source', async () => {
    const compiler = findCompiler(cache, 'native');
    const source = 'int three(void) { return 3; }\n';
    const file = await compile(compiler, cache, { source });
    expect(await compile(compiler, cache, { source })).toBe(file);
    expect(await compile(compiler, cache, { source: `${source}\n` })).not.toBe(file);
    expect(await compile({ ...compiler, identity: 'another' }, cache, { source })).not.toBe(file);
  });
});
