// The compiler as a whole: one program, the same each time, in time that grows with the graph.
import { describe, expect, test } from 'vitest';
import { emitModule } from '../../src/backends/wasm/emit/emit.ts';
import { machineFor } from '../../src/backends/wasm/machine.ts';
import { compiling } from '../../src/compiler/compile.ts';
import * as tf from '../../src/index.ts';
import { printProgram } from '../../src/loops/check/print.ts';
import { verifyProgram } from '../../src/loops/check/verify.ts';
import { printTask } from '../../src/primitives/print.ts';
import { verifyTask } from '../../src/primitives/verify-task.ts';
import { backends } from '../backends.ts';
import { tutorialModel } from '../tutorial-model.ts';
import { compile } from './compile.ts';

const machine = machineFor(false);

type Any = tf.Tensor<any, any>;
const inGraph = <R>(build: () => R): R => new tf.Graph().asDefault(build);

describe('the program', () => {
  const { program, lowered, tasks } = inGraph(() => {
    const { x, y_, keepProb, step, loss } = tutorialModel(tf);
    return compile({
      fetches: [loss],
      targets: [step],
      feeds: [
        [x, [3, 784]],
        [y_, [3, 10]],
        [keepProb, []],
      ],
    });
  });

  test('is well-formed, and prints', () => {
    tasks.forEach(verifyTask);
    expect(tasks.map(printTask).join('\n')).toContain('contract [3,14,14,64]');
    verifyProgram(program, machine);
    const text = printProgram(program);
    expect(text).toContain('kernel contract');
    expect(text.split('\n').length).toBeGreaterThan(200);
  });

  test('updates every variable where it lies: no copies', () => {
    expect(lowered.updates.length).toBe(8 * 3 + 2);
    expect(program.kernels.filter((k) => k.name === 'commit')).toHaveLength(0);
    const written = new Set(program.variables.map((v) => v.key));
    expect(lowered.updates.every((u) => written.has(u.variable.key))).toBe(true);
  });

  test('is one module that imports only its memory and exports one function', () => {
    let at = 1024;
    const bytes = emitModule(program, {
      addressOf: () => (at += 16 * 2 ** 20),
      memory: { minimum: 16, maximum: 65535, shared: true },
      fusedMultiplyAdd: false,
      profile: false,
    });
    const module = new (WebAssembly as any).Module(bytes);
    expect((WebAssembly as any).Module.imports(module)).toEqual([{ module: 'm', name: 'memory', kind: 'memory' }]);
    expect((WebAssembly as any).Module.exports(module)).toEqual([{ name: 'run', kind: 'function' }]);
  });

  test('compiling is repeatable: the same graph gives the same text', () => {
    const again = inGraph(() => {
      const { x, y_, keepProb, step, loss } = tutorialModel(tf);
      return compile({
        fetches: [loss],
        targets: [step],
        feeds: [
          [x, [3, 784]],
          [y_, [3, 10]],
          [keepProb, []],
        ],
      });
    });
    const shape = (text: string) =>
      text.replace(/(feed|constant|read|counter|map|reduce|argReduce|contract|pad|concat|gather|scatter)\d+/g, '$1');
    expect(shape(printProgram(again.program))).toBe(shape(printProgram(program)));
  });
});

test('a graph twice as large takes at most twice the steps to compile', () => {
  const steps = (operations: number): number =>
    inGraph(() => {
      const first = tf.placeholder('float32', [8]) as Any;
      let x = first;
      for (let i = 0; i < operations / 2; i++)
        x = i % 10 === 9 ? (tf.add(tf.reduceSum(x) as Any, first) as Any) : (tf.mul(x, 1.0001) as Any);
      const request = { graph: x.graph, fetches: [x], targets: [], feeds: [{ tensor: first, shape: [8] }], seed: 0 };
      return [...compiling(request, machineFor(false))].length;
    });
  expect(steps(20_000)).toBeLessThan(2.05 * steps(10_000));
});

test.each(backends)('a chain of 5,000 elementwise operations runs, on %s', async (backend) => {
  const graph = new tf.Graph();
  const session = new tf.Session({ graph, backend });
  const { x, y } = graph.asDefault(() => {
    const first = tf.placeholder('float32', [6]);
    let last: Any = first;
    for (let i = 0; i < 5000; i++) last = i % 2 === 0 ? tf.add(last, 1) : tf.mul(last, 0.5);
    return { x: first, y: last };
  });
  expect(((await session.run(y, [[x, [1, 1, 1, 1, 1, 2]]] as any)) as any).toArray()).toEqual([1, 1, 1, 1, 1, 1]);
  await session.close();
});
