// Whenever the process, or the machine, stops while checkpoints are saved: the newest whole one is found.
import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import fs from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import * as tf from '../../src/index.ts';
import { built } from '../built.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'millrace-durable-'));
});
afterEach(() => {
  vi.restoreAllMocks();
  rmSync(folder, { recursive: true, force: true });
});

/** What a save asks of the file system. */
type Operation =
  | { does: 'create' | 'sync' | 'remove'; name: string }
  | { does: 'write'; name: string; bytes: Uint8Array }
  | { does: 'rename'; name: string; to: string }
  | { does: 'sync folder' };

/** Notes the operations on files of the folder, in the order in which they end. */
function recorded(operations: Operation[]): void {
  const { open, rename, rm } = fs;
  vi.spyOn(fs, 'open').mockImplementation(async (path, ...rest) => {
    const handle = await open(path, ...rest);
    const name = basename(String(path));
    if (path === folder) {
      const sync = handle.sync.bind(handle);
      handle.sync = () => sync().then(() => void operations.push({ does: 'sync folder' }));
      return handle;
    }
    operations.push({ does: 'create', name });
    const [write, sync] = [handle.writeFile.bind(handle), handle.sync.bind(handle)];
    handle.writeFile = async (bytes) => {
      await write(bytes);
      operations.push({ does: 'write', name, bytes: (bytes as Uint8Array).slice() });
    };
    handle.sync = () => sync().then(() => void operations.push({ does: 'sync', name }));
    return handle;
  });
  vi.spyOn(fs, 'rename').mockImplementation(async (from, to) => {
    await rename(from, to);
    operations.push({ does: 'rename', name: basename(String(from)), to: basename(String(to)) });
  });
  vi.spyOn(fs, 'rm').mockImplementation(async (path, options) => {
    await rm(path, options);
    operations.push({ does: 'remove', name: basename(String(path)) });
  });
}

/**
 * What may be on the disk after some operations. When the process stops, all of them. When the machine stops, what was
 * not synced is lost or not, each for itself: here the data of files are lost, and the names in the folder are kept (a
 * file that has its name but not its data), or lost back to the last time that the folder was synced.
 */
function disks(operations: readonly Operation[]): Map<string, Uint8Array>[] {
  const written = new Map<string, { all: Uint8Array; synced: Uint8Array }>();
  let names = new Map<string, { all: Uint8Array; synced: Uint8Array }>();
  let syncedNames = new Map(names);
  const none = new Uint8Array();
  for (const o of operations) {
    if (o.does === 'create') {
      const content = { all: none, synced: none };
      written.set(o.name, content);
      names = new Map(names).set(o.name, content);
    } else if (o.does === 'write') {
      const content = written.get(o.name)!;
      content.all = new Uint8Array([...content.all, ...o.bytes]);
    } else if (o.does === 'sync') written.get(o.name)!.synced = written.get(o.name)!.all;
    else if (o.does === 'rename') {
      names = new Map(names).set(o.to, names.get(o.name)!);
      names.delete(o.name);
    } else if (o.does === 'remove') {
      names = new Map(names);
      names.delete(o.name);
    } else syncedNames = new Map(names);
  }
  const contents = (of: typeof names, which: 'all' | 'synced') => new Map([...of].map(([name, c]) => [name, c[which]]));
  return [contents(names, 'all'), contents(names, 'synced'), contents(syncedNames, 'synced')];
}

test('every prefix of what is asked of the file system leaves a whole checkpoint, the newest or the one before', async () => {
  const graph = new tf.Graph();
  const { v, add, init } = graph.asDefault(() => {
    const v = tf.variable(tf.zeros([5]), { name: 'v' });
    return { v, add: v.assignAdd(tf.ones([5])), init: tf.initializeAllVariables() };
  });
  const sess = new tf.Session({ graph, backend: 'wasm', threads: 1 });
  await sess.run(init);
  const saver = new tf.train.Saver({ maxToKeep: 1 });
  const operations: Operation[] = [];
  recorded(operations);
  const ends: number[] = [];
  for (let step = 1; step <= 3; step++) {
    await sess.run(add);
    // The last without a number, twice: it takes its own place.
    await saver.save(sess, join(folder, 'model'), step < 3 ? { globalStep: step } : {});
    ends.push(operations.length);
  }
  await sess.run(add);
  await saver.save(sess, join(folder, 'model'));
  vi.restoreAllMocks();
  expect(operations.length).toBeGreaterThan(40);
  expect(operations.filter(({ does }) => does === 'remove').length).toBe(2);
  for (let n = ends[0]; n <= operations.length; n++) {
    const saved = ends.filter((end) => end <= n).length;
    for (const disk of disks(operations.slice(0, n))) {
      const place = join(folder, 'disk');
      rmSync(place, { recursive: true, force: true });
      mkdirSync(place);
      for (const [name, bytes] of disk) writeFileSync(join(place, name), bytes);
      const latest = await tf.train.latestCheckpoint(place);
      expect(latest, `after ${n} operations`).toBeDefined();
      await using reader = await tf.train.loadCheckpoint(latest!);
      const { data } = await reader.getTensor('v');
      expect([saved, saved + 1], `after ${n} operations`).toContain(data[0]);
      expect(new Set(data).size).toBe(1);
    }
  }
  expect(v.shape).toEqual([5]);
  await sess.close();
});

/** Saves each step without end, and says when it has begun. */
const program = `
const tf = await import(process.argv[1]);
const [, , folder] = process.argv;
const n = 20_000;
const v = tf.variable(tf.zeros([n]), { name: 'v' });
const step = tf.variable(0, { name: 'step' });
const all = tf.group(v.assignAdd(tf.ones([n])), step.assignAdd(1));
const sess = new tf.Session({ backend: 'wasm', threads: 1 });
const saver = new tf.train.Saver({ maxToKeep: 2 });
const latest = await tf.train.latestCheckpoint(folder);
if (latest) await saver.restore(sess, latest);
else await sess.run(tf.initializeAllVariables());
for (;;) {
  await sess.run(all);
  await saver.save(sess, folder + '/model', { globalStep: step });
  console.log('saved');
}`;

/** How often the process is killed; `npm run soak -- kills` says more. */
const kills = Number(process.env.MILLRACE_KILLS ?? 20);

test(`killed ${kills} times at random moments of saving every step: what is found is whole, and steps go on`, async () => {
  let reached = 0;
  for (let i = 0; i < kills; i++) {
    const child = spawn(process.execPath, ['--input-type=module', '-e', program, built, folder]);
    const ended = new Promise((resolve) => child.once('exit', resolve));
    await new Promise((resolve) => child.stdout.once('data', resolve));
    await new Promise((resolve) => setTimeout(resolve, Math.random() * 30));
    child.kill('SIGKILL');
    await ended;
    const latest = await tf.train.latestCheckpoint(folder);
    await using reader = await tf.train.loadCheckpoint(latest!);
    const [v, step] = [await reader.getTensor('v'), await reader.getTensor('step')];
    expect(new Set(v.data)).toEqual(new Set([step.data[0]]));
    expect(step.data[0]).toBeGreaterThan(reached);
    reached = step.data[0];
    expect(readFileSync(join(folder, 'checkpoint'), 'utf8')).toContain(basename(latest!));
  }
});
