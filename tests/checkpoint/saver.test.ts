// tf.train.Saver: what is saved is restored, in another session, graph or process; what does not fit is told.
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import fs from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { dataSetsFromFiles } from '../../src/data/mnist.ts';
import * as tf from '../../src/index.ts';
import { backends } from '../backends.ts';
import { file } from './files.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'millrace-saver-'));
});
afterEach(() => {
  vi.restoreAllMocks();
  rmSync(folder, { recursive: true, force: true });
});
const at = (name: string) => join(folder, name);
const present = () => readdirSync(folder).sort();

/** A graph with a variable of each element type. */
function everyKind() {
  const graph = new tf.Graph();
  return graph.asDefault(() => {
    tf.variable(tf.constant([[0.5, -0, Number.NaN]]), { name: 'float32' });
    tf.variable(tf.constant([1 / 3, 1e300], { dtype: 'float64' }), { name: 'float64' });
    tf.variable(tf.constant([-(2 ** 31), 7], { dtype: 'int32' }), { name: 'scope/int32' });
    tf.variable(tf.constant([0, 255, 3], { dtype: 'uint8' }), { name: 'uint8' });
    tf.variable(tf.constant([true, false]), { name: 'bool' });
    tf.variable(3, { name: 'scalar' });
    tf.variable(tf.zeros([0, 3]), { name: 'empty' });
    return { graph, init: tf.initializeAllVariables() };
  });
}
const valuesOf = async (sess: tf.Session) => {
  const { values } = await sess.snapshot(sess.graph.variables);
  return values.map(({ dtype, shape, data }) => ({ dtype, shape, data: [...data] }));
};

/** A graph with two vectors, and steps that add to them. */
function vectors(size = 3) {
  const graph = new tf.Graph();
  return graph.asDefault(() => {
    const [a, b] = ['a', 'b'].map((name) => tf.variable(tf.zeros([size]), { name }));
    const globalStep = tf.variable(tf.constant(0, { dtype: 'int32' }), { name: 'globalStep', trainable: false });
    const step = tf.group(a.assignAdd(tf.ones([size])), b.assignAdd(tf.fill([size], 2)), globalStep.assignAdd(1));
    return { graph, a, b, globalStep, step, init: tf.initializeAllVariables() };
  });
}
async function started<G extends { graph: tf.Graph; init: tf.Operation }>(made: G, options: tf.SessionOptions = {}) {
  const sess = new tf.Session({ graph: made.graph, backend: 'wasm', threads: 1, ...options });
  await sess.run(made.init);
  return { ...made, sess };
}

describe.each(backends)('on %s', (backend) => {
  test('variables of every kind are restored in another session, which needs no initialization', async () => {
    const { sess } = await started(everyKind(), { backend });
    const saver = new tf.train.Saver();
    const path = await saver.save(sess, at('model'), { globalStep: 7 });
    expect(path).toBe(at('model-7.safetensors'));
    const other = new tf.Session({ graph: everyKind().graph, backend });
    const { step, restored } = await new tf.train.Saver().restore(other, path);
    expect([step, restored.length]).toEqual([7, 7]);
    expect(await valuesOf(other)).toEqual(await valuesOf(sess));
    const bytes = await saver.toBytes(sess, { globalStep: 7 });
    expect(bytes).toEqual(new Uint8Array(readFileSync(path)));
    const third = new tf.Session({ graph: everyKind().graph, backend });
    await saver.fromBytes(third, bytes);
    expect(await valuesOf(third)).toEqual(await valuesOf(sess));
    for (const s of [sess, other, third]) await s.close();
  });

  test('a save is of the moment of its call: after runs that were asked for before, before later ones', async () => {
    const { sess, step, globalStep } = await started(vectors(50_000), { backend });
    const saver = new tf.train.Saver({ maxToKeep: 0 });
    const saves: Promise<string>[] = [];
    for (let i = 0; i < 4; i++) {
      void sess.run(step);
      saves.push(saver.save(sess, at('model'), { globalStep }));
      void sess.run(step);
    }
    const paths = await Promise.all(saves);
    expect(paths).toEqual([1, 3, 5, 7].map((n) => at(`model-${n}.safetensors`)));
    for (const [i, path] of paths.entries()) {
      await using reader = await tf.train.loadCheckpoint(path);
      const [a, b] = [await reader.getTensor('a'), await reader.getTensor('b')];
      expect(new Set(a.data)).toEqual(new Set([2 * i + 1]));
      expect(new Set(b.data)).toEqual(new Set([4 * i + 2]));
    }
    await sess.close();
  });

  test('a run with dropout, Adam and shuffled data that is resumed is the run that went on', async () => {
    const straight = learner(backend);
    await straight.train(8);
    const [first, second] = [learner(backend), learner(backend)];
    await first.train(4);
    const path = await first.saver.save(first.sess, at('model'), { globalStep: 4, data: first.data });
    // Neither what happened before nor after matters to who resumes.
    await first.train(2);
    await second.train(1);
    await second.saver.restore(second.sess, path, { data: second.data });
    await second.train(4);
    expect(await valuesOf(second.sess)).toEqual(await valuesOf(straight.sess));
    expect(second.data.state()).toEqual(straight.data.state());
    for (const { sess } of [straight, first, second]) await sess.close();
  });
});

const examples = { count: 60, size: 16 };
/** 60 images of noise with labels. */
function noise() {
  const idx = (sizes: readonly number[], data: Uint8Array) => {
    const header = new DataView(new ArrayBuffer(4 + 4 * sizes.length));
    header.setUint32(0, 0x800 + sizes.length);
    for (const [i, size] of sizes.entries()) header.setUint32(4 + 4 * i, size);
    return new Uint8Array([...new Uint8Array(header.buffer), ...data]);
  };
  const images = idx(
    [examples.count, 28, 28],
    new Uint8Array(examples.count * 784).map((_, i) => (i * 7919) % 251),
  );
  const labels = idx(
    [examples.count],
    new Uint8Array(examples.count).map((_, i) => i % 10),
  );
  return { trainImages: images, trainLabels: labels, testImages: images, testLabels: labels };
}
function learner(backend: tf.SessionOptions['backend']) {
  const graph = new tf.Graph();
  return graph.asDefault(() => {
    const x = tf.placeholder('float32', [null, 784]);
    const y_ = tf.placeholder('float32', [null, 10]);
    const W = tf.variable(tf.truncatedNormal([784, examples.size], { stddev: 0.1 }), { name: 'W' });
    const V = tf.variable(tf.truncatedNormal([examples.size, 10], { stddev: 0.1 }), { name: 'V' });
    const h = tf.nn.dropout(tf.nn.relu(tf.matmul(x, W)), 0.5);
    const loss = tf.reduceMean(tf.nn.softmaxCrossEntropyWithLogits({ labels: y_, logits: tf.matmul(h, V) }));
    const step = new tf.train.AdamOptimizer(0.01).minimize(loss);
    const sess = new tf.Session({ graph, backend, threads: 1, seed: 3 });
    const init = sess.run(tf.initializeAllVariables());
    const { train: data } = dataSetsFromFiles(noise(), { oneHot: true, validationSize: 0, seed: 4 });
    const train = async (steps: number) => {
      await init;
      for (let i = 0; i < steps; i++) {
        // Two epochs pass, and batches span their ends.
        const { images, labels } = data.nextBatch(11);
        await sess.run(step, [
          [x, images],
          [y_, labels],
        ]);
      }
    };
    return { sess, data, train, saver: new tf.train.Saver() };
  });
}

describe('names', () => {
  test('varList takes some variables, or gives them other names', async () => {
    const { sess, a, b, step } = await started(vectors());
    await sess.run(step);
    const path = await new tf.train.Saver({ varList: { weights: a } }).save(sess, at('some'));
    expect(await tf.train.listVariables(path)).toEqual([{ name: 'weights', dtype: 'float32', shape: [3] }]);
    await new tf.train.Saver({ varList: { weights: b } }).restore(sess, path);
    expect((await sess.run(b)).toArray()).toEqual([1, 1, 1]);
    // Others in the file are no surprise to who names variables.
    const all = await new tf.train.Saver().save(sess, at('all'));
    await sess.run(step);
    await new tf.train.Saver({ varList: [a] }).restore(sess, all);
    expect((await sess.run([a, b])).map((v) => v.toArray())).toEqual([[1, 1, 1], [3, 3, 3]]); // biome-ignore format: one line
    await sess.close();
  });

  test('what does not fit is a list, and nothing is restored; with strict: false what fits is', async () => {
    const { sess, step } = await started(vectors());
    await sess.run(step);
    const path = await new tf.train.Saver().save(sess, at('model'));
    const graph = new tf.Graph();
    const other = graph.asDefault(() => ({
      a: tf.variable(tf.zeros([3]), { name: 'a' }),
      b: tf.variable(tf.zeros([3, 1]), { name: 'b' }),
      c: tf.variable(tf.zeros([2]), { name: 'c' }),
      init: tf.initializeAllVariables(),
    }));
    const second = await started({ graph, ...other });
    const saver = new tf.train.Saver();
    const error = await saver.restore(second.sess, path).catch((e: Error) => e);
    expect(error).toBeInstanceOf(tf.InvalidArgumentError);
    expect((error as Error).message.split('\n')).toEqual([
      `${path} does not fit the variables, so nothing is restored:`,
      '  missing in the file: c, float32 [2]',
      '  without a variable: globalStep, int32 []',
      '  different: b, float32 [3, 1], in the file float32 [3]',
      'With { strict: false } what fits is taken; `varList` says which variables are meant.',
    ]);
    expect((await second.sess.run(second.a)).toArray()).toEqual([0, 0, 0]);
    expect(await saver.restore(second.sess, path, { strict: false })).toEqual({
      step: undefined,
      restored: ['a'],
      missing: ['c'],
      unexpected: ['globalStep'],
      mismatched: ['b'],
    });
    expect((await second.sess.run(second.a)).toArray()).toEqual([1, 1, 1]);
    for (const s of [sess, second.sess]) await s.close();
  });

  test('a file of another program is read', async () => {
    const path = at('python.safetensors');
    writeFileSync(path, file('python.safetensors').bytes);
    const graph = new tf.Graph();
    const W = graph.asDefault(() => tf.variable(tf.zeros([2, 3, 4]), { name: 'W' }));
    const sess = new tf.Session({ graph, backend: 'wasm' });
    await new tf.train.Saver({ varList: [W] }).restore(sess, path);
    expect([...(await sess.run(W)).data]).toEqual(file('python.safetensors').values);
    await using reader = await tf.train.loadCheckpoint(path);
    expect((await reader.getTensor('half')).toArray()).toEqual([[0.5], [65504]]);
    expect(reader.hasTensor('none')).toBe(false);
    await expect(reader.getTensor('none')).rejects.toThrow(/has no tensor "none"; it has: steps, W, brain, half, mask/);
    await sess.close();
  });
});

describe('a folder', () => {
  test('keeps the newest of its own prefix, whatever process wrote them, and nothing else is touched', async () => {
    const { sess } = await started(vectors());
    for (const name of ['model.safetensors.bak', 'model2-1.safetensors', 'my-model-1.safetensors', 'notes.txt'])
      writeFileSync(at(name), '');
    for (const globalStep of [900, 1000]) await new tf.train.Saver().save(sess, at('model'), { globalStep });
    // A run that begins anew has smaller numbers, and is newer.
    for (const [i, name] of ['model-900.safetensors', 'model-1000.safetensors'].entries())
      utimesSync(at(name), 1000 + i, 1000 + i);
    const saver = new tf.train.Saver({ maxToKeep: 2 });
    for (const globalStep of [1, 2]) await saver.save(sess, at('model'), { globalStep });
    expect(present()).toEqual(
      ['checkpoint', 'model-1.safetensors', 'model-2.safetensors', 'model.safetensors.bak', 'model2-1.safetensors', 'my-model-1.safetensors', 'notes.txt'], // biome-ignore format: one line
    );
    expect(readFileSync(at('checkpoint'), 'utf8')).toBe(
      'model_checkpoint_path: "model-2.safetensors"\n' +
        'all_model_checkpoint_paths: "model-1.safetensors"\n' +
        'all_model_checkpoint_paths: "model-2.safetensors"\n',
    );
    expect(await tf.train.latestCheckpoint(folder)).toBe(at('model-2.safetensors'));
    await sess.close();
  });

  test('loses what stopped processes left unfinished of its own, and nothing that may still be written', async () => {
    const { sess } = await started(vectors());
    const host = hostname().replace(/\W/g, '_');
    const stopped = spawnSync(process.execPath, ['-e', '']).pid;
    const living = process.ppid;
    const old = ['model-1.safetensors.elsewhere-7-0.unfinished', `checkpoint.${host}-${process.pid}-99.unfinished`];
    const stays = [
      `model-2.safetensors.${host}-${living}-0.unfinished`,
      `other-2.safetensors.${host}-${stopped}-0.unfinished`,
      'model-3.safetensors.elsewhere-7-0.unfinished',
      `model-4.safetensors.${host}-${process.pid}-0.unfinished`,
      'model.safetensors.unfinished',
    ];
    const goes = [`checkpoint.${host}-${stopped}-3.unfinished`, `model-5.safetensors.${host}-${stopped}-4.unfinished`];
    for (const name of [...old, ...stays, ...goes]) writeFileSync(at(name), '');
    const eleven = Date.now() / 1000 - 11 * 60;
    for (const name of [...old, stays[0]]) utimesSync(at(name), eleven, eleven);
    await new tf.train.Saver().save(sess, at('model'), { globalStep: 9 });
    expect(present()).toEqual(['checkpoint', 'model-9.safetensors', ...stays].sort());
    await sess.close();
  });

  test('does not lose what another user writes, or this process, however long it takes', async () => {
    const { sess } = await started(vectors());
    const others = `model-7.safetensors.${hostname().replace(/\W/g, '_')}-4242424-0.unfinished`;
    writeFileSync(at(others), '');
    vi.spyOn(process, 'kill').mockImplementation(() => {
      throw Object.assign(new Error('not yours'), { code: 'EPERM' });
    });
    let goOn = () => {};
    const waiting = new Promise<void>((resolve) => (goOn = resolve));
    const { rename } = fs;
    const renamed = vi.spyOn(fs, 'rename').mockImplementationOnce((from, to) => waiting.then(() => rename(from, to)));
    const slow = new tf.train.Saver().save(sess, at('model'), { globalStep: 1 });
    await vi.waitFor(() => expect(renamed).toHaveBeenCalled(), 60_000);
    const eleven = Date.now() / 1000 - 11 * 60;
    utimesSync(renamed.mock.calls[0][0], eleven, eleven);
    await new tf.train.Saver().save(sess, at('model'), { globalStep: 2 });
    goOn();
    expect(await slow).toBe(at('model-1.safetensors'));
    expect(present()).toEqual(['checkpoint', 'model-1.safetensors', 'model-2.safetensors', others]);
    await sess.close();
  });

  test.each(['a.b', 'a (1)+[c]', 'é|^$', '𝒙*'])('knows its own whatever signs are in their name: %s', async (name) => {
    const { sess } = await started(vectors());
    const others = ['axb-1.safetensors', 'a 1c-1.safetensors', '-1.safetensors'];
    for (const other of others) writeFileSync(at(other), '');
    const saver = new tf.train.Saver({ maxToKeep: 1 });
    for (const globalStep of [1, 2]) await saver.save(sess, at(name), { globalStep });
    expect(present()).toEqual([...others, 'checkpoint', `${name}-2.safetensors`].sort());
    await sess.close();
  });

  test('keeps one of every so many hours besides', async () => {
    const { sess } = await started(vectors());
    const all = new tf.train.Saver({ maxToKeep: 0 });
    for (let i = 0; i < 9; i++) {
      await all.save(sess, at('model'), { globalStep: i });
      const seconds = 1e9 - (1e9 % 7200) + 1800 * i;
      utimesSync(at(`model-${i}.safetensors`), seconds, seconds);
    }
    await new tf.train.Saver({ maxToKeep: 1, keepCheckpointEveryNHours: 2 }).save(sess, at('model'), { globalStep: 9 });
    const kept = present().flatMap((name) => /-(\d)/.exec(name)?.[1] ?? []);
    expect(kept).toEqual(['0', '4', '8', '9']);
    await sess.close();
  });

  test('is read as TensorFlow writes it: full paths, bytes in octal; one that was moved, too', async () => {
    const { sess } = await started(vectors());
    mkdirSync(at('é "run"'));
    const path = await new tf.train.Saver().save(sess, join(at('é "run"'), 'né'), { globalStep: 1 });
    expect(await tf.train.latestCheckpoint(at('é "run"'))).toBe(path);
    const octal = path.replaceAll('é', '\\303\\251').replaceAll('"', '\\"').replace('.safetensors', '');
    writeFileSync(at('checkpoint'), `model_checkpoint_path: "${octal}"\n`);
    expect(await tf.train.latestCheckpoint(folder)).toBe(path);
    expect(await tf.train.latestCheckpoint(at('none'))).toBeUndefined();
    await sess.close();
  });

  test('whose latest file is gone gives the one before, and says so', async () => {
    const { sess } = await started(vectors());
    const saver = new tf.train.Saver();
    for (const globalStep of [1, 2, 3]) await saver.save(sess, at('model'), { globalStep });
    rmSync(at('model-3.safetensors'));
    const warn = vi.spyOn(console, 'warn').mockImplementation(() => {});
    expect(await tf.train.latestCheckpoint(folder)).toBe(at('model-2.safetensors'));
    expect(warn.mock.calls.join()).toMatch(
      /model-3\.safetensors, is not there any more; model-2\.safetensors is taken/,
    );
    await sess.close();
  });
});

describe('errors', () => {
  test('a variable without a value, no variables, no session', async () => {
    const { graph } = vectors();
    const sess = new tf.Session({ graph, backend: 'wasm' });
    const saver = new tf.train.Saver();
    await expect(saver.save(sess, at('model'))).rejects.toThrow(tf.FailedPreconditionError);
    await expect(saver.save({} as tf.Session, at('model'))).rejects.toThrow(/the first argument is a session/);
    await expect(saver.save(new tf.Session({ graph: new tf.Graph() }), at('m'))).rejects.toThrow(/no variables/);
    await expect(saver.save(sess, '')).rejects.toThrow(/expected a path/);
    await expect(saver.save(sess, at('model'), { globalStep: 1.5 })).rejects.toThrow(
      /globalStep must be a whole number/,
    );
    expect(present()).toEqual([]);
    await sess.close();
  });

  test.each([
    ['maxToKeep', { maxToKeep: -1 }],
    ['keepCheckpointEveryNHours', { keepCheckpointEveryNHours: 0 }],
    ['varList has variables only', { varList: [3] as never }],
  ])('%s', (what, options) => {
    expect(() => new tf.train.Saver(options)).toThrow(tf.InvalidArgumentError);
    expect(() => new tf.train.Saver(options)).toThrow(new RegExp(what));
  });

  test('a folder that is missing, or is a file', async () => {
    const { sess } = await started(vectors());
    const saver = new tf.train.Saver();
    await expect(saver.save(sess, at('none/model'))).rejects.toThrow(
      /its folder does not exist; make it first \(ENOENT\)/,
    );
    writeFileSync(at('file'), '');
    await expect(saver.save(sess, at('file/model'))).rejects.toThrow(tf.DataError);
    await expect(saver.restore(sess, at('none'))).rejects.toThrow(
      /none\.safetensors cannot be read: there is none of that name/,
    );
    await expect(saver.restore(sess, at('file'))).rejects.toThrow(/at byte 0, it ends/);
    expect(present()).toEqual(['file']);
    await sess.close();
  });

  test('a disk that is full: what was there is whole, and the next save works', async () => {
    const { sess } = await started(vectors());
    const saver = new tf.train.Saver({ maxToKeep: 1 });
    const before = await saver.save(sess, at('model'), { globalStep: 1 });
    const { open } = fs;
    const full = vi.spyOn(fs, 'open').mockImplementation(async (...args) => {
      const handle = await open(...args);
      const write = handle.writeFile.bind(handle);
      handle.writeFile = async (data) => {
        await write((data as Uint8Array).subarray(0, 5));
        throw Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' });
      };
      return handle;
    });
    await expect(saver.save(sess, at('model'), { globalStep: 2 })).rejects.toThrow(
      /the disk is full \(ENOSPC\)\. Nothing has changed/,
    );
    full.mockRestore();
    expect(present()).toEqual(['checkpoint', 'model-1.safetensors']);
    expect(await tf.train.latestCheckpoint(folder)).toBe(before);
    await saver.save(sess, at('model'), { globalStep: 3 });
    expect(present()).toEqual(['checkpoint', 'model-3.safetensors']);
    await sess.close();
  });

  test('a session of another seed cannot go on with random numbers; of another machine it is warned', async () => {
    const { sess, saver, data, train } = learner('wasm');
    await train(1);
    const path = await saver.save(sess, at('model'), { data });
    const other = new tf.Session({ graph: sess.graph, backend: 'wasm', seed: 4 });
    const restored = saver.restore(other, path);
    await expect(restored).rejects.toThrow(/saved in a session with seed 3, but this one has seed 4/);
    await saver.restore(other, path, { strict: false });
    expect(await valuesOf(other)).toEqual(await valuesOf(sess));
    const warn = vi.spyOn(console, 'warn').mockImplementation(() => {});
    const third = new tf.Session({ graph: sess.graph, backend: 'reference', seed: 3 });
    await saver.restore(third, path);
    expect(warn.mock.calls.join()).toMatch(/saved on another machine or backend \(wasm/);
    for (const s of [sess, other, third]) await s.close();
  });

  test('where no random op has run a session of another seed goes on', async () => {
    const { sess, graph, step } = await started(vectors(), { seed: 1 });
    await sess.run(step);
    const path = await new tf.train.Saver().save(sess, at('model'));
    const other = new tf.Session({ graph, backend: 'wasm', threads: 1, seed: 2 });
    await new tf.train.Saver().restore(other, path);
    expect(await valuesOf(other)).toEqual(await valuesOf(sess));
    for (const s of [sess, other]) await s.close();
  });

  test('a file tells which versions wrote it; of another millrace it is warned', async () => {
    const { sess, saver, train } = learner('wasm');
    await train(1);
    const path = await saver.save(sess, at('model'));
    const reader = await tf.train.loadCheckpoint(path);
    const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'));
    expect(JSON.parse(reader.metadata.get('versions') as string)).toEqual({
      millrace: version,
      node: process.versions.node,
      v8: process.versions.v8,
    });
    await reader.close();
    const warn = vi.spyOn(console, 'warn').mockImplementation(() => {});
    await saver.restore(sess, path);
    expect(warn).not.toHaveBeenCalled();
    const bytes = readFileSync(path, 'latin1').replace(`\\"millrace\\":\\"${version}\\"`, '\\"millrace\\":\\"9.9.9\\"');
    writeFileSync(path, bytes, 'latin1');
    await saver.restore(sess, path);
    expect(warn.mock.calls.join()).toMatch(/was saved by millrace 9\.9\.9 \(this is /);
    await sess.close();
  });

  test('data sets that are not those of the file leave the session and the data as they were', async () => {
    const { sess, saver, data, train } = learner('wasm');
    await train(1);
    const path = await saver.save(sess, at('model'), { data });
    await train(1);
    const before = [await valuesOf(sess), data.state()];
    await expect(saver.restore(sess, path, { data: [data, data] })).rejects.toThrow(
      /saved with 1 data sets, but restore was given 2/,
    );
    const { validation } = dataSetsFromFiles(noise(), { validationSize: 10 });
    await expect(saver.restore(sess, path, { data: validation })).rejects.toThrow(
      /of 60 examples, but this one has 10/,
    );
    expect([await valuesOf(sess), data.state()]).toEqual(before);
    // The second one does not fit when the first has been restored.
    const both = await saver.save(sess, at('both'), { data: [data, data] });
    data.nextBatch(7);
    const moved = data.state();
    await expect(saver.restore(sess, both, { data: [data, validation] })).rejects.toThrow(/of 60 examples/);
    expect(data.state()).toEqual(moved);
    await sess.close();
  });
});
