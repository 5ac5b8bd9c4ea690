// The cache of compiled programs: damage, many processes, folders that cannot be written to, its bound; and what is said
// where something that the native backend needs is missing.
import { spawn, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, expect, test, vi } from 'vitest';
import { DiskCache, hashOf } from '../../../../src/backends/native/toolchain/code-cache.ts';
import * as tf from '../../../../src/index.ts';
import { nativeMissing } from '../../../backends.ts';
import { skipped } from '../../../skipped.ts';

const dir = mkdtempSync(join(tmpdir(), 'millrace-cache-test-'));
afterAll(() => rmSync(dir, { recursive: true, force: true }));
afterEach(() => vi.unstubAllEnvs());
let folders = 0;
const fresh = () => join(dir, String(folders++));
const entries = (folder: string) =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) => /\.(so|json)$/.test(name));

function add(cache: DiskCache, key: string, content: string): string {
  const file = join(cache.workFolder(), 'made');
  writeFileSync(file, content);
  return cache.add(key, '.so', file);
}

test('an entry is found by its key while it is whole', () => {
  const cache = new DiskCache(fresh());
  const key = hashOf('a');
  expect(cache.find(key, '.so')).toBeUndefined();
  const file = add(cache, key, 'content');
  expect(cache.find(key, '.so')).toBe(file);
  writeFileSync(file, 'conten');
  expect(cache.find(key, '.so')).toBeUndefined();
  expect(entries(cache.folder)).toEqual([]);
});

test('what was not used for longest goes when there is too much', () => {
  const cache = new DiskCache(fresh(), 1000);
  const old = add(cache, hashOf('old'), 'x'.repeat(600));
  utimesSync(old, 1, 1);
  const next = new DiskCache(cache.folder, 1000);
  const kept = add(next, hashOf('new'), 'y'.repeat(600));
  const last = new DiskCache(cache.folder, 1000);
  const latest = add(last, hashOf('latest'), 'z'.repeat(500));
  expect(readdirSync(cache.folder, { recursive: true, encoding: 'utf8' }).map((f) => join(cache.folder, f))).toEqual(
    expect.arrayContaining([kept, latest]),
  );
  expect(last.find(hashOf('old'), '.so')).toBeUndefined();
});

test('a folder that cannot be made is replaced by a temporary one, once said', () => {
  const file = fresh();
  writeFileSync(file, '');
  const warn = vi.spyOn(console, 'warn').mockImplementation(() => {});
  for (let i = 0; i < 2; i++) expect(new DiskCache(join(file, 'x')).folder).not.toContain(file);
  expect(warn).toHaveBeenCalledOnce();
  expect(warn.mock.calls[0][0]).toMatch(/cache folder .* cannot be used .* MILLRACE_CACHE/);
  warn.mockRestore();
});

/** Runs 1 + 2 on a backend; gives the result, or throws. */
async function three(backend: tf.BackendName) {
  const graph = new tf.Graph();
  const sum = graph.asDefault(() => tf.add(tf.constant(1), tf.constant(2)));
  const session = new tf.Session({ graph, backend });
  try {
    return { value: await session.run(sum), ...session.backend };
  } finally {
    await session.close();
  }
}

test('without a compiler native is an error, and auto is wasm and says why', async () => {
  vi.stubEnv('CC', 'no-such-compiler');
  await expect(three('native')).rejects.toThrow(/needs a C compiler, but CC is no-such-compiler, which is not found/);
  await expect(three('native')).rejects.toBeInstanceOf(tf.UnavailableError);
  expect(await three('auto')).toMatchObject({
    value: 3,
    name: 'wasm',
    description: expect.stringMatching(/^wasm: .*\(not native: .*no-such-compiler/),
  });
});

test('MILLRACE_BACKEND is the default, and an option is stronger', () => {
  vi.stubEnv('MILLRACE_BACKEND', 'reference');
  expect(new tf.Session().backend.name).toBe('reference');
  expect(new tf.Session({ backend: 'wasm' }).backend.name).toBe('wasm');
  vi.stubEnv('MILLRACE_BACKEND', 'cuda');
  expect(() => new tf.Session()).toThrow("MILLRACE_BACKEND: there is no backend 'cuda'");
});

/** A compiler that does something first. */
function script(text: string): string {
  const file = fresh();
  writeFileSync(file, `#!/bin/sh\n${text}\n`, { mode: 0o755 });
  return file;
}
const real = ['gcc', 'clang', 'cc'].find((name) => spawnSync(name, ['--version']).status === 0) ?? 'cc';

/** The real compiler, which first looks at the source, `$a`: in that of the runtime library is the word pthread. */
const withSource = (look: string) => `for a; do case "$a" in *program.c) ${look};; esac; done; exec ${real} "$@"`;

if (nativeMissing) skipped('compilers that fail, damaged and shared caches', nativeMissing);
else {
  test('CC may be a path with spaces and quotes, or words', async () => {
    const folder = fresh();
    mkdirSync(folder);
    const file = join(folder, 'g c"c');
    writeFileSync(file, `#!/bin/sh\nexec ${real} "$@"\n`, { mode: 0o755 });
    for (const cc of [file, `${real} -DX=1`]) {
      vi.stubEnv('CC', cc);
      expect(await three('native')).toMatchObject({ value: 3, name: 'native' });
    }
  });

  test('a compiler that does not work is told of', async () => {
    vi.stubEnv('CC', script('echo it is broken >&2; exit 3'));
    await expect(three('native')).rejects.toThrow(/does not work: .* says: it is broken/);
    expect((await three('auto')).name).toBe('wasm');
  });

  test('a compiler that does not know vectors is refused', async () => {
    vi.stubEnv('CC', script(`case "$*" in *-dM*) echo '#define __TINYC__ 1';; *) echo tcc;; esac`));
    await expect(three('native')).rejects.toThrow(/needs a C compiler that knows vectors/);
  });

  test('where a program cannot be compiled, the error names what was said, the source, and where to report it', async () => {
    vi.stubEnv('MILLRACE_CACHE', fresh());
    vi.stubEnv(
      'CC',
      script(withSource('grep -q millrace_run "$a" && ! grep -q pthread "$a" && { echo crash >&2; exit 9; }')),
    );
    const error = await three('native').catch((e: Error) => e as Error);
    expect(error).toBeInstanceOf(tf.UnavailableError);
    const { message } = error as Error;
    expect(message).toMatch(/failed \(exit code 9\) on a program of millrace:\ncrash\n/);
    const source = /The source was kept: (.*)/.exec(message)?.[1] as string;
    expect(readFileSync(source, 'utf8')).toContain('millrace_run');
    expect(message).toMatch(/report it/);
  });

  test('what is missing beside the compiler is found out at once, so that auto is wasm', async () => {
    vi.stubEnv('MILLRACE_CACHE', fresh());
    vi.stubEnv('CC', script(`exec ${real} -nostdinc "$@"`));
    await expect(three('native')).rejects.toThrow(/does not work: .*dlfcn\.h/s);
    expect((await three('auto')).name).toBe('wasm');
    // No assembler, or no linker.
    const fails = 'echo cannot link >&2; exit 1';
    vi.stubEnv('CC', script(`for a; do [ "$a" = -E ] && exec ${real} "$@"; done; ${fails}`));
    await expect(three('native')).rejects.toThrow(/does not work: .*cannot link/s);
    expect((await three('auto')).name).toBe('wasm');
  });

  test('the runtime library and the first program are compiled at the same time, while the event loop goes on', async () => {
    vi.stubEnv('MILLRACE_CACHE', fresh());
    const [library, program, loop] = [fresh(), fresh(), fresh()];
    // Each waits for the other to have begun, and for the event loop.
    const meet = (own: string, other: string) =>
      `touch ${own}; for i in $(seq 600); do [ -e ${other} ] && [ -e ${loop} ] && break; sleep 0.05; done; [ -e ${other} ] && [ -e ${loop} ] || exit 9`;
    const look = `if grep -q pthread "$a"; then ${meet(library, program)}; else ${meet(program, library)}; fi`;
    vi.stubEnv('CC', script(withSource(look)));
    const result = three('native');
    setTimeout(() => writeFileSync(loop, ''), 1);
    expect((await result).value).toBe(3);
  });

  test('a runtime library that cannot be compiled is an error of ready and of runs, until it can be', async () => {
    vi.stubEnv('MILLRACE_CACHE', fresh());
    const broken = fresh();
    writeFileSync(broken, '');
    const look = `grep -q pthread "$a" && [ -e ${broken} ] && { echo no linker >&2; exit 4; }`;
    vi.stubEnv('CC', script(withSource(look)));
    const session = new tf.Session({ backend: 'native' });
    await expect(session.ready).rejects.toThrow(/failed \(exit code 4\) .*no linker/s);
    await expect(three('native')).rejects.toBeInstanceOf(tf.UnavailableError);
    rmSync(broken);
    expect((await three('native')).value).toBe(3);
  });

  test('damaged entries are compiled again, and cold and warm give the same', async () => {
    const folder = fresh();
    vi.stubEnv('MILLRACE_CACHE', folder);
    expect((await three('native')).value).toBe(3);
    const before = entries(folder).sort();
    const size = (name: string) => readFileSync(join(folder, name)).length;
    const runtime = before.filter((name) => name.endsWith('.so')).sort((a, b) => size(b) - size(a))[0];
    // What is loaded stays as it is: only other files may be damaged.
    for (const name of before) if (name !== runtime) rmSync(join(folder, name));
    for (const name of before) if (name.endsWith('.json')) writeFileSync(join(folder, name), '{');
    expect((await three('native')).value).toBe(3);
    expect(entries(folder).sort()).toEqual(before);
  });

  test('many processes may fill the same cache at once', async () => {
    const env = { ...process.env, MILLRACE_CACHE: fresh() };
    const bundle = join(dir, 'one.mjs');
    const { build } = await import('esbuild');
    await build({
      stdin: {
        contents: `import * as tf from './src/index.ts';
          const s = new tf.Session({ backend: 'native' }); console.log(await s.run(tf.add(tf.constant(1), tf.constant(2))));`,
        resolveDir: fileURLToPath(new URL('../../../..', import.meta.url)),
      },
      ...{ bundle: true, format: 'esm' as const, platform: 'node' as const, outfile: bundle },
    });
    const cwd = fileURLToPath(new URL('../../../..', import.meta.url));
    const runs = Array.from({ length: 4 }, () => {
      const child = spawn(process.execPath, [bundle], { env, cwd });
      let text = '';
      child.stdout.on('data', (data) => (text += data));
      child.stderr.on('data', (data) => (text += data));
      return new Promise<string>((resolve) => child.on('close', () => resolve(text)));
    });
    expect(await Promise.all(runs)).toEqual(['3\n', '3\n', '3\n', '3\n']);
  });

  test('without koffi it is named, with what to do', async () => {
    const bundle = join(dir, 'bare.mjs');
    const { build } = await import('esbuild');
    const root = fileURLToPath(new URL('../../../..', import.meta.url));
    await build({
      stdin: {
        contents: `import * as tf from './src/index.ts';
          console.log(new tf.Session({ backend: 'auto' }).backend.description);
          try { new tf.Session({ backend: 'native' }); } catch (e) { console.log(e.name, e.message); }`,
        resolveDir: root,
      },
      ...{ bundle: true, format: 'esm' as const, platform: 'node' as const, outfile: bundle },
    });
    const { stdout } = spawnSync(process.execPath, [bundle], { cwd: dir, encoding: 'utf8' });
    expect(stdout).toMatch(/^wasm: .*\(not native: .*koffi.*\nUnavailableError .*npm install koffi\n$/);
  });
}
