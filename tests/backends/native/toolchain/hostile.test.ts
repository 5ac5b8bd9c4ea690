// Where compiled programs are kept, and who compiles them, may be hostile: nobody else's code is run, and whatever happens,
// `auto` runs what WebAssembly can run.
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  existsSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { afterAll, afterEach, beforeEach, expect, type MockInstance, test, vi } from 'vitest';
import { DiskCache, hashOf } from '../../../../src/backends/native/toolchain/code-cache.ts';
import { askCompiler, runCompiler, whatHappened } from '../../../../src/backends/native/toolchain/compiler-process.ts';
import * as tf from '../../../../src/index.ts';
import { nativeMissing } from '../../../backends.ts';
import { built } from '../../../built.ts';
import { mountsMissing } from '../../../mounts.ts';
import { describeUnless, skipped } from '../../../skipped.ts';

const dir = mkdtempSync(join(tmpdir(), 'millrace-hostile-'));
afterAll(() => rmSync(dir, { recursive: true, force: true }));
let warn: MockInstance<typeof console.warn>;
beforeEach(() => {
  warn = vi.spyOn(console, 'warn').mockImplementation(() => {});
});
afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllEnvs();
});
let folders = 0;
const fresh = () => join(dir, String(folders++));
const made = (mode = 0o700) => {
  const folder = fresh();
  mkdirSync(folder);
  chmodSync(folder, mode);
  return folder;
};
const root = process.geteuid?.() === 0;

function add(cache: DiskCache, key: string, content: string): string {
  const file = join(cache.workFolder(), 'made');
  writeFileSync(file, content, { mode: 0o777 });
  return cache.add(key, '.so', file);
}

test('a folder that others may write to, that is a link, or that is no folder is not used', () => {
  const link = fresh();
  symlinkSync(made(), link);
  const file = fresh();
  writeFileSync(file, '');
  const cases: [string, RegExp][] = [
    [made(0o777), /other users may write to it/],
    [made(0o1777), /other users may write to it/],
    [made(0o770), /other users may write to it/],
    [link, /it is a link/],
    [file, /it is not a folder/],
  ];
  if (root) {
    const foreign = made();
    chownSync(foreign, 65534, 65534);
    cases.push([foreign, /it belongs to another user/]);
  }
  for (const [folder, reason] of cases) {
    const cache = new DiskCache(folder);
    expect(cache.folder).not.toBe(folder);
    expect(warn.mock.lastCall?.[0]).toMatch(reason);
  }
  expect(new DiskCache(made(0o755)).folder).toMatch(dir);
});

test('a folder that others may write to from now on has no entries', () => {
  const cache = new DiskCache(made());
  const file = add(cache, hashOf('a'), 'content');
  expect(cache.find(hashOf('a'), '.so')).toBe(file);
  for (const folder of [cache.folder, dirname(file)]) {
    chmodSync(folder, 0o777);
    expect(cache.find(hashOf('a'), '.so')).toBeUndefined();
    chmodSync(folder, 0o700);
  }
  expect(cache.find(hashOf('a'), '.so')).toBe(file);
});

test('entries that are no plain files of this user alone are not there, and nothing waits for them', () => {
  const plant: ((file: string, content: string) => void)[] = [
    (file) => spawnSync('mkfifo', [file]),
    (file) => symlinkSync('/dev/zero', file),
    (file, content) => {
      writeFileSync(`${file}.target`, content, { mode: 0o700 });
      symlinkSync(`${file}.target`, file);
    },
    (file) => mkdirSync(file),
    (file, content) => {
      writeFileSync(file, content);
      chmodSync(file, 0o722);
    },
  ];
  if (root) {
    plant.push((file, content) => {
      writeFileSync(file, content, { mode: 0o700 });
      chownSync(file, 65534, 65534);
    });
  }
  for (const [i, make] of plant.entries()) {
    const cache = new DiskCache(made());
    const key = hashOf(String(i));
    const file = add(cache, key, 'content');
    rmSync(file);
    make(file, 'content');
    expect(cache.find(key, '.so'), String(i)).toBeUndefined();
    expect(add(cache, key, 'content')).toBe(file);
    expect(cache.find(key, '.so'), String(i)).toBe(file);
  }
});

test('a hard link to a good entry elsewhere is as good as it', () => {
  const cache = new DiskCache(made());
  const file = add(cache, hashOf('a'), 'content');
  const other = new DiskCache(made());
  const copy = join(other.folder, basename(dirname(file)), basename(file));
  mkdirSync(dirname(copy), { mode: 0o700 });
  linkSync(file, copy);
  expect(other.find(hashOf('a'), '.so')).toBe(copy);
});

test('what processes that have died were working on goes; what the living work on, and what was kept, stays', () => {
  const cache = new DiskCache(made());
  const own = cache.workFolder();
  const kept = cache.keep(cache.workFolder());
  const dead = own.replace(`-${process.pid}-`, '-999999999-');
  const elsewhere = own.replace(/work-[^-]*-\d+-/, 'work-00000000-999999999-');
  for (const folder of [dead, elsewhere]) mkdirSync(folder);
  new DiskCache(cache.folder);
  expect([own, kept, dead, elsewhere].map((folder) => existsSync(folder))).toEqual([true, true, false, true]);
});

test('a compiler that hangs is given up, with what it has started', async () => {
  const started = fresh();
  const script = `sleep 1000 & echo $! > ${started}; wait`;
  const asked = askCompiler('sh', ['-c', script], '', 300);
  expect(whatHappened(asked, 300)).toBe('did not end within 0.3 s');
  const isRunning = () => {
    const pid = readFileSync(started, 'utf8').trim();
    if (!existsSync('/proc')) return spawnSync('kill', ['-0', pid]).status === 0;
    try {
      // What has ended may wait for somebody to ask how.
      return !readFileSync(`/proc/${pid}/stat`, 'utf8').includes(') Z');
    } catch {
      return false;
    }
  };
  await vi.waitFor(() => expect(isRunning()).toBe(false));
  const ran = await runCompiler('sh', ['-c', script], dir, 300);
  expect(whatHappened(ran, 300)).toBe('did not end within 0.3 s');
  await vi.waitFor(() => expect(isRunning()).toBe(false));
});

test('of a compiler that prints without end a part is kept', async () => {
  const { status, stderr } = await runCompiler('sh', ['-c', 'yes | head -c 20000000 >&2; exit 3'], dir);
  expect(status).toBe(3);
  expect(stderr.length).toBeLessThan(2 ** 18);
});

test('what a compiler said last is read, also where something that it left behind holds its streams', async () => {
  for (let i = 0; i < 20; i++) {
    expect(await runCompiler('sh', ['-c', 'echo its last words >&2; exit 3'], dir)).toEqual({
      status: 3,
      stopped: undefined,
      stderr: 'its last words\n',
    });
  }
  const left = await runCompiler('sh', ['-c', 'setsid sleep 5 & echo its last words >&2; exit 3'], dir);
  expect(left).toMatchObject({ status: 3, stderr: 'its last words\n' });
});

/** A compiler that does something first; the real one is asked what it is. */
const real = ['gcc', 'clang', 'cc'].find((name) => spawnSync(name, ['--version']).status === 0) ?? 'cc';
function compilerThat(does: string, begins = 'true'): string {
  const file = fresh();
  const lines = `for a; do case "$a" in *program.c) if ${begins}; then ${does}; fi;; esac; done; exec ${real} "$@"`;
  writeFileSync(file, `#!/bin/sh\n${lines}\n`, { mode: 0o755 });
  return file;
}

/** Runs something on a backend; gives the result with what the session says of it, or throws. */
async function sum(backend: tf.BackendName, length = 2) {
  const graph = new tf.Graph();
  const all = graph.asDefault(() => tf.reduceSum(tf.range(length)));
  const session = new tf.Session({ graph, backend });
  try {
    return { value: await session.run(all), name: session.backend.name };
  } finally {
    await session.close();
  }
}
const inside = (folder: string) => (existsSync(folder) ? readdirSync(folder).filter((name) => name.length !== 2) : []);

describeUnless(nativeMissing, 'compilers', () => {
  test.each([
    ['is interrupted', 'kill -INT $$', /was stopped by SIGINT on a program of millrace/],
    ['is out of memory', 'echo gcc: fatal error: Killed signal terminated program cc1 >&2; exit 1', /Killed signal/],
    ['writes nothing', 'exit 0', /wrote no program/],
    [
      'writes rubbish',
      'echo rubbish > program.so; exit 0',
      /cannot be kept or loaded: .*program|file too short|invalid/,
    ],
    ['has no space', 'echo "fatal error: No space left on device" >&2; exit 1', /the disk of .* is full/],
  ])('one that %s is told of, without a plea to report it, and auto is wasm', async (_, does, message) => {
    const folder = fresh();
    vi.stubEnv('MILLRACE_CACHE', folder);
    vi.stubEnv('CC', compilerThat(does));
    const error = await sum('native').catch((e: Error) => e as Error);
    expect(error).toBeInstanceOf(tf.UnavailableError);
    expect((error as Error).message).toMatch(message);
    expect((error as Error).message).not.toMatch(/report/);
    // The runtime library may still be compiled.
    await vi.waitFor(() => expect(inside(folder)).toEqual([]), 10_000);
    expect(warn).not.toHaveBeenCalledWith(expect.stringMatching(/goes on with wasm/));
    expect(await sum('auto')).toEqual({ value: 1, name: 'wasm' });
    expect(warn).toHaveBeenCalledWith(expect.stringMatching(/goes on with wasm, as native cannot: /));
  });

  test('a session of auto keeps its variables when native can go on no more', async () => {
    vi.stubEnv('MILLRACE_CACHE', fresh());
    const broken = fresh();
    vi.stubEnv('CC', compilerThat('echo crash >&2; exit 9', `[ -e ${broken} ]`));
    const graph = new tf.Graph();
    const { v, init, step, square } = graph.asDefault(() => {
      const v = tf.variable([1, 2, 3]);
      return { v, init: tf.initializeAllVariables(), step: v.assignAdd([1, 1, 1]), square: v.mul(v) };
    });
    const session = new tf.Session({ graph, backend: 'auto' });
    await session.ready;
    await session.run(init);
    await session.run(step);
    expect(session.backend.name).toBe('native');
    writeFileSync(broken, '');
    expect([...(await session.run(square)).data]).toEqual([4, 9, 16]);
    expect(session.backend).toMatchObject({ name: 'wasm', description: expect.stringMatching(/not native: .*crash/s) });
    await session.run(step);
    expect([...(await session.run(v)).data]).toEqual([3, 4, 5]);
    expect(warn).toHaveBeenCalledOnce();
    await session.close();
  });

  test('a runtime library that cannot be compiled does not keep auto from being ready', async () => {
    vi.stubEnv('MILLRACE_CACHE', fresh());
    vi.stubEnv('CC', compilerThat('exit 4'));
    const session = new tf.Session({ graph: new tf.Graph(), backend: 'auto' });
    await session.ready;
    expect(await sum('auto')).toEqual({ value: 1, name: 'wasm' });
  });

  test('a cache that is removed while the program runs is made again', async () => {
    const folder = fresh();
    vi.stubEnv('MILLRACE_CACHE', folder);
    expect(await sum('native', 3)).toEqual({ value: 3, name: 'native' });
    rmSync(folder, { recursive: true });
    expect(await sum('native', 4)).toEqual({ value: 6, name: 'native' });
    expect(existsSync(folder)).toBe(true);
  });

  test('an entry with the right name that cannot be loaded is made anew', async () => {
    const folder = fresh();
    vi.stubEnv('MILLRACE_CACHE', folder);
    await sum('native', 5);
    for (const name of readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
      const [, key] = /([0-9a-f]{32})-[0-9a-f]{32}\.so$/.exec(name) ?? [];
      // What is loaded already, the runtime library, is not looked at again.
      if (!key) continue;
      rmSync(join(folder, name));
      writeFileSync(join(folder, dirname(name), `${key}-${hashOf('rubbish')}.so`), 'rubbish', { mode: 0o700 });
    }
    expect(await sum('native', 5)).toEqual({ value: 10, name: 'native' });
  });

  test('quotation marks and spaces in the path of the cache do no harm', async () => {
    vi.stubEnv('MILLRACE_CACHE', join(fresh(), `a"b 'c' $d`));
    expect(await sum('native', 6)).toEqual({ value: 15, name: 'native' });
    expect(warn).not.toHaveBeenCalled();
  });
});

/** A program in a process of its own, with a script before it. */
function alone(before: string, env: Record<string, string>, backend = 'auto') {
  const program = `const tf = await import(${JSON.stringify(built)});
    const sess = new tf.Session({ backend: '${backend}' });
    console.log(await sess.run(tf.reduceSum(tf.range(7))), sess.backend.name);`;
  const script = `${before}; exec "$0" --input-type=module -e "$1"`;
  const { stdout, stderr } = spawnSync('sh', ['-c', script, process.execPath, program], {
    cwd: env.HERE,
    encoding: 'utf8',
    env: { ...process.env, ...env },
  });
  return { stdout, stderr };
}

test('an empty HOME and a relative XDG_CACHE_HOME do not put programs into the working folder', () => {
  for (const env of [{ HOME: '' }, { XDG_CACHE_HOME: 'relative', HOME: made() }]) {
    const HERE = made();
    expect(alone('true', { MILLRACE_CACHE: '', XDG_CACHE_HOME: '', ...env, HERE }).stdout).toMatch(/^21 /);
    expect(readdirSync(HERE)).toEqual([]);
  }
});

test('where nothing can be written auto is wasm, and native says what is missing', () => {
  const env = { TMPDIR: '/nowhere', MILLRACE_CACHE: '/proc/nowhere' };
  expect(alone('true', env).stdout).toBe('21 wasm\n');
  if (!nativeMissing)
    expect(alone('true', env, 'native').stderr).toMatch(/UnavailableError.*MILLRACE_CACHE and TMPDIR/s);
});

const whyNot = nativeMissing ?? mountsMissing;
if (whyNot) skipped('file systems that take no programs', whyNot);
else {
  /** In a mount namespace of its own. */
  const mounted = (options: string, elsewhere: string, backend?: string) => {
    const place = made();
    const mount = `mount -t tmpfs -o ${options} none ${place}`;
    const env = { MILLRACE_CACHE: join(place, 'cache'), TMPDIR: elsewhere === 'there too' ? place : elsewhere };
    const again = `if [ -z "$MOUNTED" ]; then MOUNTED=1 exec unshare --mount sh -c '${mount} && exec "$0" "$@"' "$0" --input-type=module -e "$1"; fi`;
    return alone(again, env, backend);
  };
  test('read-only, full, or without permission to run: programs go to a temporary folder, which is said once', () => {
    for (const options of ['ro', 'size=64k', 'noexec']) {
      const { stdout, stderr } = mounted(options, dir);
      expect(stdout, options).toBe('21 native\n');
      if (options === 'ro') expect(stderr).toMatch(/^millrace: the cache folder .* cannot be used .*EROFS.*\n$/);
      else expect(stderr).toBe('');
    }
  });
  test('and where that is of no use either, auto is wasm, which is said once', () => {
    for (const options of ['size=64k', 'noexec']) {
      const { stdout, stderr } = mounted(options, 'there too');
      expect(stdout, options).toBe('21 wasm\n');
      expect(stderr.match(/millrace:/g), options).toHaveLength(1);
      const native = mounted(options, 'there too', 'native');
      expect(native.stderr, options).toMatch(/UnavailableError/);
      expect(native.stderr, options).not.toMatch(/report/);
    }
  });
}
