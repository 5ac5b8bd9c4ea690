// The program as a whole: what it tells backends and explain of its parts.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { machineFor } from '../../../src/backends/wasm/machine.ts';
import * as tf from '../../../src/index.ts';
import { verifyProgram } from '../../../src/loops/check/verify.ts';
import { buffersOf } from '../../../src/loops/patterns.ts';
import { compile } from '../compile.ts';
import { buildProgram, everyStep } from '../random-programs.ts';

type Any = tf.Tensor<any, any>;
const inGraph = <R>(build: () => R): R => new tf.Graph().asDefault(build);

test('random programs: the kernels of the tasks are all kernels in order, and everything has a place', () => {
  fc.assert(
    fc.property(fc.constantFrom(...everyStep), (recipe) => {
      const { fetches, step, shapes } = buildProgram(recipe);
      const { lowered, program } = compile({ fetches, targets: [step], feeds: shapes });
      let next = 0;
      for (const { kernels } of program.tasks) {
        expect(kernels[0]).toBe(next);
        next = kernels[1];
      }
      expect(next).toBe(program.kernels.length);
      for (const kernel of program.kernels) for (const b of buffersOf(kernel)) expect(program.places.has(b)).toBe(true);
      const ports = [...program.feeds.filter((port) => port !== undefined), ...program.fetches, ...program.counters];
      for (const { buffer } of ports) expect(program.places.has(buffer)).toBe(true);
      expect(program.feeds).toHaveLength(lowered.feeds.length);
      expect(program.fetches.map((port) => port.shape)).toEqual(lowered.fetches.map((v) => v.shape));
      expect(new Set(program.counters.map((c) => c.name))).toEqual(new Set(lowered.counters));
      expect(program.messages).toEqual(lowered.checks.map((c) => c.message));
      const touched = new Set(
        [...lowered.updates, ...lowered.nodes.flatMap((n) => (n.kind === 'read' ? [n] : []))].map(
          (n) => n.variable.key,
        ),
      );
      expect(new Set(program.variables.map((v) => v.key))).toEqual(touched);
    }),
    { numRuns: 10 },
  );
});

describe('a program', () => {
  test('has no port for what it does not need, and one buffer for what is fetched twice', () => {
    const { program } = inGraph(() => {
      const [x, y] = [tf.placeholder('float32', [4]), tf.placeholder('float32', [4])] as Any[];
      const sum = tf.add(x, 1) as Any;
      return compile({ fetches: [sum, sum, x], feeds: [x, y].map((t) => [t, [4]] as const) });
    });
    const [first, second] = program.feeds;
    expect([first?.shape, second]).toEqual([[4], undefined]);
    expect(program.fetches[0].buffer).toBe(program.fetches[1].buffer);
    // What is fed is fetched as a copy: the caller may do with it what it likes.
    expect(program.fetches[2].buffer).not.toBe(first?.buffer);
  });

  test('has its checks first, with the status that they set, and none without them', () => {
    const build = (checked: boolean) =>
      inGraph(() => {
        const index = tf.placeholder('int32', [2]) as Any;
        const v = tf.variable(tf.ones([4, 3])) as any;
        const rows = checked ? (tf.gather(v, index as any) as Any) : (tf.cast(index, 'float32') as Any);
        const step = tf.assign(v, tf.mul(v, tf.reduceSum(rows) as any) as any) as Any;
        return compile({ targets: [step.operation], feeds: [[index, [2]]] }).program;
      });
    const [checked, plain] = [build(true), build(false)];
    expect([plain.checks, plain.status, plain.messages]).toEqual([0, undefined, []]);
    expect(checked.checks).toBeGreaterThan(0);
    expect(checked.messages).toHaveLength(1);
    const writes = checked.kernels.map((k) => buffersOf(k).includes(checked.status as never));
    expect(writes.lastIndexOf(true)).toBe(checked.checks - 1);
    verifyProgram(checked, machineFor(false));
  });

  test('repeats kernels, not tasks: those of chains whose blocks follow each other', () => {
    const machine = machineFor(false);
    const batching = { ...machine.batching, enoughBytes: 64, blockBytes: 4096, blockMultiple: 4 };
    const { program } = inGraph(() => {
      const x = tf.placeholder('float32', [64, 32]) as Any;
      const w = tf.constant(new Float32Array(32 * 32).fill(0.1), { shape: [32, 32] }) as Any;
      const y = tf.tanh(tf.matmul(tf.tanh(tf.matmul(x, w) as Any) as Any, w) as Any) as Any;
      return compile({ fetches: [tf.reduceSum(y) as Any], feeds: [[x, [64, 32]]] }, { ...machine, batching });
    });
    expect(program.repeats).toHaveLength(1);
    const [{ first, end, items, block }] = program.repeats;
    expect([items, block % 4, block < items]).toEqual([64, 0, true]);
    const ranges = program.tasks.map((t) => t.kernels);
    expect(ranges.some(([from]) => from === first) && ranges.some(([, to]) => to === end)).toBe(true);
    expect(end - first).toBeGreaterThan(1);
    verifyProgram(program, machine);
  });
});
