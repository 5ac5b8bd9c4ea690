// What every backend promises (src/backends/backend.ts), without a session around it.
import { describe, expect, test } from 'vitest';
import type { Executable } from '../../src/backends/backend.ts';
import { backends as creators } from '../../src/backends/registry.ts';
import { InternalError } from '../../src/base/errors.ts';
import { stateFor } from '../../src/compiler/compile.ts';
import * as tf from '../../src/index.ts';
import type { VariableState } from '../../src/primitives/primitives.ts';
import type { TypedArray } from '../../src/tensor/dtype.ts';
import { backends } from '../backends.ts';
import { compile, type Wanted } from '../compiler/compile.ts';

type Any = tf.Tensor<any, any>;

describe.each(backends)('%s', (name) => {
  const start = async (threads = 2) => {
    const backend = creators[name]({ threads, portable: false, fastMath: true, profile: false });
    await backend.ready;
    const load = (wanted: Wanted): Promise<Executable> => {
      const { lowered, program } = compile(wanted, backend.machine);
      return backend.load({ lowered, program: backend.machine && program });
    };
    return { backend, load };
  };
  /** y = 2 x + 1 of so many numbers. */
  const line = (size: number): Wanted & { readonly feeds: NonNullable<Wanted['feeds']> } =>
    new tf.Graph().asDefault(() => {
      const x = tf.placeholder('float32', [size]) as Any;
      return { fetches: [tf.add(tf.mul(x, 2), 1) as Any, x], feeds: [[x, [size]]] };
    });
  const check = async (executable: Executable, size: number, seed: number) => {
    const x = Float32Array.from({ length: size }, (_, i) => (i % 1000) + seed);
    const [y, copy] = await executable.run([x], []);
    expect(copy.every((v, i) => v === x[i])).toBe(true);
    expect(y.every((v, i) => v === 2 * x[i] + 1)).toBe(true);
  };

  test('a program goes on after larger ones have been loaded, run and disposed of', async () => {
    const { backend, load } = await start();
    const sizes = [10, 3000, 100, 60_000];
    const loaded: [Executable, number][] = [];
    for (const size of sizes) {
      loaded.push([await load(line(size)), size]);
      for (const [executable, own] of loaded) await check(executable, own, own + size);
    }
    loaded.pop()?.[0].dispose();
    for (const [executable, own] of loaded) await check(executable, own, 7);
    backend.close();
  });

  test('what a run gives is the caller’s, and feeds are not touched', async () => {
    const { backend, load } = await start();
    const size = 5000;
    const executable = await load(line(size));
    const x = new Float32Array(size).fill(3);
    const [first] = await executable.run([x], []);
    const [second, copy] = await executable.run([x], []);
    first.fill(0);
    copy.fill(0);
    expect(x.every((v) => v === 3)).toBe(true);
    expect(second.every((v) => v === 7)).toBe(true);
    backend.close();
  });

  const variable = (
    key: number,
    shape: readonly number[],
    dtype: VariableState['dtype'] = 'float32',
  ): VariableState => ({
    ...{ key, name: `v${key}`, dtype, shape },
  });

  test('variables are read and written by their keys, before any program has been loaded', async () => {
    const { backend } = await start();
    const values = new Map<VariableState, TypedArray>([
      [variable(3, [2, 2]), new Float32Array([1, 2, 3, 4])],
      [variable(9, []), new Float32Array([5])],
      [variable(4, [3], 'bool'), new Uint8Array([1, 0, 1])],
      [variable(5, [0, 7], 'int32'), new Int32Array()],
    ]);
    await backend.writeVariables(values);
    expect(await backend.readVariables([...values.keys()])).toEqual([...values.values()]);
    // By key: the objects may be others. And both ways copies are made.
    for (const value of values.values()) value.fill(9);
    const [read] = await backend.readVariables([variable(3, [2, 2])]);
    read.fill(8);
    const [again, scalar] = await backend.readVariables([variable(3, [2, 2]), variable(9, [])]);
    expect([...again, ...scalar]).toEqual([1, 2, 3, 4, 5]);
    backend.close();
  });

  test('a variable that has no value cannot be read', async () => {
    const { backend } = await start();
    await backend.writeVariables(new Map([[variable(1, [2]), new Float32Array(2)]]));
    await expect(backend.readVariables([variable(1, [2]), variable(2, [2])])).rejects.toThrow(InternalError);
    backend.close();
  });

  test('a value of another element type or length is refused, and then none is written', async () => {
    const { backend } = await start();
    const [a, b] = [variable(1, [2]), variable(2, [3])];
    await backend.writeVariables(new Map([a, b].map((v) => [v, new Float32Array(v.shape[0]).fill(1)])));
    for (const wrong of [new Float32Array(2), new Int32Array(3), new Float64Array(3), new Uint8Array(12)]) {
      const values = new Map<VariableState, TypedArray>([
        [a, new Float32Array([7, 7])],
        [b, wrong],
      ]);
      await expect(backend.writeVariables(values)).rejects.toThrow(/v2 has 3 elements of float32/);
    }
    expect((await backend.readVariables([a, b])).map((v) => [...v])).toEqual([
      [1, 1],
      [1, 1, 1],
    ]);
    backend.close();
  });

  test('programs that are loaded see what is written, those that change the variable in place too', async () => {
    const { backend, load } = await start();
    const graph = new tf.Graph();
    const { v, step } = graph.asDefault(() => {
      const v = tf.variable(tf.zeros([4])) as tf.Variable<any, any>;
      return { v, step: tf.assignAdd(v, tf.constant([1, 2, 3, 4])) };
    });
    const executable = await load({ fetches: [v], targets: [step.operation] });
    const state = stateFor(v);
    await backend.writeVariables(new Map([[state, new Float32Array(4).fill(10)]]));
    expect([...(await executable.run([], []))[0]]).toEqual([10, 10, 10, 10]);
    await executable.run([], []);
    expect([...(await backend.readVariables([state]))[0]]).toEqual([12, 14, 16, 18]);
    await backend.writeVariables(new Map([[state, new Float32Array(4).fill(-1)]]));
    await executable.run([], []);
    expect([...(await backend.readVariables([state]))[0]]).toEqual([0, 1, 2, 3]);
    backend.close();
  });
});
