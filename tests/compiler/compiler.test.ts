// What the passes make of graphs: fusion, safe rewriting, order, one program.

import { describe, expect, test } from 'vitest';
import { emitModule } from '../../src/backends/wasm/emit/emit.ts';
import { machineFor } from '../../src/backends/wasm/machine.ts';
import { atOnce } from '../../src/base/turns.ts';
import { compiling } from '../../src/compiler/compile.ts';
import { prune } from '../../src/compiler/graph/prune.ts';
import * as tf from '../../src/index.ts';
import { printProgram } from '../../src/loops/check/print.ts';
import { verifyProgram } from '../../src/loops/check/verify.ts';
import { printTask } from '../../src/primitives/print.ts';
import { verifyTask } from '../../src/primitives/verify-task.ts';
import { backends } from '../backends.ts';
import { tutorialModel } from '../tutorial-model.ts';
import { compile, lower } from './compile.ts';

const machine = machineFor(false);

type Any = tf.Tensor<any, any>;
const inGraph = <R>(build: () => R): R => new tf.Graph().asDefault(build);

describe('prune', () => {
  test('keeps what the fetches need and nothing above a fed tensor', () => {
    const { a, b, c } = inGraph(() => {
      const p = tf.placeholder('float32', [2]);
      const q = tf.exp(p);
      return { a: p, b: q, c: tf.add(q, 1) };
    });
    const request = { graph: a.graph, targets: [], seed: 0 };
    const names = (feeds: Any[]) =>
      atOnce(prune({ ...request, fetches: [c], feeds: feeds.map((tensor) => ({ tensor, shape: [2] })) })).map(
        (o) => o.type,
      );
    expect(names([a])).toEqual(['Exp', 'Const', 'Add']);
    expect(names([b])).toEqual(['Const', 'Add']);
  });
});

describe('rewrite', () => {
  test('equal computations are done once, random ones are not', () => {
    const { lowered } = inGraph(() => {
      const x = tf.placeholder('float32', [4]);
      const y = tf.add(tf.exp(x), tf.exp(x));
      const r = tf.sub(tf.randomUniform([4]), tf.randomUniform([4]));
      return compile({ fetches: [y, r] as Any[], feeds: [[x, [4]]] });
    });
    const ops = lowered.nodes.filter((n) => n.kind === 'map').map((n) => (n.kind === 'map' ? n.body.op : ''));
    expect(ops.filter((op) => op === 'exp')).toHaveLength(1);
    expect(lowered.counters).toHaveLength(2);
  });

  test('without sharing, as for the oracle, equal computations are done each for itself', () => {
    const run = inGraph(() => {
      const x = tf.placeholder('float32', [4]);
      return { fetches: [tf.add(tf.exp(x), tf.exp(x))], feeds: [[x, [4]] as const] };
    });
    const maps = (shareNodes: boolean) => lower(run, shareNodes).nodes.filter((n) => n.kind === 'map').length;
    expect([maps(true), maps(false)]).toEqual([2, 3]);
  });

  test.each(backends)(
    'the hand-written cross-entropy is right for huge logits and any labels, on %s',
    async (backend) => {
      const graph = new tf.Graph();
      const session = new tf.Session({ graph, backend });
      const { z, labels, y, loss, gradient } = graph.asDefault(() => {
        const logits = tf.placeholder('float32', [3, 4]);
        const target = tf.placeholder('float32', [3, 4]);
        const p = tf.nn.softmax(logits);
        const total = tf.neg(tf.reduceSum(tf.mul(target, tf.log(p))));
        return { z: logits, labels: target, y: p, loss: total, gradient: tf.gradients(total, [logits])[0] as Any };
      });
      const logits = [
        [1000, -1000, 0, 0],
        [-1000, 1000, 5, 0],
        [0.1, 0.2, 0.3, 0.4],
      ];
      // Labels that sum to 0, 0.5 and 3.
      const targets = [
        [0, 0, 0, 0],
        [0.5, 0, 0, 0],
        [1, 1, 0.5, 0.5],
      ];
      const feeds = [
        [z, logits],
        [labels, targets],
      ] as any;
      const result = (await session.run({ loss, gradient, y }, feeds)) as any;
      const logSoftmax = logits.map((row) => {
        const most = Math.max(...row);
        const sum = Math.log(row.reduce((s, v) => s + Math.exp(v - most), 0));
        return row.map((v) => v - most - sum);
      });
      const wanted = -targets.flatMap((row, i) => row.map((t, k) => t * logSoftmax[i][k])).reduce((a, b) => a + b, 0);
      expect(result.loss / wanted).toBeCloseTo(1, 5);
      result.gradient.toArray().forEach((row: number[], i: number) => {
        const sum = targets[i].reduce((a, b) => a + b, 0);
        for (const [k, g] of row.entries()) expect(g).toBeCloseTo(sum * Math.exp(logSoftmax[i][k]) - targets[i][k], 5);
      });
      expect(result.y.toArray()[0]).toEqual([1, 0, 0, 0]);
      // With y fed, log is the logarithm of what was fed, and the gradient is that of the formula at these values.
      const p = [
        [0.5, 0.5, 0.25, 0.25],
        [1, 0.25, 0.5, 0.125],
        [0.5, 0.5, 0.5, 0.5],
      ];
      const hot = [0, 1, 2].map((i) => [0, 1, 2, 3].map((k) => Number(i === k)));
      const fed = (await session.run({ loss, gradient }, [
        [y, p],
        [labels, hot],
      ] as any)) as any;
      expect(fed.loss).toBeCloseTo(Math.log(2) + Math.log(4) + Math.log(2), 5);
      fed.gradient.toArray().forEach((row: number[], i: number) => {
        for (const [k, g] of row.entries()) expect(g).toBeCloseTo(p[i][k] - hot[i][k], 5);
      });
      await session.close();
    },
  );
});

describe('fuse', () => {
  test('a chain of elementwise operations is one task, bias and activation join what produces them', () => {
    const { tasks } = inGraph(() => {
      const x = tf.placeholder('float32', [null, 8]) as Any;
      const h = tf.nn.relu(
        tf.add(
          tf.matmul(x, tf.constant(new Float32Array(128), { shape: [8, 16] }) as Any),
          tf.constant(new Float32Array(16)) as Any,
        ) as Any,
      ) as Any;
      return compile({ fetches: [tf.square(tf.exp(tf.neg(h)))], feeds: [[x, [5, 8]]] });
    });
    expect(tasks.map((t) => t.root?.kind ?? 'map')).toEqual(['contract']);
    expect(tasks[0].outputs).toHaveLength(1);
  });

  test("Adam's update of a parameter is one task with three results, in the task of the gradient where it can be", () => {
    const { tasks } = inGraph(() => {
      const { x, y_, keepProb, step } = tutorialModel(tf);
      return compile({
        targets: [step],
        feeds: [
          [x, [2, 784]],
          [y_, [2, 10]],
          [keepProb, []],
        ],
      });
    });
    expect(tasks.filter((t) => t.root?.kind === 'contract' && t.outputs.length === 3)).toHaveLength(4);
  });

  test("Adam's update by a gradient that is there already is one task, which reads it once", () => {
    const { tasks } = inGraph(() => {
      const [variable, gradient] = [tf.variable(tf.ones([100])), tf.variable(tf.ones([100]))];
      return compile({ targets: [new tf.train.AdamOptimizer().applyGradients([[gradient, variable]])] });
    });
    const large = tasks.filter((t) => t.shape.length > 0);
    expect(large.map((t) => t.outputs.length)).toEqual([3]);
    expect(large[0].inputs.filter((v) => v.strides[0] > 0)).toHaveLength(4);
  });

  test('a result joins one that reads the same array, but not before something that waits for it', () => {
    const { tasks } = inGraph(() => {
      const [a, b] = [tf.variable(tf.ones([100, 100])), tf.variable(tf.ones([100, 100]))];
      const twice = tf.mul(a, 2);
      const steps = [tf.assign(b, twice), tf.matmul(twice, a), tf.assign(a, tf.mul(a, 0.5))];
      return compile({ fetches: [steps[1]], targets: [steps[0].operation, steps[2].operation] });
    });
    expect(tasks.map((t) => [t.root?.kind ?? 'map', t.outputs.length])).toEqual([
      ['map', 1],
      ['contract', 1],
      ['map', 1],
    ]);
  });

  test('what no one needs is not computed: no gradient for the images', () => {
    const { tasks } = inGraph(() => {
      const { x, y_, keepProb, step } = tutorialModel(tf);
      return compile({
        targets: [step],
        feeds: [
          [x, [2, 784]],
          [y_, [2, 10]],
          [keepProb, []],
        ],
      });
    });
    // conv1, conv2, fc1, fc2 forward; their weights' gradients; the inputs' gradients of conv2, fc1 and fc2.
    expect(tasks.filter((t) => t.root?.kind === 'contract')).toHaveLength(4 + 4 + 3);
  });
});

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

test('a malformed task is refused with its text', () => {
  const { tasks } = inGraph(() => {
    const x = tf.placeholder('float32', [4]);
    return compile({ fetches: [tf.exp(x)] as Any[], feeds: [[x, [4]]] });
  });
  const [task] = tasks;
  expect(() => verifyTask({ ...task, shape: [5] })).toThrow(/malformed task: an input has the shape \[4\]\nmap \[5\]/);
  expect(() => verifyTask({ ...task, inputs: [] })).toThrow(/there is no input 0/);
  const outputs = task.outputs.map((o) => ({ ...o, offset: 1 }));
  expect(() => verifyTask({ ...task, outputs })).toThrow(/an output leaves its array/);
});
